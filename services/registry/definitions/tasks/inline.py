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


_BODY = Field("scriptExpression", Code(), "The body of a function; `$` is the input.")


def _check_lambda(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    body = inputs.get("scriptExpression") if isinstance(inputs, dict) else None
    place = at / "inputParameters" if body else at
    body = body or task.get("scriptExpression")
    if not isinstance(body, str) or not body:
        (at / "inputParameters" / "scriptExpression").fault("is required")
    elif not holds_expression(body):
        # As it runs: on lines of its own, which is what its lines are counted by.
        (place / "scriptExpression").script(f"(function scriptFun(){{\n{body}\n}})()")


LAMBDA = TaskKind(
    name="LAMBDA",
    doc="INLINE as old definitions write it: the body of a function; the output is `{result}`.",
    inputs=Record("the input", (_BODY,), unknown=Unknown.GUESS, templated=True),
    fields=(_BODY,),
    check=_check_lambda,
)

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
