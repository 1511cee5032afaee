"""FORK_JOIN: several branches side by side; the JOIN behind it waits for them."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, View, unusable

MOST_BRANCHES = 100_000


class ForkJoin(Kind):
    """Is COMPLETED at once; its branches begin, and so does the JOIN that follows it."""

    retried = False

    def __init__(self, most: int = MOST_BRANCHES) -> None:
        self._most = most

    def begin(self, view: View) -> Next:
        if len(view.step.blocks) > self._most:
            return unusable(too_many(len(view.step.blocks), self._most))
        return Finished(enter=tuple(view.step.blocks), detached=True)


def too_many(branches: int, most: int) -> str:
    """Why a fork does not begin."""
    return (
        f"It would have {branches:,} branches, and {most:,} are allowed "
        "(PODIUM_EXECUTOR_BRANCHES); a loop or sub-workflows can take them in parts."
    )
