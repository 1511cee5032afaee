"""Keys of a few bytes for what callers send, however long that is. No IO."""

from __future__ import annotations

from hashlib import blake2b


def digest(*words: str, size: int = 16) -> bytes:
    """``size`` bytes that no other sequence of words has."""
    made = blake2b(digest_size=size)
    for word in words:
        written = word.encode("utf-8", "surrogatepass")
        made.update(b"%d:%b" % (len(written), written))
    return made.digest()
