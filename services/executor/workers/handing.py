"""A task as it is handed to a worker, and a worker's word as an event."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from podium.worker.v1 import worker_pb2 as pb
from services.errors import InvalidRequest
from services.executor.core.events import TaskUpdated
from services.executor.core.expressions import as_text
from services.executor.core.isolation import SHARED
from services.executor.core.model import Execution, Json, Task, TaskStatus
from services.executor.core.policy import bounded
from services.executor.core.scope import shown_kind
from services.executor.core.spawning import step_of
from services.executor.core.turns import MOST_LOG_LINES, domain_of, kind_of
from services.executor.core.workflow import Step
from services.executor.documents import plain, text_of
from services.executor.echoed import masked
from services.executor.effects.handoff import Filling, NotHandedOver
from services.executor.effects.masking import Mask
from services.executor.handingoff import HandingOff
from services.executor.rows import micros
from services.executor.texts import short, task_reason
from services.executor.timers import now
from services.rpc import MAX_MESSAGE_BYTES
from services.tracing import Trace, span_of

MOST_LINES = 10
MOST_LINE_BYTES = 10 << 10
# A message holds 32 MiB at most: with its definition and its metadata, it is in one alone.
MOST_TASK_BYTES = MAX_MESSAGE_BYTES - (4 << 20)
_MOST_RATE = 2**31 - 1

_STATUS = {
    pb.RESULT_STATUS_IN_PROGRESS: TaskStatus.IN_PROGRESS,
    pb.RESULT_STATUS_COMPLETED: TaskStatus.COMPLETED,
    pb.RESULT_STATUS_FAILED: TaskStatus.FAILED,
    pb.RESULT_STATUS_FAILED_WITH_TERMINAL_ERROR: TaskStatus.FAILED_WITH_TERMINAL_ERROR,
    pb.RESULT_STATUS_CANCELED: TaskStatus.CANCELED,
}


class StepTexts:
    """JSON text of steps as workflows have them, of the last that were asked for."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        # By the document, which is kept with its text: its place in memory is no other's then.
        self._texts: OrderedDict[int, tuple[object, str]] = OrderedDict()

    def of(self, step: Step) -> str:
        """The text of ``step``."""
        key = id(step.document)
        known = self._texts.get(key)
        if known is None:
            known = self._texts[key] = step.document, text_of(dict(step.document))
            if len(self._texts) > self._most:
                self._texts.popitem(last=False)
        return known[1]


def details(execution: Execution, task: Task, texts: StepTexts) -> pb.TaskDetails:
    """What Conductor's workers know of a task beside the rest."""
    told = pb.TaskDetails(
        shown_type=plain(shown_kind(task)),
        sequence=task.sequence,
        retried_task_id=task.retried_id,
        worker_id=task.worker_id,
    )
    if task.started_at is not None:
        told.started_at.FromMicroseconds(micros(task.started_at))
    told.updated_at.FromMicroseconds(micros(task.updated_at))
    step = step_of(execution, task)
    if step is None:
        return told
    told.workflow_task = texts.of(step)
    if step.isolation is not SHARED:
        told.isolation_group = step.isolation.group
        told.execution_namespace = step.isolation.namespace
    if step.policy.limits is not None and step.policy.limits.rate:
        told.rate = min(step.policy.limits.rate, _MOST_RATE)
        told.rate_span.FromTimedelta(step.policy.limits.span)
    return told


def handed(
    execution: Execution, task: Task, handing_off: HandingOff, trace: Trace | None = None
) -> tuple[pb.Task, Mask | None]:
    """The message, with what is put in at hand-off; and what is not to be seen of its answer.

    Args:
        trace: That of the execution.

    Raises:
        NotHandedOver: What was to be put in is not there, or no message holds it all.
    """
    step = step_of(execution, task)
    input_text, mask = _input(execution, task, step, handing_off)
    output_text = text_of(task.output) if task.output is not None else ""
    _check_size(input_text, output_text)
    metadata: dict[str, str] = {}
    if step is not None and step.metadata:
        mask = mask or Mask()
        metadata = _metadata(execution, step.metadata, handing_off, mask)
    message = pb.Task(
        task_id=task.id,
        execution_id=execution.id,
        # What a script makes up may hold half a character, which no message does.
        ref=plain(task.ref),
        task_type=plain(kind_of(task.queue)),
        name=plain(task.name),
        domain=plain(domain_of(task.queue)),
        workflow_name=plain(execution.workflow.name),
        input=input_text,
        attempt=task.attempt,
        poll_count=task.poll_count,
        iteration=task.iteration,
        correlation_id=execution.correlation_id,
        priority=execution.priority,
        output=output_text,
        runtime_metadata=metadata,
    )
    if trace is not None:
        message.traceparent = trace.below(span_of(task.id)).parent
        message.tracestate = trace.state
    message.scheduled_at.FromMicroseconds(micros(task.scheduled_at))
    if step is not None and step.policy.response_timeout:
        message.response_timeout.FromTimedelta(step.policy.response_timeout)
    return message, mask


