"""SWITCH: one of several branches, by a value."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field
from services.registry.definitions.tasks.evaluators import EVALUATORS, check_expression
from services.registry.definitions.tasks.kind import TASKS, TaskKind
from services.registry.definitions.values import Code, MapOf, Text


def _check(task: Document, at: Place) -> None:
    check_expression(task, task, at)


def _check_decision(task: Document, at: Place) -> None:
    parameter, source = task.get("caseValueParam"), task.get("caseExpression")
    inputs = task.get("inputParameters")
    if isinstance(source, str) and source:
        (at / "caseExpression").script(source)
    elif not isinstance(parameter, str) or not parameter:
        (at / "caseValueParam").fault("is required, unless there is a caseExpression")
    elif isinstance(inputs, dict) and parameter not in inputs:
        hint = at.guess(parameter, inputs)
        (at / "caseValueParam").fault(f"{shown(parameter)} is not in inputParameters{hint}")


DECISION = TaskKind(
    name="DECISION",
    doc=(
        "SWITCH as old definitions write it; its output is `{caseOutput}`. A branch without tasks "
        "is none: `defaultCase` runs."
    ),
    fields=(
        Field("caseValueParam", Text(), "The name of an input parameter."),
        Field("caseExpression", Code(), "JavaScript; `$` is the input. It wins."),
        Field("decisionCases", MapOf(TASKS, shortest=1), "Branches by value.", required=True),
        Field("defaultCase", TASKS, "The branch for every other value.", default=[]),
    ),
    check=_check_decision,
)

KIND = TaskKind(
    name="SWITCH",
    doc=(
        "Runs the branch whose key is the value of `expression`, written as text; "
        "`defaultCase` where no key is. An empty branch runs nothing. Of a value of more than "
        "500 characters the task notes the beginning."
    ),
    fields=(
        Field("evaluatorType", EVALUATORS, "How `expression` is judged.", required=True),
        Field(
            "expression",
            Code(shortest=1),
            "value-param: the name of an input parameter; else JavaScript; `$` is the input.",
            required=True,
        ),
        Field("decisionCases", MapOf(TASKS, shortest=1), "Branches by value.", required=True),
        Field("defaultCase", TASKS, "The branch for every other value.", default=[]),
    ),
    check=_check,
)
