"""Answers that a client does not take: how much of one is left, and since when."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unread:
    """So many bytes are written and not taken; the number is the same since then."""

    size: int = 0
    since: float = 0.0

    def seen_again(self, size: int, now: float) -> Unread:
        """What is known once ``size`` bytes are seen to be left."""
        return self if self.size == size else Unread(size, now)

    def for_too_long(self, seconds: float, now: float) -> bool:
        """Whether there is something of which nothing was taken for ``seconds``."""
        return self.size > 0 and now - self.since >= seconds


NOTHING = Unread()


def left_in(transport: asyncio.WriteTransport) -> int:
    """How many bytes the client has not acknowledged; 0 as well where the system has the rest."""
    size = transport.get_write_buffer_size()
    if size:
        # The buffer of the system is large, and asks for more only when much of it is free: by
        # this one alone, a slow reader would be taken for none.
        with suppress(OSError):
            size += _left_in_system(transport.get_extra_info("socket").fileno())
    return size


def _left_in_system(descriptor: int) -> int:
    told = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(told, sys.byteorder)
