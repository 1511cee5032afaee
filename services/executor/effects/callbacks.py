"""One-time callback URLs: the token in them says which attempt is meant, and until when."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_CLAIM = 16 + 16 + 8
_MAC = 32
# 72 bytes are a whole number of base64 groups: no padding to leave out, one spelling only.
_LENGTH = (_CLAIM + _MAC) // 3 * 4


@dataclass(frozen=True, slots=True)
class CallbackClaim:
    """What a token says. That the attempt still waits, it cannot say.

    Attributes:
        expires_at: To the millisecond.
    """

    execution_id: str
    task_id: str
    expires_at: datetime


class CallbackTokens:
    """Makes tokens and reads them.

    A token is 96 letters, safe in a URL: execution id, task id, expiry, and their HMAC-SHA256.
    The same claim gives the same token, so that a request sent again carries the same URL.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a key of callback tokens has 32 bytes at least")
        self._key = key

    def mint(self, execution_id: str, task_id: str, expires_at: datetime) -> str:
        """The token of an attempt.

        Raises:
            ValueError: An id is no UUID in its usual spelling.
        """
        expiry = (expires_at - _EPOCH) // _MILLISECOND
        claim = _uuid(execution_id).bytes + _uuid(task_id).bytes + expiry.to_bytes(8)
        return urlsafe_b64encode(claim + self._mac(claim)).decode()

    def read(self, token: str, now: datetime) -> CallbackClaim | None:
        """What ``token`` says; None where this key did not sign it or it has expired."""
        if len(token) != _LENGTH:
            return None
        try:
            signed = urlsafe_b64decode(token)
        except (NotBase64, ValueError):
            return None
        if urlsafe_b64encode(signed).decode() != token:
            # '+' and '/' are read as '-' and '_' are; a token has one spelling.
            return None
        claim, mac = signed[:_CLAIM], signed[_CLAIM:]
        if not hmac.compare_digest(mac, self._mac(claim)):
            return None
        expires_at = _EPOCH + int.from_bytes(claim[32:]) * _MILLISECOND
        if now >= expires_at:
            return None
        return CallbackClaim(str(UUID(bytes=claim[:16])), str(UUID(bytes=claim[16:32])), expires_at)

    def _mac(self, claim: bytes) -> bytes:
        return hmac.digest(self._key, b"podium callback 1\0" + claim, "sha256")


def _uuid(text: str) -> UUID:
    uuid = UUID(text)
    if str(uuid) != text:
        raise ValueError(f"{text!r} is not a UUID in its usual spelling")
    return uuid
