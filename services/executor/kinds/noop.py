"""NOOP: ends at once, having done nothing."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, View


class Noop(Kind):
    """Ends COMPLETED."""

    def begin(self, view: View) -> Next:
        return Finished()
