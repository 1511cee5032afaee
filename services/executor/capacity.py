"""How many executions have not ended, in all and of each workflow: beyond a number none begins.

What runs goes on whatever stands here: the children that it starts, and what operators have run
again, are counted and not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.errors import Overloaded

MOST_OPEN = 1_000_000
# In memory each is some 400 bytes.
MOST_WAITING_TASKS = 500_000


class Capacity:
    """Counts executions that have not ended.

    Args:
        open_of: By workflow, how many the store has.
        waiting: How many tasks wait for a worker.
        most: In all.
        most_each: Of one workflow; 0: as many as in all.
        most_waiting: Of those tasks.
    """

    def __init__(
        self,
        open_of: Mapping[str, int],
        waiting: Callable[[], int] = lambda: 0,
        *,
        most: int = MOST_OPEN,
        most_each: int = 0,
        most_waiting: int = MOST_WAITING_TASKS,
    ) -> None:
        self._open_of = dict(open_of)
        self._waiting = waiting
        self._most, self._most_each, self._most_waiting = most, most_each, most_waiting
        self.open = sum(self._open_of.values())

    def open_of(self, workflow: str) -> int:
        """How many of ``workflow`` have not ended."""
        return self._open_of.get(workflow, 0)

    def count(self, workflow: str, change: int) -> None:
        """So many more executions have not ended, or fewer."""
        self.open += change
        count = self._open_of.get(workflow, 0) + change
        if count:
            self._open_of[workflow] = count
        else:
            self._open_of.pop(workflow, None)

    def refusal(self, workflow: str) -> Overloaded | None:
        """Why no execution of ``workflow`` may begin; None: it may."""
        if self.open >= self._most:
            return _full(
                f"{self.open:,} executions have not ended, and {self._most:,} are the most: "
                "end some, or raise PODIUM_EXECUTOR_OPEN_EXECUTIONS.",
                "PODIUM_EXECUTOR_OPEN_EXECUTIONS",
            )
        if self._most_each and self.open_of(workflow) >= self._most_each:
            return _full(
                f"{self.open_of(workflow):,} executions of the workflow {workflow!r} have not "
                f"ended, and {self._most_each:,} are the most: end some, or raise "
                "PODIUM_EXECUTOR_OPEN_EXECUTIONS_OF_WORKFLOW.",
                "PODIUM_EXECUTOR_OPEN_EXECUTIONS_OF_WORKFLOW",
            )
        if (waiting := self._waiting()) >= self._most_waiting:
            return _full(
                f"{waiting:,} tasks wait for workers, and {self._most_waiting:,} are the most: "
                "have more workers, or raise PODIUM_EXECUTOR_WAITING_TASKS.",
                "PODIUM_EXECUTOR_WAITING_TASKS",
            )
        return None


def _full(detail: str, limit: str) -> Overloaded:
    return Overloaded(detail, limit=limit)
