"""What callers ask of executions, one at a time: start, attach, act."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from podium.executor.v1 import executor_pb2 as pb
from services.access import Principal
from services.auditing import calling
from services.errors import ServiceError
from services.executor.actors import Reply, Told
from services.executor.answers import Answer
from services.executor.core.events import Event, TaskUpdated
from services.executor.documents import LARGE_CHARS
from services.executor.echoed import echo_mask, masked
from services.executor.large_starts import Leave
from services.executor.results import Waiter, result_of, sendable, standing_of
from services.executor.runtime import Runtime
from services.executor.seeing import EXECUTE, WORKFLOW, Seeing
from services.executor.snapshots import Snapshot
from services.executor.starting import Starting, speaking

LONGEST_WAIT = timedelta(seconds=300)

Waits = Callable[[Told, Sequence[str], timedelta], Awaitable[pb.Result]]
"""The result of an execution that stood as told, or after a while where it stands."""


class Calls:
    """Answers single calls from the engine."""

    def __init__(self, runtime: Runtime, starting: Starting, seeing: Seeing) -> None:
        self._runtime = runtime
        self._starting = starting
        self._seeing = seeing
        self._large = runtime.large_starts

    def attach(self, request: pb.Attach, caller: Principal, reply: Reply) -> None:
        """Ask how an execution stands, if the caller may execute its workflow.

        Raises:
            InvalidRequest: The caller may not speak for whom it names.
            PermissionDenied: There is no workflow that it may execute.
        """
        principal = speaking(caller, request.on_behalf_of)
        self._seeing.sights.of(principal, EXECUTE, WORKFLOW)

        def checked(told: Told | ServiceError) -> None:
            try:
                if isinstance(told, Told):
                    execution = told.after
                    workflow = execution.workflow
                    if not self._seeing.may_start(principal, workflow.name, workflow.version):
                        self._seeing.check(principal, EXECUTE, execution.id, workflow.name)
            except ServiceError as error:
                told = error
            reply(told)

        self._runtime.engine.tell(request.execution_id, None, checked)

    async def start(self, request: pb.Start, caller: Principal) -> Told:
        """Start, once it is stored. Raises a :class:`ServiceError`."""
        chars = len(request.input)
        if chars < LARGE_CHARS:
            return await self._begun(request, caller)
        with self._large.holding(chars, request.on_behalf_of or caller.application_id):
            return await self._begun_in_turn(request, caller)

    async def _begun_in_turn(self, request: pb.Start, caller: Principal) -> Told:
        async with self._large.working(len(request.input)) as leave:
            return await self._begun(request, caller, leave)

    async def _begun(
        self, request: pb.Start, caller: Principal, leave_work: Leave | None = None
    ) -> Told:
        given = None
        if self._starting.is_slow(request):
            given = await self._starting.prepared(request)
        defined = None
        if request.workflow_definition:
            defined = await self._starting.defined(request, caller)
        order = self._starting.order(request, caller, given, defined)
        answer = Answer()
        leave = self._runtime.entrance.start(order, answer)
        if order.slot is not None and leave_work is not None:
            # It may wait for long, and what does so is bounded there.
            leave_work()
        try:
            return await answer.told()
        finally:
            # Whoever asked is gone, perhaps: what still waits for a slot does not begin.
            leave()

    async def run(
        self, request: pb.Start, caller: Principal, wait: timedelta, waiting: Waits | None = None
    ) -> pb.Result:
        """The result, or after ``wait`` where the execution stands.

        Args:
            waiting: Waits for it otherwise than until it has ended or an awaited task has.
        """
        chars, waits = len(request.input), waiting or self._result
        if chars < LARGE_CHARS:
            return await self._run(request, self._begun(request, caller), wait, waits)
        # The request is there for as long as its call goes on.
        with self._large.holding(chars, request.on_behalf_of or caller.application_id):
            return await self._run(request, self._begun_in_turn(request, caller), wait, waits)

    async def _run(
        self, request: pb.Start, begun: Awaitable[Told], wait: timedelta, waits: Waits
    ) -> pb.Result:
        told = await begun
        refs = request.await_refs if told.refs is None else told.refs
        is_known = told.refs is not None
        replayed = is_known and result_of(told.after, told.origin, refs) is not None
        waiting = waits(told, refs, wait)
        # Whoever waits keeps nothing of it.
        del told
        result = await waiting
        if replayed:
            result.replayed = True
        return result

    async def attached(
        self, request: pb.Attach, caller: Principal, wait: timedelta, waiting: Waits | None = None
    ) -> pb.Result:
        """As :meth:`run`, of an execution that is there."""
        waits = waiting or self._result
        return await waits(await self._attached_to(request, caller), request.await_refs, wait)

    async def _attached_to(self, request: pb.Attach, caller: Principal) -> Told:
        answer = Answer()
        self.attach(request, caller, answer)
        return await answer.told()

    async def tell(
        self, execution_id: str, event: Event | None, snapshot: Snapshot | None = None
    ) -> Told:
        """What became of ``event``, once it is stored. Raises a :class:`ServiceError`."""
        if isinstance(event, TaskUpdated) and self._runtime.handing_off.has_secrets():
            event = await self._masked(execution_id, event)
        answer = Answer()
        self._runtime.engine.tell(execution_id, event, answer, snapshot, calling.current.get())
        return await answer.told()

    async def _masked(self, execution_id: str, event: TaskUpdated) -> TaskUpdated:
        """``event`` as whoever was given the task's secrets may say it."""
        if event.output is None and not event.reason and not event.logs:
            return event
        execution = (await self.tell(execution_id, None)).after
        task = execution.tasks.get(event.ref or execution.refs.get(event.task_id, ""))
        if task is None:
            return event
        return masked(event, echo_mask(execution, task, self._runtime.handing_off))

    async def _result(self, told: Told, refs: Sequence[str], wait: timedelta) -> pb.Result:
        result = result_of(told.after, told.origin, refs)
        if result is not None:
            return sendable(result)
        execution_id = told.after.id
        # For as long as it waits, nothing of what the execution holds is kept.
        del told
        future: asyncio.Future[pb.Result] = asyncio.get_running_loop().create_future()

        def deliver(result: pb.Result) -> None:
            # Whoever asked may be gone, and leaves the waiters only in its next turn.
            if not future.done():
                future.set_result(result)

        waiter = Waiter(tuple(refs), deliver)
        self._runtime.waiters.wait(execution_id, waiter)
        try:
            async with asyncio.timeout(min(wait, LONGEST_WAIT).total_seconds()):
                return sendable(await future)
        except TimeoutError:
            stands = await self.tell(execution_id, None)
            return standing_of(stands.after, stands.origin)
        finally:
            self._runtime.waiters.leave(execution_id, waiter)
