"""INLINE: a value computed by JavaScript from its input."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.core.sizes import checked
from services.executor.kinds.scripts import JAVASCRIPT, needed


class Inline(Kind):
    """Its output is ``{"result": …}``; a failing script is not tried again."""

    def begin(self, view: View) -> Next:
        inputs, document = view.input, view.step.document
        source = inputs.get("expression") or document.get("expression")
        evaluator = inputs.get("evaluatorType") or document.get("evaluatorType") or "javascript"
        if not isinstance(source, str):
            return unusable("expression must be text.")
        if evaluator == "value-param":
            return Finished(output={"result": inputs.get(source)})
        if evaluator not in JAVASCRIPT:
            return unusable(f"There is no evaluator {evaluator!r}.")
        return Waiting(compute=Script("expression", source, needed(source, inputs)))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            return unusable(error, output={"error": error})
        # What JavaScript gives can be three times as long when it is written again.
        return Finished(output={"result": checked(value)})
