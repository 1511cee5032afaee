"""What authentication knows of a service's callers: values, read from ``auth`` documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.edge.tokens.model import TokenRules, read_rules
from services.json_text import Json


@dataclass(frozen=True, slots=True)
class Key:
    """One API key.

    Attributes:
        name: Its own: no other key of the configuration has it.
        acts_as: What its calls are known by; a key and the one in its place share it.
        hash: SHA-256 of the key, in hexadecimal digits.
        expires_at: Seconds since 1970; None: never.
    """

    name: str
    acts_as: str
    hash: str
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """One ``auth`` definition.

    Attributes:
        scheme: A key of :data:`services.edge.auth.SCHEMES`.
        keys: By hash.
        tokens: Which tokens are taken, where the scheme is JWT.
    """

    id: str
    scheme: str
    application_id: str
    keys: Mapping[str, Key]
    tokens: TokenRules | None = None

    @property
    def public(self) -> bool:
        return self.scheme in ("NONE", "PUBLIC")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a route.

    Attributes:
        auth_id: The configuration that let them in.
        principal: ``key:<auth id>/<name>``, ``jwt:<auth id>/<name>``, or ``public:<auth id>`` for
            anybody; the name is the key's, or that of the key in whose place it is, or a token's.
        application_id: Whose rights the call has.
        public: Anybody may call.
        key: The name of the key itself, or of that which has signed the token; empty where there
            is none.
        scopes: That the token has.
        claims: That workflows see; None: the caller has no token.
    """

    auth_id: str
    principal: str
    application_id: str
    public: bool = False
    key: str = ""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Json] | None = None


def read_config(document: Mapping[str, Any]) -> AuthConfig:
    """An ``auth`` document as the registry serves it, its keys as hashes."""
    keys = (_key(entry) for entry in document.get("apiKeys") or ())
    return AuthConfig(
        id=document["id"],
        scheme=document["authenticationType"],
        application_id=document.get("applicationId", ""),
        keys={key.hash: key for key in keys},
        tokens=read_rules(document["jwt"]) if document["authenticationType"] == "JWT" else None,
    )


def _key(entry: Mapping[str, Any]) -> Key:
    hashed = entry["hash"]
    name = entry.get("name") or hashed[:8]
    return Key(name, entry.get("actsAs") or name, hashed, _moment(entry.get("expiresAt")))


def _moment(written: str | float | None) -> float | None:
    """ISO 8601 with its zone, or milliseconds since 1970, as an author may write them."""
    if written is None:
        return None
    if isinstance(written, str):
        return datetime.fromisoformat(written).timestamp()
    return written / 1000
