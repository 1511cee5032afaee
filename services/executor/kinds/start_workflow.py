"""START_WORKFLOW: another workflow, whose end nobody waits for."""

from __future__ import annotations

from services.executor.core.commands import StartExecution, Wanted
from services.executor.core.identity import derived_id
from services.executor.core.kind import Finished, Kind, Look, Next, View, Waiting
from services.executor.core.model import Json, TaskStatus
from services.executor.core.turns import domains_of
from services.executor.kinds.workflow_keys import Key, priority_of, version_of

_LOOK = "workflow"
_MISSING = "Missing 'startWorkflow' in input data."


class StartWorkflow(Kind):
    """Ends at once, with the id of what it started, which begins in the same transaction."""

    def begin(self, view: View) -> Next:
        request = view.input.get("startWorkflow")
        if not isinstance(request, dict):
            return _failed(_MISSING)
        definition, name = request.get("workflowDef"), request.get("name")
        if not isinstance(name, str) or not name:
            return _failed("startWorkflow validation failed. 'name' -> must not be empty. ")
        if definition is not None and not isinstance(definition, dict):
            return _failed("startWorkflow validation failed. 'workflowDef' -> must be a workflow. ")
        if not isinstance(request.get("input"), dict | None):
            return _failed("startWorkflow validation failed. 'input' -> must be an object. ")
        try:
            key, version, _ = Key.of(request), version_of(request), priority_of(request)
        except ValueError as error:
            return _failed(f"startWorkflow validation failed. {error}")
        wanted = Wanted(
            workflow=name,
            version=version,
            definition=definition,
            trusted=False,
            key=key.text,
            child=_started_id(view),
        )
        return Waiting(look=Look(_LOOK, wanted))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        found = value.get(_LOOK) if isinstance(value, dict) else None
        if error is not None or not isinstance(found, dict):
            return _failed(error or "There is no such workflow.")
        request = view.input.get("startWorkflow")
        if not isinstance(request, dict):
            return _failed(_MISSING)
        key = Key.of(request)
        if isinstance(held := value.get("held") if isinstance(value, dict) else None, str):
            return (
                Finished(output={"workflowId": held})
                if key.attaches
                else _failed(key.refusal(held))
            )
        definition, given = request.get("workflowDef"), request.get("input")
        correlation = request.get("correlationId")
        start = StartExecution(
            _started_id(view),
            str(found["name"]),
            version_of(found),
            given if isinstance(given, dict) else {},
            str(correlation or view.execution.correlation_id),
            definition=definition if isinstance(definition, dict) else None,
            trusted=False,
            priority=priority_of(request) or 0,
            task_to_domain=domains_of(request.get("taskToDomain")) or view.execution.task_to_domain,
            key=key.text,
            anew=key.anew,
        )
        return Finished(output={"workflowId": start.id}, commands=(start,))


def _started_id(view: View) -> str:
    return derived_id("start workflow", view.execution_id, view.task.id)


def _failed(reason: str) -> Finished:
    return Finished(TaskStatus.FAILED, reason=reason)
