"""Keys that were sent with a trial, put out of sight in what is told of it. No IO."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from contextlib import suppress

MASK = "***"

# A shorter one is found in everything, and hides nothing.
_SHORTEST = 4
_SECRET = (b"x-api-key", b"authorization", b"proxy-authorization", b"cookie")


def secrets_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """What proves who calls, however it was sent; the longest first."""
    found: set[str] = set()
    for name, value in headers:
        if name in _SECRET:
            found |= {value.decode("utf-8", "replace")}
        if name in (b"authorization", b"proxy-authorization"):
            found |= _of_credentials(value)
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True))


def _of_credentials(value: bytes) -> set[str]:
    scheme, _, credentials = value.partition(b" ")
    parts = [credentials.strip()]
    if scheme.lower() == b"basic":
        # What is no Basic proves nothing, and holds nothing more.
        with suppress(binascii.Error):
            parts += base64.b64decode(parts[0], validate=True).partition(b":")[::2]
    return {part.decode("utf-8", "replace") for part in parts}


def masked(text: str, secrets: Iterable[str]) -> str:
    """``text`` with ``***`` for each of ``secrets``, as it is and as JSON writes it."""
    for secret in secrets:
        text = text.replace(secret, MASK).replace(json.dumps(secret)[1:-1], MASK)
    return text
