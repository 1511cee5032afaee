"""EVENT: tells whoever listens, once the task is stored."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.commands import Publish
from services.executor.core.identity import derived_id
from services.executor.core.jsonpath import TooCostly
from services.executor.core.kind import Finished, Kind, Next, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.kinds import calls

# How often events have led to events is handed on by the input of what they start.
DEPTH = "conductor.event.depth"
MOST_DEPTH = 100


class Event(Kind):
    """Its event is ``conductor:<workflow>:<ref>``, or what its sink names in place of the ref."""

    def begin(self, view: View) -> Next:
        try:
            sink = view.resolve(view.step.document.get("sink"))
        except TooCostly as error:
            return unusable(f"The sink cannot be resolved: {error}.")
        name = _named(sink, view.step.ref)
        if name is None:
            return unusable(f"Invalid sink: {sink}; expected conductor or conductor:NAME")
        depth = _depth(view.execution.input)
        if depth > MOST_DEPTH:
            return unusable(f"Events have led to events more than {MOST_DEPTH} times.")
        workflow = view.execution.workflow
        event = f"conductor:{workflow.name}:{name}"
        payload: dict[str, Json] = {
            **view.input,
            "workflowInstanceId": view.execution_id,
            "workflowType": workflow.name,
            "workflowVersion": workflow.version,
            "correlationId": view.execution.correlation_id or None,
            "taskToDomain": {**view.execution.task_to_domain},
        }
        publish = Publish(derived_id("event", view.task.id), event, payload, depth)
        output: dict[str, Json] = {**payload, "event_produced": event}
        if calls.is_async(view):
            return Waiting(output=output, commands=(publish,))
        return Finished(output=output, commands=(publish,))


def _named(sink: Json, ref: str) -> str | None:
    if not isinstance(sink, str):
        return None
    source, colon, name = sink.partition(":")
    if source != "conductor" or (colon and not name):
        return None
    return name or ref


def _depth(input: Mapping[str, Json]) -> int:
    before = input.get(DEPTH)
    if not isinstance(before, int) or isinstance(before, bool):
        return 1
    # A caller may say anything; each event counts from there.
    return max(before, 0) + 1
