"""Who waits until an execution stands still: until it has ended, or waits for somebody.

What it waits for may be in a sub-workflow: whoever waits follows all that run. They are looked at
once, when they are first heard of; after that, only what a commit has changed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict, NotFound, Overloaded
from services.executor.actors import Told
from services.executor.calls import LONGEST_WAIT, Calls
from services.executor.core.blocking import blocked, child_of, waits_for_somebody
from services.executor.core.model import Execution, Task
from services.executor.results import Waiter, Waiters, result_of, sendable, standing_of
from services.executor.signalling import MOST_LOOKED_AT, Signalled, Signalling

_MOST_AT_ONCE = 10_000
# Of those that one would follow, too, once it follows fewer.
_MOST_LATER = 10_000


class Standstills:
    """Waits; one that waits costs what it has to remember, and nothing else."""

    def __init__(
        self,
        waiters: Waiters,
        calls: Calls,
        signalling: Signalling,
        most_at_once: int = _MOST_AT_ONCE,
    ) -> None:
        self._waiters = waiters
        self._calls = calls
        self._signalling = signalling
        self._most_at_once = most_at_once
        self.waiting = 0

    async def wait(self, told: Told, refs: Sequence[str], wait: timedelta) -> pb.Result:
        """The result; ``blocked`` in it where a task waits; after ``wait`` where all stands.

        Raises:
            Overloaded: Too many wait.
            NotFound: The execution was deleted meanwhile.
        """
        if self.waiting >= self._most_at_once:
            raise Overloaded("Too many wait for executions that may wait for somebody.")
        execution_id = told.after.id
        # For as long as it waits, nothing of what the execution holds is kept.
        del told
        following = Following(self._waiters, execution_id, refs)
        self.waiting += 1
        try:
            async with asyncio.timeout(min(wait, LONGEST_WAIT).total_seconds()):
                return await self._stood(following)
        except TimeoutError:
            stands = await self._calls.tell(execution_id, None)
            return standing_of(stands.after, stands.origin)
        finally:
            self.waiting -= 1
            following.close()

    async def _stood(self, following: Following) -> pb.Result:
        while True:
            if following.result is not None:
                return sendable(following.result)
            if following.maybe_blocked:
                following.maybe_blocked = False
                if (result := await self._blocked(following)) is not None:
                    return sendable(result)
            elif following.unseen:
                await self._look(following, following.unseen.popleft())
            else:
                await following.something()

    async def _blocked(self, following: Following) -> pb.Result | None:
        """The result if a signal would meet a task now; None: it would not, any more."""
        try:
            found = await self._signalling.first_blocked(following.root)
        except Conflict:
            # It has ended: what it came to is told, or will be in a moment.
            return None
        if found is None:
            return None
        told = await self._calls.tell(following.root, None)
        result = result_of(told.after, told.origin, following.refs)
        return _at(found, standing_of(told.after, told.origin)) if result is None else result

    async def _look(self, following: Following, execution_id: str) -> None:
        """How one stands that is followed from now on."""
        try:
            told = await self._calls.tell(execution_id, None)
        except NotFound:
            if execution_id == following.root:
                raise
            following.drop(execution_id)
            return
        if execution_id == following.root:
            result = result_of(told.after, told.origin, following.refs)
            if result is not None:
                following.ended(result)
                return
        following.look(told.after)


def _at(found: Signalled, result: pb.Result) -> pb.Result:
    task = found.task
    result.blocked.execution_id = found.execution_id
    result.blocked.ref = task.ref
    result.blocked.task_id = task.id
    return result


class Following:
    """One execution and those that it waits for, as commits change them.

    Args:
        refs: Tasks of the root of which the first to end is the result.

    Attributes:
        result: Of the root, once there is one.
        maybe_blocked: A task has begun to wait for somebody; it may have ended since.
        unseen: Those that were not looked at yet.
    """

    def __init__(self, waiters: Waiters, root: str, refs: Sequence[str]) -> None:
        self.root = root
        self.refs = tuple(refs)
        self.result: pb.Result | None = None
        self.maybe_blocked = False
        self.unseen: deque[str] = deque()
        self._waiters = waiters
        self._wake = asyncio.Event()
        self._waiter = Waiter(self.refs, self.ended)
        waiters.wait(root, self._waiter)
        # By execution, those that wait for it: the root waits for nobody's sake.
        self._parents: dict[str, set[str]] = {}
        # Who waits for whom that there is no room to follow now, in order.
        self._later: dict[tuple[str, str], None] = {}
        self._follow(root)

    def close(self) -> None:
        """Follow nothing any more."""
        self._waiters.leave(self.root, self._waiter)
        for execution_id in list(self._parents):
            self._waiters.unfollow(execution_id, self)
        self._parents.clear()
        self._later.clear()

    async def something(self) -> None:
        """Until something is new."""
        await self._wake.wait()
        self._wake.clear()

    def ended(self, result: pb.Result) -> None:
        """That is what it came to."""
        self.result = result
        self._wake.set()

    def look(self, execution: Execution) -> None:
        """It stands so: what it waits for."""
        if execution.status.final:
            self.drop(execution.id)
            return
        for each in blocked(execution):
            if isinstance(each, str):
                self._waits_for(execution.id, each)
            else:
                self._found()

    def committed(self, execution: Execution, changed: Iterable[Task]) -> None:
        """As :class:`Follower` has it."""
        if execution.id not in self._parents:
            return
        if execution.status.final:
            self.drop(execution.id)
            return
        for task in changed:
            child = child_of(task)
            if task.status.final:
                if child:
                    self._waits_no_more(execution.id, child)
            elif waits_for_somebody(task):
                self._found()
            elif child:
                self._waits_for(execution.id, child)

    def drop(self, execution_id: str) -> None:
        """It has ended, or is gone; so it waits for nothing. The root is followed on."""
        if execution_id == self.root:
            return
        if self._parents.pop(execution_id, None) is not None:
            self._waiters.unfollow(execution_id, self)
        pending = [execution_id]
        while pending:
            parent = pending.pop()
            for child in [each for each, of in self._parents.items() if parent in of]:
                self._parents[child].discard(parent)
                if not self._parents[child]:
                    self._unfollow(child)
                    pending.append(child)
        self._take_in()

    def _found(self) -> None:
        self.maybe_blocked = True
        self._wake.set()

    def _follow(self, execution_id: str) -> None:
        self._parents[execution_id] = set()
        self._waiters.follow(execution_id, self)
        self.unseen.append(execution_id)
        self._wake.set()

    def _unfollow(self, execution_id: str) -> None:
        del self._parents[execution_id]
        self._waiters.unfollow(execution_id, self)

    def _waits_for(self, parent: str, child: str) -> None:
        # A signal looks at no more of them, either.
        if child not in self._parents and len(self._parents) < MOST_LOOKED_AT:
            self._follow(child)
        if child not in self._parents:
            if len(self._later) < _MOST_LATER:
                self._later[parent, child] = None
        elif child != self.root:
            self._parents[child].add(parent)

    def _take_in(self) -> None:
        """Follow those for whom there is room now."""
        while self._later and len(self._parents) < MOST_LOOKED_AT:
            parent, child = next(iter(self._later))
            del self._later[parent, child]
            if parent in self._parents:
                self._waits_for(parent, child)

    def _waits_no_more(self, parent: str, child: str) -> None:
        self._later.pop((parent, child), None)
        parents = self._parents.get(child)
        if parents is None or parent not in parents:
            return
        parents.discard(parent)
        if not parents:
            self.drop(child)
