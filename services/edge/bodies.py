"""Reading a request's body: all of it, within its limits, and without holding up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from services.edge.call import Call, Gone
from services.edge.problems import Problem

# Whoever sends a byte now and then is not idle, and must come to an end too.
_LONGEST_SECONDS = 300.0
# To parse more than this would hold up every other request for too long.
PARSED_ASIDE_BYTES = 64 * 1024

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a body may be, and how long its sender may say nothing.

    Attributes:
        advice: What those are told whose body is larger, where they may know more than strangers.
    """

    most_bytes: int = 10 * 1024 * 1024
    idle_seconds: float = 10.0
    advice: str = ""


async def read_body(call: Call, limits: BodyLimits) -> bytes:
    """The whole body.

    Raises:
        Problem: 413 beyond its size, at the first sign of it; 408 when it stops coming.
        Gone: The client left before its end.
    """
    announced = call.header.get(b"content-length")
    if announced is not None and int(announced) > limits.most_bytes:
        raise _too_large(limits)
    if announced is None and b"transfer-encoding" not in call.header:
        return b""
    if call.cycle.body_is_here:
        piece, _ = await _received(call)
        if len(piece) > limits.most_bytes:
            raise _too_large(limits)
        return piece
    pieces, left, more = [], limits.most_bytes, True
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            while more:
                piece, more = await _next(call, limits)
                left -= len(piece)
                if left < 0:
                    raise _too_large(limits)
                pieces.append(piece)
    except TimeoutError:
        raise _slow() from None
    return b"".join(pieces)


async def aside(size: int, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``parse`` makes of a body of ``size`` bytes; in a thread of its own if it is large."""
    if size > PARSED_ASIDE_BYTES:
        return await asyncio.to_thread(parse, *args, **kwargs)
    return parse(*args, **kwargs)


async def _next(call: Call, limits: BodyLimits) -> tuple[bytes, bool]:
    """The next piece, and whether there are more."""
    async with asyncio.timeout(limits.idle_seconds):
        return await _received(call)


async def _received(call: Call) -> tuple[bytes, bool]:
    message = await call.receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


def _too_large(limits: BodyLimits) -> Problem:
    said = f"A body here holds {limits.most_bytes} bytes at most."
    return Problem("body-too-large", f"{said} {limits.advice}".rstrip())


def _slow() -> Problem:
    # What comes later would be taken for the next request.
    return Problem("request-timeout", headers=((b"connection", b"close"),))
