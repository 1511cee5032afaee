"""API keys: in ``X-API-Key``, as a Bearer token, or as the password of Basic."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from services.edge.auth.model import AuthConfig, Caller, Key

_LONGEST_KEY = 4096


def authenticate(config: AuthConfig, headers: Mapping[bytes, bytes], now: float) -> Caller | None:
    """The caller whose key was sent, if the key is known and has not expired."""
    sent = presented(headers)
    if not sent:
        return None
    key = _found(config, sent)
    if key is None or _is_over(key, now):
        return None
    principal = f"key:{config.id}/{key.acts_as}"
    return Caller(config.id, principal, config.application_id, key=key.name)


def refusal(config: AuthConfig, headers: Mapping[bytes, bytes], now: float) -> str:
    """Why :func:`authenticate` lets nobody in: for operators, for it tells of keys."""
    sent = presented(headers)
    if not sent:
        return "No key was sent."
    key = _found(config, sent)
    if key is None:
        return f"The key is not one of auth {config.id!r}."
    if key.expires_at is not None and _is_over(key, now):
        at = datetime.fromtimestamp(key.expires_at, UTC)
        return f"The key {key.name!r} of auth {config.id!r} expired at {at:%Y-%m-%dT%H:%M:%SZ}."
    return ""


def _found(config: AuthConfig, sent: bytes) -> Key | None:
    # Found by its hash: how long that takes says something of the hash at most, and a key of
    # 256 random bits cannot be made to fit one.
    hashed = sha256(sent).hexdigest()
    key = config.keys.get(hashed)
    if key is None or not hmac.compare_digest(key.hash, hashed):
        return None
    return key


def _is_over(key: Key, now: float) -> bool:
    return key.expires_at is not None and now >= key.expires_at


def presented(headers: Mapping[bytes, bytes]) -> bytes:
    """The key in a request's headers, empty if there is none; ``X-API-Key`` comes first.

    Of ``Basic`` (RFC 7617) it is the password or, where that is empty, the user name.
    """
    given = headers.get(b"x-api-key")
    if given:
        return given[:_LONGEST_KEY]
    authorization = headers.get(b"authorization", b"")
    scheme, _, credentials = authorization.partition(b" ")
    match scheme.lower():
        case b"bearer":
            return credentials.strip()[:_LONGEST_KEY]
        case b"basic":
            user, password = basic(authorization) or (b"", b"")
            return password or user
    return b""


def basic(authorization: bytes) -> tuple[bytes, bytes] | None:
    """User name and password of ``Basic`` (RFC 7617); None where it is something else."""
    scheme, _, credentials = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        given = base64.b64decode(credentials.strip()[:_LONGEST_KEY], validate=True)
    except binascii.Error:
        return None
    user, _, password = given.partition(b":")
    return user, password
