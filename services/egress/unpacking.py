"""What an answer's body is when its ``Content-Encoding`` is taken off, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Callable

_PACKINGS = frozenset(("gzip", "x-gzip", "deflate"))
# Honest servers use one; each may unpack to the limit, or to itself.
_MOST_CODINGS = 4
# Streams one after another, as block compressors and joined files have them. An empty one has 20
# bytes and counts against no size.
_MOST_STREAMS = 10_000
# What follows a stream's end is copied with its last piece.
_PIECE = 16 << 10


class NotReadable(Exception):
    """The answer's body cannot be unpacked. The message goes on after "sent "."""


def unpacked(
    body: bytes, encoding: str, limit: int, given_up: Callable[[], bool] = lambda: False
) -> bytes | None:
    """``body`` without its ``Content-Encoding``; None where that is more than ``limit`` bytes.

    Args:
        given_up: Asked again and again; once it says yes, the rest is left.

    Raises:
        NotReadable: It is not packed so, or in a way that is not known here, or was given up.
    """
    codings = [each.strip().lower() for each in encoding.split(",")]
    if len(codings) > _MOST_CODINGS:
        raise NotReadable(f"a body packed more than {_MOST_CODINGS} times over")
    for coding in reversed(codings):
        if coding in _PACKINGS:
            unwrapped = _inflated(body, limit, given_up)
            if unwrapped is None:
                return None
            body = unwrapped
        elif coding not in ("", "identity"):
            raise NotReadable(f"a body packed as {coding[:40]}, which it was not asked for")
    return body


def _inflated(body: bytes, limit: int, given_up: Callable[[], bool]) -> bytes | None:
    parts: list[bytes] = []
    size = streams = 0
    stream, rest = None, memoryview(body)
    while rest:
        if given_up():
            raise NotReadable("a body that takes too long to unpack")
        if stream is None:
            stream, streams = _stream(rest[0]), streams + 1
            if streams > _MOST_STREAMS:
                raise NotReadable(f"a body packed in more than {_MOST_STREAMS:,} pieces")
        piece = rest[:_PIECE]
        try:
            parts.append(stream.decompress(piece, limit - size + 1))
        except zlib.error as error:
            raise NotReadable("a body that is not packed as it says") from error
        size += len(parts[-1])
        if size > limit:
            return None
        rest = rest[len(piece) - len(stream.unused_data) :]
        if stream.eof:
            stream = None
    if stream is not None:
        raise NotReadable("a packed body without its end")
    return b"".join(parts)


def _stream(first: int) -> zlib._Decompress:
    # RFC 9110, 8.4.1.2: deflate means zlib's format; some send it without its header.
    bare = first & 0x0F != 8 and first != 0x1F
    return zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
