"""What a session has to send: frames, in messages that are not too large.

A large result that many wait for is kept once; the frames that carry it are made as they are sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from podium.executor.v1 import executor_pb2 as pb
from services.executor.results import FRAME_BYTES, size_of

# A message holds 32 MiB at most: a single result, or several that have less together.
_MOST_BYTES_A_MESSAGE = 8 << 20
# A frame of its own costs less than to keep it apart.
_LARGE_BYTES = 4 << 10


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame that is to be.

    Attributes:
        kept: Bytes that are freed with it.
    """

    number: int
    result: pb.Result
    replayed: bool
    size: int
    kept: int


class Outbox:
    """Frames of one stream, in order.

    Attributes:
        unread: Bytes that are kept, roughly.
    """

    def __init__(self) -> None:
        self._frames: deque[pb.ServerFrame | _Waiting] = deque()
        self._size = 0
        self._large = 0
        self._last: pb.Result | None = None
        self._measured: tuple[pb.Result, int] | None = None
        self.unread = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def put(self, frame: pb.ServerFrame, size: int = FRAME_BYTES) -> None:
        """Add a small frame."""
        self._frames.append(frame)
        self._size += size
        self.unread += size

    def put_result(self, number: int, result: pb.Result, *, replayed: bool) -> None:
        """Add a frame with ``result``, which nobody changes from now on."""
        size = self.size_of(result)
        if size <= _LARGE_BYTES:
            self.put(_frame(number, result, replayed=replayed), size)
            return
        kept = FRAME_BYTES if self._last is result else size
        self._last = result
        self._frames.append(_Waiting(number, result, replayed, size, kept))
        self._size += size
        self._large += 1
        self.unread += kept

    def size_of(self, result: pb.Result) -> int:
        """Roughly the bytes of a frame with ``result``; counted once for those in a row."""
        if self._measured is None or self._measured[0] is not result:
            self._measured = result, size_of(result)
        return self._measured[1]

    def clear(self) -> None:
        self._frames.clear()
        self._size = self._large = self.unread = 0
        self._last = self._measured = None

    def next_message(self) -> pb.SessionResponse:
        """The first frames, as many as one message takes."""
        message, size = pb.SessionResponse(), 0
        if self._size <= _MOST_BYTES_A_MESSAGE and not self._large:
            message.frames.extend(cast("Iterable[pb.ServerFrame]", self._frames))
            self.clear()
            return message
        while self._frames:
            first = self._frames[0]
            more = first.size if isinstance(first, _Waiting) else _size_of_small(first)
            # None but a first one is put where it might make a message too large.
            if size and size + more > _MOST_BYTES_A_MESSAGE:
                return message
            size += more
            self._move_first(message)
        self.clear()
        return message

    def _move_first(self, message: pb.SessionResponse) -> None:
        first = self._frames.popleft()
        if isinstance(first, _Waiting):
            message.frames.append(_frame(first.number, first.result, replayed=first.replayed))
            self._large -= 1
            self._size -= first.size
            self.unread -= first.kept
        else:
            message.frames.append(first)
            size = _size_of_small(first)
            self._size -= size
            self.unread -= size


def _frame(number: int, result: pb.Result, *, replayed: bool) -> pb.ServerFrame:
    frame = pb.ServerFrame(correlation_id=number, result=result)
    if replayed:
        frame.result.replayed = True
    return frame


def _size_of_small(frame: pb.ServerFrame) -> int:
    return size_of(frame.result) if frame.HasField("result") else FRAME_BYTES
