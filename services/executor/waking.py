"""Letters to executions that are not in memory: of those few at once are read for one.

After a restart, or when very many timers are due, all others would only wait for the disk in
memory.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from services.executor.actors import Letter

MOST_AT_ONCE = 256


class Waking:
    """Delivers letters that nobody waits for.

    Args:
        known: Whether an execution is in memory.
        deliver: Gives it a letter, and reads it for that where it is not.
    """

    def __init__(
        self,
        known: Callable[[str], bool],
        deliver: Callable[[str, Letter], None],
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._known = known
        self._deliver = deliver
        self._most = most
        self._later: deque[tuple[str, Letter]] = deque()
        # How many of those are for whom.
        self._waiting: Counter[str] = Counter()
        # Until they rest, or wait for something but the disk.
        self._woken: set[str] = set()

    def send(self, execution_id: str, letter: Letter) -> None:
        """Deliver ``letter``: at once to who is in memory, else in its turn.

        None overtakes another one for the same execution.
        """
        if self._known(execution_id) and not self._waiting[execution_id]:
            self._deliver(execution_id, letter)
        else:
            self._later.append((execution_id, letter))
            self._waiting[execution_id] += 1
            self._wake_more()

    def make_way(self, execution_id: str) -> None:
        """Whatever that one does next, others need not wait for it."""
        if execution_id in self._woken:
            self._woken.remove(execution_id)
            self._wake_more()

    def _wake_more(self) -> None:
        while self._later and len(self._woken) < self._most:
            execution_id, letter = self._later.popleft()
            self._waiting[execution_id] -= 1
            if not self._waiting[execution_id]:
                del self._waiting[execution_id]
            if not self._known(execution_id):
                self._woken.add(execution_id)
            self._deliver(execution_id, letter)
