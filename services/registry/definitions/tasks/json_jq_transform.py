"""JSON_JQ_TRANSFORM: what a jq program makes of the input."""

from __future__ import annotations

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Text, holds_expression


class _Query(Text):
    """Text that is a jq program."""

    def says(self) -> str:
        return "jq"


_FIELDS = (
    Field(
        "queryExpression",
        _Query(shortest=1),
        "The jq program; `.` is the input, `.NAME` the value of another key of it.",
        required=True,
    ),
)


def _check(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    program: Json = inputs.get("queryExpression") if isinstance(inputs, dict) else None
    # What an execution resolves first is checked when it is known.
    if isinstance(program, str) and program and not holds_expression(program):
        (at / "inputParameters" / "queryExpression").script(program, "jq")


KIND = TaskKind(
    name="JSON_JQ_TRANSFORM",
    doc=(
        "Evaluates a jq program over its input; the output is `{result, resultList}`: the first "
        "of its results, and all of them."
    ),
    inputs=Record("the input", _FIELDS, unknown=Unknown.GUESS, templated=True),
    check=_check,
)
