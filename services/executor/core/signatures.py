"""Signatures as Standard Webhooks has them: who knows the secret can tell who sent a request."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
_MOST_KEYS = 10


class NoKey(ValueError):
    """A text holds no key to sign with. The message says why, and nothing of the text."""


def keys_of(text: str) -> tuple[bytes, ...]:
    """The keys in a secret's text: one ``whsec_…``, or several between spaces.

    Raises:
        NoKey: One of them is none, or there is none, or more than ten.
    """
    words = text.split()
    if not 1 <= len(words) <= _MOST_KEYS:
        raise NoKey(f"it holds {len(words)} keys, not 1 to {_MOST_KEYS}")
    return tuple(_key(word, number) for number, word in enumerate(words, 1))


def _key(word: str, number: int) -> bytes:
    if not word.startswith(PREFIX):
        raise NoKey(f"its key {number} does not begin with {PREFIX}")
    encoded = word.removeprefix(PREFIX)
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (NotBase64, ValueError):
        raise NoKey(f"its key {number} is not {PREFIX} and base64") from None
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise NoKey(f"its key {number} has {len(key)} bytes, not {_SHORTEST_KEY} to {_LONGEST_KEY}")
    return key


def signed(keys: Sequence[bytes], delivery_id: str, at: int, body: bytes) -> Mapping[str, str]:
    """The headers that go with ``body``.

    Args:
        at: When it is sent, in seconds since the epoch.
    """
    text = f"{delivery_id}.{at}.".encode() + body
    signatures = (b64encode(hmac.digest(key, text, "sha256")).decode() for key in keys)
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
