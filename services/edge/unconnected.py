"""A request without a connection: what comes of it is given to others, who write their own."""

from __future__ import annotations

from collections.abc import Callable

from services.edge.call import Headers, Stream


class Unconnected:
    """In the place of :class:`services.edge.cycle.Cycle`: leaves like a client, writes nothing.

    Args:
        began: Seconds, monotonic; 0: how long those who wait have waited is their own.
    """

    def __init__(self, began: float = 0.0) -> None:
        self.on_gone: Callable[[], None] | None = None
        self.disconnected = False
        self.body_is_here = True
        self.began = began

    def gone(self) -> None:
        """Nobody waits any more: tell whoever works for the answer, once."""
        self.disconnected = True
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Nothing is written here."""

    async def stream(self, status: int, headers: Headers, stream: Stream) -> None:
        """Nothing is written here."""

    def break_off(self) -> None:
        """Nothing is written here."""
