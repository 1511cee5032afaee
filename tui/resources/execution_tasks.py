"""The tasks of one execution, and what can be done to one by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.resources.model import Action, Danger, ItemResult, Question
from tui.views.command_lines import command_line
from tui.views.timeline import task_status

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
STATUSES = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS")
_WAITING = frozenset((pb.TASK_STATUS_SCHEDULED, pb.TASK_STATUS_IN_PROGRESS))


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


async def _update(
    clients: Clients, rows: Sequence[ExecutionTask], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.UpdateTaskRequest(
            execution_id=row.execution_id,
            ref=row.ref,
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
            yield ItemResult(row.id, True, pb.TaskStatus.Name(request.status))


def _command(rows: Sequence[ExecutionTask], answers: Mapping[str, str]) -> str:
    row = rows[0]
    options = [
        *("--status", answers.get("status") or STATUSES[0]),
        *(("--result", answers["result"]) if answers.get("result") else ()),
        *(("--reason", answers["reason"]) if answers.get("reason") else ()),
    ]
    return command_line(["complete-task", *options], row.execution_id, row.ref)


def _effect(rows: Sequence[ExecutionTask]) -> str:
    return f"Whoever {rows[0].ref} waits for is not asked: what is said here counts as their word."


COMPLETE: Action[ExecutionTask] = Action(
    "execution.complete_task", "m", "Complete by hand",
    "Say how the task under the cursor ended, or how far it is.",
    _update, _command,
    applies=lambda row: row.open, effect=_effect, danger=Danger.ASKS, many=False,
    label=lambda row: f"{row.ref} ({row.kind})",
    questions=(
        Question("status", "Status", STATUSES[0], STATUSES),
        Question("result", "Output (a JSON object)", "{}"),
        Question("reason", "Reason"),
    ),
)  # fmt: skip
