"""Secrets at rest and on the way: sealed with keys from a file.

The file holds a key a line: the first one seals, all of them open. It is read again when it has
changed, so that a key can take the place of another while the suite runs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from services.process import StartupError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

logger = logging.getLogger(__name__)

# Before keys had names in what they sealed.
_UNNAMED = "v1."
_VERSION = "v2."
_SEALED = re.compile(r"(v2\.([0-9a-f]{8})\.|v1\.)([A-Za-z0-9_=-]+)")
_NONCE_BYTES = 12
_ID_BYTES = 4
MIN_KEY_BYTES = 32
_LINE = re.compile(rb"[\x20-\x7e]{32,}")
_BASE64 = b"base64:"


class Unsealable(Exception):
    """The text was sealed with another key, was changed, or never was sealed."""


class SealingKey:
    """One key.

    Attributes:
        id: Eight hex digits that say which it is, and nothing of what it is.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id = self._derived(b"podium key id", _ID_BYTES).hex()
        self.named = self._derived(b"podium naming", 32)

    @cached_property
    def cipher(self) -> AESGCM:
        """AES-256-GCM (NIST SP 800-38D), whatever the length of the key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._derived(b"podium sealing", 32))

    def _derived(self, purpose: bytes, size: int) -> bytes:
        return hashlib.blake2b(self._key, person=purpose, digest_size=size).digest()


class Sealer:
    """Seals text with the first of its keys, and opens what any of them sealed.

    Two seals of one text differ.

    Args:
        keys: Each of any length from 32 bytes.
        path: The file that they came from, which is read again once it is another one.
        seen: Which one it was then.
    """

    def __init__(self, *keys: bytes, path: Path | None = None, seen: tuple[int, ...] = ()) -> None:
        self._path, self._seen = path, seen
        self._keys = tuple(map(SealingKey, keys))
        # Not in the file any more, though something may still need them.
        self._leaving: tuple[SealingKey, ...] = ()

    @property
    def key_id(self) -> str:
        """Of the key that seals."""
        return self._keys[0].id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Of all keys in the file, in its order."""
        return tuple(each.id for each in self._keys)

    def named(self, *words: str) -> bytes:
        """32 bytes that only the first key tells, the same for the same ``words``."""
        text = json.dumps(words).encode("ascii")
        return hashlib.blake2b(text, key=self._keys[0].named, digest_size=32).digest()

    def seal(self, text: str) -> str:
        """``text``, readable only with the first key; ASCII without spaces."""
        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        head = f"{_VERSION}{key.id}."
        return _written(head, nonce + key.cipher.encrypt(nonce, _encoded(text), head.encode()))

    def open(self, sealed: str) -> str:
        """What :meth:`seal` was given.

        Raises:
            Unsealable: None of the keys or the text is not the one.
        """
        found = _SEALED.fullmatch(sealed)
        if found is None:
            raise Unsealable("This is not a sealed text.")
        head, key_id, text = found.groups()
        if key_id and key_id not in self._known():
            # Who sealed it may have read the file a moment before.
            self.refresh()
        for key in (*self._keys, *self._leaving):
            if key_id in (None, key.id) and (opened := _opened(key, head, text)) is not None:
                return opened
        raise Unsealable("The text was sealed with another key, or was changed.")

    def resealed(self, sealed: str) -> str:
        """``sealed`` by the first key; itself where it is. Raises :class:`Unsealable`."""
        return sealed if sealed_by(sealed) == self.key_id else self.seal(self.open(sealed))

    def refresh(self) -> bool:
        """Read the file again if it is another one; whether there are other keys now."""
        stamp = _stamp(self._path)
        if self._path is None or stamp == self._seen:
            return False
        self._seen = stamp
        try:
            keys = tuple(map(SealingKey, keys_in(self._path)))
        except StartupError as error:
            logger.error("%s The keys stay as they were.", error)
            return False
        return self._take(keys)

    def _take(self, keys: tuple[SealingKey, ...]) -> bool:
        before, ids = self._keys, {each.id for each in keys}
        if ids.isdisjoint(self.key_ids):
            logger.error(
                "%s holds none of the keys that secrets are sealed with: put the new one before "
                "the old one. The keys stay as they were.", self._path
            )  # fmt: skip
            return False
        left = (each for each in (*self._leaving, *before) if each.id not in ids)
        self._leaving = tuple({each.id: each for each in left}.values())
        self._keys = keys
        return [each.id for each in before] != [each.id for each in keys]

    def forget(self) -> None:
        """Let go of keys that are not in the file: nothing needs them any more."""
        self._leaving = ()

    def _known(self) -> set[str]:
        return {each.id for each in (*self._keys, *self._leaving)}


def sealed_by(sealed: str) -> str:
    """The id of the key that sealed a text; empty where it does not say."""
    found = _SEALED.fullmatch(sealed)
    return (found and found[2]) or ""


def _opened(key: SealingKey, head: str, text: str) -> str | None:
    from cryptography.exceptions import InvalidTag

    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        if head + text != _written(head, raw):
            # The bits of the last character that no byte has are none of the text.
            return None
        nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return _decoded(key.cipher.decrypt(nonce, rest, head.encode()))
    except (InvalidTag, binascii.Error, ValueError):
        return None


def _written(head: str, sealed: bytes) -> str:
    return head + base64.urlsafe_b64encode(sealed).decode()


def _encoded(text: str) -> bytes:
    # A lone surrogate, which JSON can hold, has no UTF-8 of its own.
    return text.encode("utf-8", "surrogatepass")


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def sealer_of(path: Path) -> Sealer:
    """What seals with the keys in ``path``. Raises :class:`StartupError`."""
    # Before the file is read: what changes meanwhile is seen afterwards.
    seen = _stamp(path)
    return Sealer(*keys_in(path), path=path, seen=seen)


def keys_in(path: Path) -> Sequence[bytes]:
    """The keys in ``path``: one in each line; else all of it is one.

    A line may be ``base64:`` and a key of any bytes.

    Raises:
        StartupError: As from :func:`read_key`; or a line's base64 is none.
    """
    whole = read_key(path)
    lines = [line.strip() for line in whole.splitlines() if line.strip()]
    # A key of any bytes may have some that end lines.
    if not all(map(_LINE.fullmatch, lines)):
        return (whole,)
    try:
        return tuple(dict.fromkeys(map(_read_line, lines)))
    except ValueError:
        raise StartupError(f"A line of the key file {path} is no base64.") from None


def key_line(key: bytes) -> str:
    """``key`` as a line of the file."""
    if _LINE.fullmatch(key) and not key.startswith(_BASE64) and key == key.strip():
        return key.decode("ascii")
    return (_BASE64 + base64.b64encode(key)).decode("ascii")


def _read_line(line: bytes) -> bytes:
    if not line.startswith(_BASE64):
        return line
    return base64.b64decode(line.removeprefix(_BASE64), validate=True)


def read_key(path: Path) -> bytes:
    """What is in ``path``, without the white space around it.

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


def _stamp(path: Path | None) -> tuple[int, ...]:
    """What changes whenever the file is another one."""
    try:
        found = path.stat() if path else None
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else ()
