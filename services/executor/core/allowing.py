"""What operators can do to an execution as it stands: refusals say it, as the way out."""

from __future__ import annotations

from services.executor.core.model import ExecutionStatus, Refused
from services.executor.core.workflow import Workflow

RESTART = "restart"
_ENDED = (RESTART, "rerun", "remove")
_FAILED = ("retry", *_ENDED, "terminate")
ALLOWED = {
    ExecutionStatus.RUNNING: (
        "pause", "terminate", "skip-task", "signal", "set-variables", "reset-callbacks",
    ),
    ExecutionStatus.PAUSED: (
        "resume", "terminate", "signal", "set-variables", "reset-callbacks",
    ),
    ExecutionStatus.COMPLETED: _ENDED,
    ExecutionStatus.FAILED: _FAILED,
    ExecutionStatus.TIMED_OUT: _FAILED,
    ExecutionStatus.TERMINATED: ("retry", *_ENDED),
}  # fmt: skip


def allowed(status: ExecutionStatus, workflow: Workflow) -> tuple[str, ...]:
    """The operations, as commands are named."""
    names = ALLOWED[status]
    if status is ExecutionStatus.COMPLETED and not workflow.restartable:
        return tuple(name for name in names if name != RESTART)
    return names


def way_out(status: ExecutionStatus, workflow: Workflow) -> str:
    """The same as a sentence."""
    *names, last = allowed(status, workflow)
    return f"Allowed are {', '.join(names)} and {last}."


def refusal(said: str, status: ExecutionStatus, workflow: Workflow) -> Refused:
    """Of an operation that an execution at ``status`` does not allow, for the reason ``said``."""
    return Refused(f"{said} {way_out(status, workflow)}")
