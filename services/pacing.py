"""When a stream's next message goes: with all that a tick of the loop has to say, not too often."""

from __future__ import annotations

import asyncio
from time import monotonic

# A gRPC message costs as much as a dozen of the frames in it. One after a pause goes at once; in
# a rush each carries what has come up in a millisecond.
SHORTEST_INTERVAL_SECONDS = 0.001


class Pace:
    """Lets the messages of one stream go."""

    def __init__(self) -> None:
        self._last = 0.0

    async def turn(self) -> None:
        """Return when the next message may go."""
        # Whoever else runs in this tick has his say before the message goes.
        await asyncio.sleep(0)
        early = self._last + SHORTEST_INTERVAL_SECONDS - monotonic()
        if early > 0:
            await asyncio.sleep(early)
        self._last = monotonic()
