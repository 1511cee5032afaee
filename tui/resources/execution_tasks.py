"""The tasks of one execution, and what can be done to one by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.resources.model import Action, Danger, ItemResult, Perform, Question
from tui.views.command_lines import command_line
from tui.views.statuses import look_of_task
from tui.views.timeline import task_status

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
STATUSES = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS")
_WAITING = frozenset((pb.TASK_STATUS_SCHEDULED, pb.TASK_STATUS_IN_PROGRESS))


class OpenTask(Protocol):
    """What something can be said of."""

    @property
    def id(self) -> str: ...

    @property
    def execution_id(self) -> str: ...

    @property
    def ref(self) -> str: ...


class ExecutionTask(NamedTuple):
    """A task of an execution: its latest attempt."""

    id: str
    execution_id: str
    ref: str
    kind: str
    status: int

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in _WAITING


def updating(*, by_id: bool = False) -> Perform:
    """Says of tasks how they ended: of the latest attempt of each ref, or of the attempt itself."""

    async def perform(
        clients: Clients, rows: Sequence[OpenTask], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        for row in rows:
            request = pb.UpdateTaskRequest(
                execution_id=row.execution_id,
                ref="" if by_id else row.ref,
                task_id=row.id if by_id else "",
                status=task_status(answers.get("status") or STATUSES[0]),
                output=answers.get("result") or "{}",
                reason=answers.get("reason", ""),
                worker_id="console",
            )
            try:
                with raising_ours():
                    await clients.executor.UpdateTask(request, timeout=CALL_SECONDS)
            except ServiceError as error:
                yield ItemResult(row.id, False, error.detail)
            else:
                yield ItemResult(row.id, True, look_of_task(request.status).label)

    return perform


def options_of(answers: Mapping[str, str]) -> list[str]:
    """What is said, as options of ``podium complete-task``."""
    return [
        *("--status", answers.get("status") or STATUSES[0]),
        *(("--result", answers["result"]) if answers.get("result") else ()),
        *(("--reason", answers["reason"]) if answers.get("reason") else ()),
    ]


def _command(rows: Sequence[ExecutionTask], answers: Mapping[str, str]) -> str:
    row = rows[0]
    return command_line(["complete-task", *options_of(answers)], row.execution_id, row.ref)


def _effect(rows: Sequence[ExecutionTask]) -> str:
    return f"Whoever {rows[0].ref} waits for is not asked: what is said here counts as their word."


QUESTIONS = (
    Question("status", "Status", STATUSES[0], STATUSES),
    Question("result", "Output (a JSON object)", "{}"),
    Question("reason", "Reason"),
)
COMPLETE: Action[ExecutionTask] = Action(
    "execution.complete_task", "m", "Complete by hand",
    "Say how the task under the cursor ended, or how far it is.",
    updating(), _command,
    applies=lambda row: row.open, effect=_effect, danger=Danger.ASKS, many=False,
    label=lambda row: f"{row.ref} ({row.kind})",
    questions=QUESTIONS,
)  # fmt: skip
