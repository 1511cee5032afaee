"""Callers with tokens of an issuer (JWT): what is taken, whose keys, who that is.

``model``, ``claims``, ``form`` and ``fresh`` decide without IO; ``issuers`` has the keys of
issuers, ``fetching`` fetches them, ``verifier`` puts it together.
"""
