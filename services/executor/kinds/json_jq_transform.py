"""JSON_JQ_TRANSFORM: what a jq program makes of the task's input."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting, unusable
from services.executor.core.model import Json, TaskStatus
from services.executor.core.sizes import checked


class JsonJqTransform(Kind):
    """Its output is ``{"result": the first, "resultList": all}``."""

    def begin(self, view: View) -> Next:
        program = view.input.get("queryExpression")
        if not isinstance(program, str):
            return unusable("Missing 'queryExpression' in input parameters")
        return Waiting(compute=Script("queryExpression", program, view.input, "jq"))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            return Finished(TaskStatus.FAILED, output={"error": error}, reason=error)
        results: list[Json] = value if isinstance(value, list) else []
        first = results[0] if results else None
        return Finished(output=checked({"result": first, "resultList": results}))
