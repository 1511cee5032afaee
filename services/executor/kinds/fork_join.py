"""FORK_JOIN: several branches side by side; the JOIN behind it waits for them."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, View


class ForkJoin(Kind):
    """Is COMPLETED at once; its branches begin, and so does the JOIN that follows it."""

    retried = False

    def begin(self, view: View) -> Next:
        return Finished(enter=tuple(view.step.blocks), detached=True)
