"""Secrets at rest and on the way: sealed with a key from a file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path

from services.process import StartupError

_VERSION = "v1."
_NONCE_BYTES = 12
MIN_KEY_BYTES = 32


class Unsealable(Exception):
    """The text was sealed with another key, was changed, or never was sealed."""


class Sealer:
    """Seals text with AES-256-GCM (NIST SP 800-38D); two seals of one text differ.

    Args:
        key: Of any length from 32 bytes; what is used is derived from it.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        derived = hashlib.blake2b(key, person=b"podium sealing", digest_size=32)
        self._cipher = AESGCM(derived.digest())
        named = hashlib.blake2b(key, person=b"podium naming", digest_size=32)
        self._named = named.digest()

    def named(self, *words: str) -> bytes:
        """32 bytes that only the key tells, the same for the same ``words``."""
        text = json.dumps(words).encode("ascii")
        return hashlib.blake2b(text, key=self._named, digest_size=32).digest()

    def seal(self, text: str) -> str:
        """``text``, readable only with the key; ASCII without spaces."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, _encoded(text), _VERSION.encode())
        return _written(sealed)

    def open(self, sealed: str) -> str:
        """What :meth:`seal` was given.

        Raises:
            Unsealable: The key or the text is not the one.
        """
        from cryptography.exceptions import InvalidTag

        if not sealed.startswith(_VERSION):
            raise Unsealable("This is not a sealed text.")
        try:
            raw = base64.b64decode(sealed[len(_VERSION) :], altchars=b"-_", validate=True)
            if sealed != _written(raw):
                # The bits of the last character that no byte has are none of the text.
                raise ValueError("It is not as it was sealed.")
            nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return _decoded(self._cipher.decrypt(nonce, rest, _VERSION.encode()))
        except (InvalidTag, binascii.Error, ValueError):
            raise Unsealable("The text was sealed with another key, or was changed.") from None


def _written(sealed: bytes) -> str:
    return _VERSION + base64.urlsafe_b64encode(sealed).decode()


def _encoded(text: str) -> bytes:
    # A lone surrogate, which JSON can hold, has no UTF-8 of its own.
    return text.encode("utf-8", "surrogatepass")


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def read_key(path: Path) -> bytes:
    """The key in ``path``, without the white space around it.

    Raises:
        StartupError: It cannot be read, or is shorter than 32 bytes.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise StartupError(f"The key file {path} cannot be read: {error.strerror}.") from error
    if len(key) < MIN_KEY_BYTES:
        raise StartupError(
            f"The key in {path} has {len(key)} bytes; it needs at least {MIN_KEY_BYTES}, "
            "e.g. from: openssl rand -base64 32"
        )
    return key
