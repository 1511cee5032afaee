"""Calls that go out: one policy for every service, judged on the address that is dialled.

``configured`` has the settings and makes an :class:`~services.egress.sender.Sender` of them; rules,
policy and addresses decide without IO; resolver and sender act.
"""