def _input(
    execution: Execution, task: Task, step: Step | None, handing_off: HandingOff
) -> tuple[str, Mask | None]:
    """JSON text of the input, with what is put in; a mask where something is."""
    given, mask = task.input, None
    if step is not None and step.template is not None and (names := step.template.handoff):
        mask = Mask()
        handoff = handing_off(execution.id, task.id, task.scheduled_at)
        given = Filling(names, handoff, mask).value(given)
    return text_of(given) if given is not None else "{}", mask


def _check_size(input_text: str, output_text: str) -> None:
    """Raises :class:`NotHandedOver`: sent all the same, it would end the stream of many workers."""
    if 4 * (len(input_text) + len(output_text)) <= MOST_TASK_BYTES:
        return
    size = len(input_text.encode()) + len(output_text.encode())
    if size > MOST_TASK_BYTES:
        raise NotHandedOver(
            f"Its input and its output so far have {size} bytes together: a worker can be given "
            f"{MOST_TASK_BYTES} at most."
        )


def _metadata(
    execution: Execution, names: tuple[str, ...], handing_off: HandingOff, mask: Mask
) -> dict[str, str]:
    """By name the secret, or else the variable of the environment; a secret is masked."""
    found: dict[str, str] = {}
    environment = execution.workflow.environment
    for name in names:
        if (secret := handing_off.secret(name)) is not None:
            mask.hide(secret)
            for former in handing_off.former(name):
                mask.hide(former)
            found[name] = secret
        elif name in environment:
            found[name] = as_text(environment[name])
        else:
            raise NotHandedOver(
                f"runtimeMetadata names {name!r}: there is no such secret, and no such variable of "
                "the environment that workflows may read."
            )
    return found


def result_event(
    result: pb.TaskResult,
    worker_id: str,
    output: Json,
    mask: Mask | None,
    *,
    lenient: bool = False,
    word_id: str = "",
) -> TaskUpdated:
    """The word of a worker that ends the task, or gives it back.

    Args:
        lenient: Taken as Conductor takes it.
        word_id: What it is known by where it may be said again.

    Raises:
        InvalidRequest: It is none.
    """
    status = _STATUS.get(result.status)
    if status is None:
        names = ", ".join(sorted(each.value for each in _STATUS.values()))
        raise InvalidRequest(f"status must be one of {names}.")
    given_back = status is TaskStatus.IN_PROGRESS
    after = _after(result) if given_back else None
    event = _event(result, worker_id, status, output, mask, after, lenient=lenient)
    return replace(event, word_id=word_id) if given_back and word_id else event


def word_event(
    word: pb.TaskWord | pb.TaskResult,
    worker_id: str,
    output: Json,
    mask: Mask | None,
    *,
    lenient: bool = False,
) -> TaskUpdated:
    """The word of a worker that is still at the task. Raises :class:`InvalidRequest`."""
    at_it = TaskStatus.IN_PROGRESS
    return _event(word, worker_id, at_it, output, mask, None, lenient=lenient)


def _event(
    said: pb.TaskWord | pb.TaskResult,
    worker_id: str,
    status: TaskStatus,
    output: Json,
    mask: Mask | None,
    back_after: timedelta | None,
    *,
    lenient: bool,
) -> TaskUpdated:
    if output is not None and not isinstance(output, dict):
        raise InvalidRequest("The output must be a JSON object.")
    reason = task_reason(said.reason) if isinstance(said, pb.TaskResult) else ""
    lines = shortened_lines(said.logs) if lenient else checked_lines(said.logs)
    at = now()
    event = TaskUpdated(
        status=status,
        output=output,
        task_id=said.task_id,
        reason=reason,
        worker_id=worker_id,
        by_worker=True,
        back_after=back_after,
        logs=tuple((at, line) for line in lines),
        lenient=lenient,
    )
    return masked(event, mask) if mask else event


def checked_lines(lines: object) -> list[str]:
    """Lines for a log. Raises :class:`InvalidRequest` where they are too many, or too long."""
    found = list(cast("list[str]", lines))
    if len(found) > MOST_LINES:
        raise InvalidRequest(f"logs holds more than {MOST_LINES} lines.")
    for line in found:
        short(line, "A line of the log", MOST_LINE_BYTES)
        if len(line.encode("utf-8", "replace")) > MOST_LINE_BYTES:
            raise InvalidRequest(f"A line of the log is longer than {MOST_LINE_BYTES} bytes.")
    return found


def shortened_lines(lines: Iterable[str]) -> list[str]:
    """As many lines as a task keeps, each as long as one may be, and as it can be written."""
    return [_shortened(line) for line in itertools.islice(lines, MOST_LOG_LINES)]


def _shortened(line: str) -> str:
    line = line.replace("\0", "\ufffd")
    if len(line) * 4 <= MOST_LINE_BYTES:
        return line
    return line.encode()[:MOST_LINE_BYTES].decode("utf-8", "ignore")


def _after(result: pb.TaskResult) -> timedelta:
    after = result.callback_after
    if after.seconds < 0 or after.nanos < 0:
        raise InvalidRequest("callback_after must not be negative.")
    return bounded(after.seconds + after.nanos / 1e9)
