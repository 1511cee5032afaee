"""Ids that nobody else has: of requests, and of executions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_ID_BYTES = 16
_IDS_AT_ONCE = 256
# All but version and variant are free; the variant is RFC 9562's.
_FREE_BITS = ~(0xF << 76 | 0x3 << 62)
_VERSION_4, _VERSION_7 = (version << 76 | 0x2 << 62 for version in (4, 7))
_TIME_BITS = 80
_NANOSECONDS = 1_000_000
_MOST_MILLISECONDS = (1 << 48) - 1


class RandomIds:
    """Makes random UUIDs as text (version 4, RFC 9562 §5.4); not for several threads.

    The system is asked for many at a time: ``uuid.uuid4`` takes four times as long, and every
    request needs one.
    """

    def __init__(self) -> None:
        self._random = b""
        self._at = 0

    def __call__(self) -> str:
        if self._at == len(self._random):
            self._random, self._at = os.urandom(_ID_BYTES * _IDS_AT_ONCE), 0
        end = self._at + _ID_BYTES
        number = int.from_bytes(self._random[self._at : end], "big")
        self._at = end
        return _text(number & _FREE_BITS | _VERSION_4)


def new_execution_id(clock: Callable[[], int] = time.time_ns) -> str:
    """A UUID that begins with the time in milliseconds (version 7, RFC 9562 §5.7).

    What the executor stores of executions that begin one after the other is side by side then; the
    74 bits behind the time are random.

    Args:
        clock: Nanoseconds since the epoch.
    """
    milliseconds = clock() // _NANOSECONDS & _MOST_MILLISECONDS
    random = int.from_bytes(os.urandom(_TIME_BITS // 8), "big")
    return _text((milliseconds << _TIME_BITS | random) & _FREE_BITS | _VERSION_7)


def _text(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
