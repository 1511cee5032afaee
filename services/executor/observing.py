"""What tasks and executions came to, told to whoever wants each of them: a line, or a span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.activity import Activity
from services.executor.core.model import Execution, ExecutionStatus, Task, TaskStatus
from services.executor.rows import Origin
from services.spans import CLIENT, INTERNAL, Span, Spans
from services.tracing import span_of

_CALLS = frozenset(("HTTP", "HTTP_POLL"))
_SUCCESSES = frozenset((TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS, TaskStatus.SKIPPED))


class Observer(Protocol):
    """Is told of each end, after the commit that says so; once, but for a kill in between."""

    def task_ended(self, execution: Execution, origin: Origin, task: Task) -> None:
        """``task`` has its last status."""

    def execution_ended(self, execution: Execution, origin: Origin) -> None:
        """The execution has its last status, until somebody has it go on."""


class Observing:
    """Tells ``observers``."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def committed(
        self,
        before: Execution,
        after: Execution,
        origin: Origin,
        ended: Iterable[Task],
        known: Mapping[str, Task],
    ) -> None:
        """A unit was written.

        Args:
            ended: Tasks that have their last status; some may have had it before.
            known: How the latest of each ref stood before.
        """
        for task in ended:
            earlier = known.get(task.ref)
            if earlier is None or earlier.id != task.id or not earlier.status.final:
                for observer in self._observers:
                    observer.task_ended(after, origin, task)
        if after.status.final and not before.status.final:
            for observer in self._observers:
                observer.execution_ended(after, origin)


class Lines:
    """An :class:`Observer` that has a line written of each."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def task_ended(self, execution: Execution, origin: Origin, task: Task) -> None:
        ended = task.ended_at or task.updated_at
        begun = task.started_at or task.scheduled_at
        fields = {
            **_ids(execution, origin),
            "span_id": span_of(task.id) if origin.trace else "",
            "task_id": task.id,
            "ref": task.ref,
            "kind": task.kind,
            "name": task.name,
            "status": task.status.value,
            "attempt": task.attempt,
            "iteration": task.iteration or "",
            "polls": task.poll_count or "",
            "worker_id": task.worker_id,
            "waited_ms": _milliseconds((begun - task.scheduled_at).total_seconds()),
            "took_ms": _milliseconds((ended - begun).total_seconds()),
        }
        self._activity.tell(ended.timestamp(), "task", fields)

    def execution_ended(self, execution: Execution, origin: Origin) -> None:
        ended = execution.ended_at or execution.updated_at
        fields = {
            **_ids(execution, origin),
            "span_id": span_of(execution.id) if origin.trace else "",
            "started_by": origin.started_by,
            "correlation_id": execution.correlation_id,
            "status": execution.status.value,
            "took_ms": _milliseconds((ended - execution.created_at).total_seconds()),
        }
        self._activity.tell(ended.timestamp(), "execution", fields)


class TaskSpans:
    """An :class:`Observer` that has spans sent: of an execution, and below it of its tasks."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def task_ended(self, execution: Execution, origin: Origin, task: Task) -> None:
        if origin.trace is None:
            return
        attributes: dict[str, str | int] = {
            "podium.execution_id": execution.id,
            "podium.task_id": task.id,
            "podium.ref": task.ref,
            "podium.kind": task.kind,
            "podium.attempt": task.attempt,
            "podium.status": task.status.value,
        }
        span = Span(
            task.ref,
            CLIENT if task.kind in _CALLS else INTERNAL,
            origin.trace.below(span_of(task.id)),
            span_of(execution.id),
            task.scheduled_at.timestamp(),
            (task.ended_at or task.updated_at).timestamp(),
            attributes,
            None if task.status in _SUCCESSES else task.status.value,
        )
        self._spans.add(span)

    def execution_ended(self, execution: Execution, origin: Origin) -> None:
        if origin.trace is None:
            return
        own = span_of(execution.id)
        attributes: dict[str, str | int] = {
            "podium.execution_id": execution.id,
            "podium.workflow": execution.workflow.name,
            "podium.version": execution.workflow.version,
            "podium.request_id": origin.request_id,
            "podium.status": execution.status.value,
        }
        completed = execution.status is ExecutionStatus.COMPLETED
        span = Span(
            execution.workflow.name,
            INTERNAL,
            origin.trace.below(own),
            "" if origin.trace.span_id == own else origin.trace.span_id,
            execution.created_at.timestamp(),
            (execution.ended_at or execution.updated_at).timestamp(),
            attributes,
            None if completed else execution.status.value,
        )
        self._spans.add(span)


def _ids(execution: Execution, origin: Origin) -> dict[str, object]:
    """What the line of the request has, too."""
    return {
        "request_id": origin.request_id,
        "trace_id": origin.trace.trace_id if origin.trace else "",
        "execution_id": execution.id,
        "parent_id": execution.parent_id,
        "workflow": execution.workflow.name,
        "version": execution.workflow.version,
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
