"""INLINE: a value computed by JavaScript."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.evaluators import EVALUATORS, check_expression
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Code, holds_expression

_FIELDS = (
    Field("expression", Code(shortest=1), "The script; `$` is the input."),
    Field("evaluatorType", EVALUATORS, "How `expression` is judged.", default="javascript"),
)


def _check(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    if isinstance(inputs, dict) and inputs.get("expression") is not None:
        if not holds_expression(inputs.get("evaluatorType")):
            check_expression(task, inputs, at / "inputParameters")
    elif task.get("expression") is not None:
        check_expression(task, task, at)
    else:
        (at / "inputParameters" / "expression").fault("is required")


KIND = TaskKind(
    name="INLINE",
    doc=(
        "Evaluates `expression`; the output is `{result}`. Both fields stand in `inputParameters`, "
        "or, as in old definitions, on the task; the input wins."
    ),
    inputs=Record("the input", _FIELDS, unknown=Unknown.GUESS, templated=True),
    fields=_FIELDS,
    check=_check,
)
