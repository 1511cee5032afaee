"""An execution as a row of lists, and as what something can be done to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from tui.views.reasons import short_reason
from tui.views.statuses import look_of_execution

MOST_OPEN_REFS = 20


class Execution(NamedTuple):
    """One row. Times are epoch seconds."""

    id: str
    workflow: str
    version: int
    status: str
    created_at: float
    updated_at: float
    ended_at: float | None
    reason: str
    correlation_id: str
    started_by: str
    failed_refs: tuple[str, ...]
    open_refs: tuple[str, ...]

    @property
    def why(self) -> str:
        """Its reason, in as few words as say it."""
        return short_reason(self.reason, self.failed_refs)

    @property
    def doing(self) -> str:
        """What it is at: the first of its open tasks, and how many more there are."""
        if not self.open_refs:
            return ""
        more = len(self.open_refs) - 1
        return f"{self.open_refs[0]} +{more}" if more else self.open_refs[0]


def execution_of(
    state: pb.ExecutionState, tasks: Iterable[pb.TaskState] = (), before: Execution | None = None
) -> Execution:
    """The row of a state; ``tasks`` are those that changed since ``before``."""
    return Execution(
        state.execution_id,
        state.workflow_name,
        state.workflow_version,
        look_of_execution(state.status).word,
        state.created_at.seconds + state.created_at.nanos / 1e9,
        state.updated_at.seconds + state.updated_at.nanos / 1e9,
        state.ended_at.seconds + state.ended_at.nanos / 1e9 if state.HasField("ended_at") else None,
        state.reason,
        state.correlation_id,
        state.started_by,
        tuple(state.failed_refs),
        _open_refs(tasks, before.open_refs if before is not None else ()),
    )


def _open_refs(tasks: Iterable[pb.TaskState], before: tuple[str, ...]) -> tuple[str, ...]:
    refs = dict.fromkeys(before)
    for task in tasks:
        if task.HasField("ended_at"):
            refs.pop(task.ref, None)
        elif len(refs) < MOST_OPEN_REFS:
            refs[task.ref] = None
    return tuple(refs)
