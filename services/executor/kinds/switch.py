"""SWITCH: one of several branches, by a value."""

from __future__ import annotations

from services.executor.core.expressions import as_text
from services.executor.core.kind import Finished, Kind, Next, Script, View, Waiting
from services.executor.core.model import Json, TaskStatus
from services.executor.kinds.scripts import JAVASCRIPT, needed

# The value stands in the input once more, and in the output twice.
MOST_CASE_CHARS = 500


class Switch(Kind):
    """Is COMPLETED once it has chosen; what follows it waits for the branch.

    The value is compared as text: ``null``, ``1``, ``true``. A branch without tasks runs nothing,
    not the default. Of a value that is longer than a case can sensibly be, the beginning is noted.
    """

    retried = False

    def begin(self, view: View) -> Next:
        evaluator = view.step.document.get("evaluatorType")
        source = view.step.document.get("expression")
        if not isinstance(source, str):
            return _failed("expression must be text.")
        if evaluator == "value-param":
            return _chosen(view, view.input.get(source))
        if evaluator not in JAVASCRIPT:
            return _failed(f"No evaluator registered for type: {evaluator}")
        return Waiting(compute=Script("expression", source, needed(source, view.input)))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        return _chosen(view, value) if error is None else _failed(error)


class Decision(Kind):
    """SWITCH as old definitions write it: ``caseValueParam``, or ``caseExpression``.

    A branch without tasks is none to it: the default runs.
    """

    retried = False

    def begin(self, view: View) -> Next:
        source, parameter = (
            view.step.document.get(name) for name in ("caseExpression", "caseValueParam")
        )
        if isinstance(source, str) and source:
            return Waiting(compute=Script("caseExpression", source, needed(source, view.input)))
        if not isinstance(parameter, str) or not parameter:
            return _failed("caseValueParam or caseExpression must say what is decided on.")
        return self._decided(view, view.input.get(parameter))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        if error is not None:
            return _failed(f"Error while evaluating script: {error}")
        return self._decided(view, value)

    def _decided(self, view: View, value: Json) -> Finished:
        chosen = _chosen(view, value, passes_empty=True)
        case = chosen.output["selectedCase"] if isinstance(chosen.output, dict) else ""
        return chosen._replace(output={"caseOutput": [case]})


def _chosen(view: View, value: Json, *, passes_empty: bool = False) -> Finished:
    case = as_text(value)
    branch = f"decisionCases.{case}"
    first = view.step.blocks.get(branch)
    if first is None or (passes_empty and not first):
        branch = "defaultCase"
    if len(case) > MOST_CASE_CHARS:
        case = f"{case[: MOST_CASE_CHARS - 1]}…"
    taken = bool(view.step.blocks.get(branch))
    noted: dict[str, Json] = {"case": case, "hasChildren": "true"} if taken else {"case": case}
    return Finished(
        output={"evaluationResult": [case], "selectedCase": case},
        input={**view.input, **noted},
        enter=(branch,) if taken else (),
    )


def _failed(reason: str) -> Finished:
    return Finished(TaskStatus.FAILED, reason=reason)
