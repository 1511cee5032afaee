"""Effects under way: begun after their commit, within the limits, cancelled with their attempt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from services.executor.admission import Lanes, host_of
from services.executor.core.commands import Perform
from services.executor.core.events import Event, Performed
from services.executor.core.http import HttpFailure
from services.executor.effects import Effect, HandOff
from services.tracing import Trace, span_of

logger = logging.getLogger(__name__)

Tell = Callable[[str, Event], None]
MakeHandOff = Callable[[str, str, datetime], HandOff]

_FAULT = "The call broke within the executor, whose log says how; its outcome is unknown."


@dataclass(slots=True, eq=False)
class _Call:
    """One effect, from its commit to its outcome; without a task, it waits for its turn."""

    execution_id: str
    perform: Perform
    scheduled_at: datetime
    trace: Trace | None
    task: asyncio.Task[None] | None = None


class Performing:
    """Does what :class:`Perform` commands ask for, and tells of the outcomes.

    Args:
        effects: By the name that the commands use.
        handing_off: What goes with the attempt (execution id, task id, when it was scheduled).
        tell: Told of each outcome.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        effects: Mapping[str, Effect],
        handing_off: MakeHandOff,
        tell: Tell,
        lanes: Lanes,
    ) -> None:
        self._tasks = tasks
        self._effects = effects
        self._handing_off = handing_off
        self._tell = tell
        self.lanes = lanes
        self._loop = asyncio.get_running_loop()
        self._calls: dict[str, _Call] = {}
        self._open = True

    def __len__(self) -> int:
        return len(self._calls)

    def begin(
        self,
        execution_id: str,
        perform: Perform,
        scheduled_at: datetime,
        trace: Trace | None = None,
    ) -> None:
        """Do it when it may; what its attempt did before is cancelled.

        Args:
            trace: That of its execution.
        """
        self.cancel(perform.task_id)
        call = self._calls[perform.task_id] = _Call(execution_id, perform, scheduled_at, trace)
        host = host_of(perform.request)
        self.lanes.enter(host, partial(self._enter, call, host))

    def cancel(self, task_id: str) -> None:
        """Its attempt has ended otherwise; nobody wants the outcome."""
        call = self._calls.pop(task_id, None)
        if call is None:
            return
        if call.task is not None:
            call.task.cancel()
        else:
            # Its turn may be long in coming; what it would have sent may be large.
            call.perform = replace(call.perform, request=None)

    def close(self) -> None:
        """Cancel all; the store says that they were under way, and the next start goes on."""
        self._open = False
        for task_id in list(self._calls):
            self.cancel(task_id)

    def _enter(self, call: _Call, host: str) -> None:
        if self._open and self._calls.get(call.perform.task_id) is call:
            call.task = self._tasks.create_task(self._perform(call))
            # Not in the coroutine: one that is cancelled before it begins never runs.
            call.task.add_done_callback(lambda _: self.lanes.leave(host))
        else:
            # Not at once: whoever lets it in is not done counting.
            self._loop.call_soon(self.lanes.leave, host)

    async def _perform(self, call: _Call) -> None:
        perform, task_id = call.perform, call.perform.task_id
        event: Event
        try:
            effect = self._effects[perform.effect]
            handoff = self._handing_off(call.execution_id, task_id, call.scheduled_at)
            if call.trace is not None:
                handoff = replace(handoff, trace=call.trace.below(span_of(task_id)))
            event = Performed(
                task_id, perform.number, await effect.perform(perform.request, handoff)
            )
        except Exception:
            # The outermost loop of an effect: a fault of ours must not end every other one. The
            # same call would meet it again: whether it is made again is the policy's to say.
            logger.exception("The effect %r of task %s broke.", perform.effect, task_id)
            failure = HttpFailure(_FAULT, unknown=True, transient=False, duration=timedelta())
            event = Performed(task_id, perform.number, failure)
        if self._calls.get(task_id) is call:
            del self._calls[task_id]
            self._tell(call.execution_id, event)
