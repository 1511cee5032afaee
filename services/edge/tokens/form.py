"""(pure) A token taken apart: header, claims and signature of a compact JWS (RFC 7515, 7.1)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

from services.edge.tokens.model import TokenRefused

LONGEST_BYTES = 8192

# Without padding, and nothing that a decoder would pass over.
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_LONGEST_KID = 512


@dataclass(frozen=True, slots=True)
class Token:
    """What was sent, none of it proven.

    Attributes:
        kid: "" where it names no key.
        typ: As written; "" without one.
        signed: What the signature is of.
    """

    algorithm: str
    kid: str
    typ: str
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parsed(sent: bytes) -> Token:
    """The token in its parts. Keys that its header has or points to are not looked at.

    Raises:
        TokenRefused: It is none.
    """
    found = _COMPACT.fullmatch(sent) if len(sent) <= LONGEST_BYTES else None
    if found is None:
        raise TokenRefused("It is no JWT: three parts of base64url, at most 8,192 bytes.")
    header, claims = _object(found[1], "header"), _object(found[2], "payload")
    if "crit" in header:
        # What it lists must be understood (RFC 7515, 4.1.11), and nothing is.
        raise TokenRefused("Its header has 'crit', and no extension is known here.")
    algorithm, kid, typ = (header.get(name, "") for name in ("alg", "kid", "typ"))
    if not (isinstance(algorithm, str) and isinstance(kid, str) and isinstance(typ, str)):
        raise TokenRefused("Its header has an 'alg', 'kid' or 'typ' that is no text.")
    if len(kid) > _LONGEST_KID:
        raise TokenRefused("Its 'kid' is longer than any.")
    return Token(algorithm, kid, typ, claims, sent[: found.end(2)], _decoded(found[3]))


def _object(part: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise TokenRefused(f"Its {what} is no JSON.") from None
    if not isinstance(value, dict):
        raise TokenRefused(f"Its {what} is no JSON object.")
    return value


def _decoded(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        raise TokenRefused("A part of it is no base64url.") from None
