"""LAMBDA: INLINE as old definitions write it."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.core.sizes import checked
from services.executor.kinds.scripts import needed


class Lambda(Kind):
    """``scriptExpression`` is the body of a function; its output is ``{"result": …}``."""

    def begin(self, view: View) -> Next:
        body = view.input.get("scriptExpression") or view.step.document.get("scriptExpression")
        if not isinstance(body, str):
            return unusable("Empty 'scriptExpression' in Lambda task's input parameters.")
        # On lines of its own: a comment at its end must not take the brace.
        source = f"(function scriptFun(){{\n{body}\n}})()"
        return Waiting(compute=Script("scriptExpression", source, needed(body, view.input)))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            return unusable(error, output={"error": error})
        return Finished(output={"result": checked(value)})
