"""(pure) Which tokens an ``auth`` takes, as its document says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.jwks import KeyFault, KeySet, keys_of, read_pem

_ALGORITHMS = ("RS256", "ES256", "EdDSA")
_SKEW_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Source:
    """Where keys are.

    Attributes:
        uri: Of a JWKS, or of the issuer.
        discovered: The issuer's metadata say where its JWKS is.
    """

    uri: str
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be.

    Attributes:
        audiences: It is for one of them.
        source: Where keys are; None: they are ``keys``.
        type: Its ``typ``, in lower case without ``application/``; "": any.
        principal_claim: Says who calls.
        claims: Names of those that workflows see.
    """

    issuer: str
    audiences: frozenset[str]
    source: Source | None
    keys: KeySet
    algorithms: frozenset[str]
    skew_seconds: float
    type: str
    scopes: frozenset[str]
    principal_claim: str
    claims: tuple[str, ...]


class TokenRefused(Exception):
    """A token lets nobody in.

    Attributes:
        kind: ``unauthenticated``, ``insufficient-scope``, or ``unavailable`` where nobody can tell.
        told: To the caller: no more than it needs.
        reason: To operators, who try a call.
        scopes: That are wanted.
    """

    def __init__(
        self,
        reason: str,
        told: str = "",
        kind: str = "unauthenticated",
        scopes: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.told = told or "The token does not hold here."
        self.reason = reason
        self.scopes = scopes


def typ_of(text: str) -> str:
    """A media type as ``typ`` has it (RFC 7515, 4.1.9)."""
    return text.lower().removeprefix("application/")


def read_rules(document: Mapping[str, Any]) -> TokenRules:
    """The ``jwt`` of an ``auth`` document, as the registry serves it."""
    audience = document["audience"]
    return TokenRules(
        issuer=document["issuer"],
        audiences=frozenset([audience] if isinstance(audience, str) else audience),
        source=_source(document),
        keys=_keys(document),
        algorithms=frozenset(document.get("algorithms") or _ALGORITHMS),
        skew_seconds=float(document.get("clockSkewSeconds", _SKEW_SECONDS)),
        type=typ_of(document.get("type") or ""),
        scopes=frozenset(document.get("scopes") or ()),
        principal_claim=document.get("principalClaim") or "sub",
        claims=tuple(document.get("claims") or ()),
    )


def _source(document: Mapping[str, Any]) -> Source | None:
    if uri := document.get("jwksUri"):
        return Source(uri)
    if "jwks" in document or "publicKey" in document:
        return None
    return Source(document["issuer"], discovered=True)


def _keys(document: Mapping[str, Any]) -> KeySet:
    try:
        if "jwks" in document:
            return keys_of(document["jwks"])
        if "publicKey" in document:
            return read_pem(document["publicKey"])
    except KeyFault:
        # The registry took it; where this service knows less, no token holds.
        return KeySet()
    return KeySet()
