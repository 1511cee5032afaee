"""TERMINATE: ends the execution from within."""

from __future__ import annotations

from services.executor.core.kind import Ending, Finished, Kind, Next, View
from services.executor.core.model import ExecutionStatus, Json, TaskStatus

_STATUSES = {
    status.value: status
    for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.TERMINATED)
}


class Terminate(Kind):
    """Ends the execution with ``terminationStatus``; its output is ``workflowOutput``."""

    def begin(self, view: View) -> Next:
        given = view.input.get("terminationStatus")
        status = _STATUSES.get(given) if isinstance(given, str) else None
        if status is None:
            return Finished(TaskStatus.FAILED, reason="given termination status is not valid")
        output = _output(view.input.get("workflowOutput"))
        reason = view.input.get("terminationReason")
        said = f"Workflow is {status} by TERMINATE task: {view.task.id}"
        text = reason if isinstance(reason, str) and reason else said
        if status is ExecutionStatus.COMPLETED and not reason:
            text = ""
        return Finished(output=output or {}, ends=Ending(status, text, output or None))


def _output(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"output": value}
