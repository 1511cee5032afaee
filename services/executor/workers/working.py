"""What workers say of the tasks that they have, checked and told to the executions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from podium.worker.v1 import worker_pb2 as pb
from services.access import Principal, require, tags_of
from services.errors import InvalidRequest, NotFound, PermissionDenied, ServiceError
from services.executor.actors import Reply, Told
from services.executor.core.attempts import OWN_TURN
from services.executor.core.events import TaskUpdated
from services.executor.core.isolation import isolation_of
from services.executor.core.model import Execution, Json, Task, TaskStatus
from services.executor.core.scope import shown_kind
from services.executor.core.turns import kind_of, queue_of
from services.executor.documents import LARGE_CHARS
from services.executor.echoed import echo_mask
from services.executor.effects.handoff import NotHandedOver
from services.executor.effects.masking import Mask
from services.executor.handingoff import HandingOff
from services.executor.kinds import KINDS
from services.executor.queues import Queues
from services.executor.runtime import Runtime
from services.executor.texts import short
from services.executor.workers.handing import StepTexts, details, handed
from services.json_text import DocumentError, parse_json
from services.replica import Replica
from services.rights import WORKER

logger = logging.getLogger(__name__)

MOST_NAME_CHARS = 255

MakeEvent = Callable[[Json, Mask | None], TaskUpdated]
MayAct = Callable[[Principal, Execution], None]
"""Raises :class:`ServiceError` for whoever may not say how tasks of the execution stand."""


class Working:
    """Between workers, over whatever RPC, and the engine."""

    def __init__(self, runtime: Runtime, replica: Replica) -> None:
        self._runtime = runtime
        self._replica = replica
        self._steps = StepTexts()
        self._handing_off: HandingOff = runtime.handing_off
        # Of tasks that were given with secrets: what must not be seen of their answers.
        self._masks: dict[str, Mask] = {}

    @property
    def queues(self) -> Queues:
        return self._runtime.engine.queues

    def settle(self, carrier: str, handed: Mapping[str, int]) -> None:
        """An edge has handed these over: others that it was to carry before the start go back.

        Args:
            handed: As for :meth:`Carried.unheard`.
        """
        for task_id, worker_id, polls in self._runtime.engine.carried.unheard(carrier, handed):
            self.queues.let_go(task_id, worker_id, polls)

    def check_right(self, caller: Principal, task_type: str) -> None:
        """Whether ``caller`` may do tasks of that type.

        Raises:
            PermissionDenied: It may not.
        """
        application = self._replica.application(caller.application_id)
        if application is not None and WORKER in application.roles:
            return
        name = self.defined(task_type)
        stored = self._replica.get("task", name)
        tags = tags_of(stored.document) if stored else frozenset[str]()
        require(caller, self._replica, "EXECUTE", "task", name, tags)

    def defined(self, task_type: str) -> str:
        """The definition whose tasks have that type, or that with what isolates its workers."""
        if self._replica.get("task", task_type) is not None:
            return task_type
        for place in range(1, len(task_type)):
            if task_type[place] in "@-":
                stored = self._replica.get("task", name := task_type[:place])
                if stored and isolation_of(stored.document).suffix == task_type[place:]:
                    return name
        return task_type

    def queue(self, caller: Principal, task_type: str, domain: str) -> str:
        """The queue that a worker asks for, if it may have its tasks."""
        short(task_type, "task_type", MOST_NAME_CHARS)
        short(domain, "domain", MOST_NAME_CHARS)
        if not task_type:
            raise InvalidRequest("task_type must say which tasks the worker does.")
        if set(domain).intersection(":=,"):
            raise InvalidRequest("domain must hold none of ':', '=' and ','.")
        self.check_right(caller, task_type)
        return queue_of(domain, task_type)

    def hand(self, execution: Execution, task: Task, *, detailed: bool = False) -> pb.Task | None:
        """The task as its worker gets it; None: it cannot be done, and has failed by now.

        Args:
            detailed: With its details.
        """
        try:
            trace = self._runtime.engine.trace(execution.id)
            message, mask = handed(execution, task, self._handing_off, trace)
        except NotHandedOver as error:
            failed = TaskUpdated(
                TaskStatus.FAILED_WITH_TERMINAL_ERROR, task_id=task.id, reason=str(error)
            )
            self._runtime.engine.tell(execution.id, failed)
            return None
        if mask is not None:
            self._masks[task.id] = mask
        if detailed:
            message.details.CopyFrom(details(execution, task, self._steps))
        return message

    def done(self, task_id: str) -> None:
        """Whoever had the task has it no more."""
        self._masks.pop(task_id, None)

    def tell(
        self,
        caller: Principal,
        execution_id: str,
        task_id: str,
        output: Json,
        make: MakeEvent,
        reply: Reply,
        may_act: MayAct | None = None,
    ) -> None:
        """Have the word of a worker reach the execution; ``reply`` hears what came of it.

        Args:
            may_act: It may be about a task that no worker does, too; this checks the right to it.

        Raises:
            ServiceError: It cannot be told.
        """
        held = self.queues.held.get(task_id)
        if held is not None:
            self.check_right(caller, kind_of(held.queue))
        if not execution_id:
            if held is None:
                raise NotFound("No worker has that task.", task_id=task_id)
            execution_id = held.execution_id
        engine = self._runtime.engine
        mask = self._masks.get(task_id)
        if mask is not None or (held is not None and held.taker is not None):
            engine.tell(execution_id, make(output, mask), reply)
            return
        # It was given before this process began, or is nobody's: what it was given says more.
        engine.tell(
            execution_id,
            None,
            lambda told: self._tell_knowing(caller, told, task_id, output, make, reply, may_act),
        )

    def _tell_knowing(
        self,
        caller: Principal,
        told: Told | ServiceError,
        task_id: str,
        output: Json,
        make: MakeEvent,
        reply: Reply,
        may_act: MayAct | None,
    ) -> None:
        if not isinstance(told, Told):
            reply(told)
            return
        execution = told.after
        task = execution.tasks.get(execution.refs.get(task_id, ""))
        try:
            if task is not None and is_a_workers(task):
                self.check_right(caller, kind_of(task.queue))
            elif may_act is not None and not self._may_have_had(caller, task, task_id):
                may_act(caller, execution)
            mask = None
            # Lines for the log of an earlier attempt are kept as well, where anybody may act.
            if task is not None and (may_act is not None or (task.id == task_id and task.queue)):
                mask = echo_mask(execution, task, self._handing_off)
            event = make(output, mask)
        except ServiceError as error:
            reply(error)
            return
        self._runtime.engine.tell(execution.id, event, reply)

    def _may_have_had(self, caller: Principal, task: Task | None, task_id: str) -> bool:
        """Whether it is an attempt before ``task`` that was of the caller's: that is in no queue.

        So it is while it waits for the time of its retry, or for the execution to go on.
        """
        if task is None or task.id == task_id or not KINDS[task.kind].by_workers:
            return False
        try:
            self.check_right(caller, shown_kind(task))
        except PermissionDenied:
            return False
        return True


def is_a_workers(task: Task) -> bool:
    """Whether a worker does it; it may have its turn otherwise, or need none."""
    return bool(task.queue) and not task.queue.startswith(OWN_TURN)


async def document(text: str) -> Json:
    """An output, read from its text. Raises :class:`InvalidRequest`."""
    if len(text) >= LARGE_CHARS:
        return await asyncio.to_thread(parsed, text)
    return parsed(text)


def parsed(text: str) -> Json:
    """As :func:`document`, here and now: of a short one."""
    if not text:
        return None
    try:
        return parse_json(text)
    except DocumentError as error:
        raise InvalidRequest(f"The output cannot be taken: {error}.") from error
