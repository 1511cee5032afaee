"""Which branch is taken, and what scripts give: SWITCH, DECISION, INLINE, LAMBDA, jq."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.model import Json
from tests.executor.conductor.rows import (
    SMALLER,
    Part,
    Row,
    check,
    fires,
    ids,
)
from tests.executor.core.simulator import Judge, Simulator, task, workflow

CASES: dict[str, Json] = {
    "x": [task("of_x", "NOOP")], "1": [task("of_1", "NOOP")], "true": [task("of_true", "NOOP")],
    "null": [task("of_null", "NOOP")], "empty": [],
}  # fmt: skip
BRANCHES: dict[str, Json] = {"decisionCases": CASES, "defaultCase": [task("of_default", "NOOP")]}


def said(value: Json) -> Judge:
    """A script that comes to ``value``."""
    return lambda source, scope: value


def throwing(source: str, scope: Mapping[str, Json]) -> Json:
    raise ArithmeticError("it throws")


def switched(rule: str, value: Json, shows: Mapping[str, Json | Part]) -> Row:
    """A SWITCH on the value of a parameter."""
    flow = workflow(task("s", "SWITCH", {"v": value}, evaluatorType="value-param",
                         expression="v", **BRANCHES), task("next", "NOOP"))  # fmt: skip
    return Row(rule, flow, {"s": "COMPLETED", "next": "COMPLETED", **shows})


def scripted(rule: str, judge: Judge, shows: Mapping[str, Json | Part], evaluator: str,
             record: str = "") -> Row:  # fmt: skip
    """A SWITCH by a script."""
    flow = workflow(task("s", "SWITCH", {"v": 1}, evaluatorType=evaluator, expression="f($)",
                         **BRANCHES))  # fmt: skip
    return Row(rule, flow, shows, record=record, judge=judge)


SWITCHES = (
    switched("a branch is taken by the value of a parameter", "x",
             {"of_x": "COMPLETED", "of_default": None}),
    switched("what was chosen is told twice, and noted in the input", "x",
             {"s.output": {"evaluationResult": ["x"], "selectedCase": "x"}, "s.input.case": "x",
              "s.input.hasChildren": "true"}),
    switched("a number is compared as text", 1, {"of_1": "COMPLETED"}),
    switched("a truth too", True, {"of_true": "COMPLETED"}),
    switched("null is the text null", None, {"of_null": "COMPLETED"}),
    switched("a value without a case takes the default", "other",
             {"of_default": "COMPLETED", "s.output.selectedCase": "other"}),
    switched("a case without tasks runs nothing, not the default", "empty",
             {"of_default": None, "s.input.hasChildren": None, "s.input.case": "empty"}),
    *(
        scripted(f"{evaluator} says which", said("x"), {"of_x": "COMPLETED"}, evaluator)
        for evaluator in ("javascript", "graaljs")
    ),
    scripted("a script that throws fails the task", throwing,
             {"s": "FAILED", "s.reason": "it throws", "workflow": "FAILED"}, "javascript"),
    # There the execution fails without a task that says why.
    *(
        scripted(f"there is no evaluator {name}", said("x"), {"s": "FAILED", "workflow": "FAILED",
                 "workflow.reason": Part(f"No evaluator registered for type: {name}")}, name,
                 SMALLER)
        for name in ("python", "cobol")
    ),
)  # fmt: skip


def decided(rule: str, shows: Mapping[str, Json | Part], value: Json = None,
            judge: Judge | None = None, record: str = "") -> Row:  # fmt: skip
    """A DECISION on a parameter, or with a ``judge`` by its script."""
    by: dict[str, Json] = {"caseExpression": "f($)"} if judge else {"caseValueParam": "v"}
    flow = workflow(task("d", "DECISION", {"v": value}, **by, **BRANCHES))
    return Row(rule, flow, shows, record=record, judge=judge)


DECISIONS = (
    decided("an old decision takes the branch of a parameter",
            {"of_x": "COMPLETED", "d.output": {"caseOutput": ["x"]}}, "x"),
    decided("or of its script", {"of_x": "COMPLETED", "d.output.caseOutput": ["x"]},
            judge=said("x")),
    decided("an empty value takes the default", {"of_default": "COMPLETED"}, ""),
    decided("and a case without tasks, other than in a SWITCH", {"of_default": "COMPLETED"},
            "empty"),
    decided("an unknown one too", {"of_default": "COMPLETED"}, "other"),
    # There the execution fails without a task that says why.
    decided("a script that throws ends it all", {"d": "FAILED", "workflow": "FAILED",
            "workflow.reason": Part("Error while evaluating script: it throws")},
            judge=throwing, record=SMALLER),
)  # fmt: skip


def computed(rule: str, kind: str, inputs: Json, shows: Mapping[str, Json | Part],
             judge: Judge | None = None, record: str = "", **more: Json) -> Row:  # fmt: skip
    """A task ``c`` that computes."""
    flow = workflow(task("c", kind, inputs, **more))
    named = {f"c.{name}" if name else "c": value for name, value in shows.items()}
    return Row(rule, flow, named, record=record, judge=judge)


TERMINAL = "FAILED_WITH_TERMINAL_ERROR"
SCRIPTS = (
    computed("a script's value is the result", "INLINE", {"expression": "f($)"},
             {"": "COMPLETED", "output": {"result": [1, {"a": None}]}}, said([1, {"a": None}])),
    computed("it may stand on the task", "INLINE", {"v": 1}, {"output.result": 2}, said(2),
             expression="f($)", evaluatorType="graaljs"),
    computed("a parameter's value needs no script", "INLINE",
             {"expression": "v", "evaluatorType": "value-param", "v": {"k": 1}},
             {"output.result": {"k": 1}}),
    computed("a script that throws fails for good, and says why", "INLINE",
             {"expression": "f($)"},
             {"": TERMINAL, "output.error": "it throws", "reason": "it throws"}, throwing,
             retryCount=2),
    # There python is an evaluator where its engine is installed.
    computed("there is no python", "INLINE", {"expression": "1", "evaluatorType": "python"},
             {"": TERMINAL, "reason": Part("python")}, record=SMALLER),
    computed("LAMBDA has the body of a function", "LAMBDA", {"scriptExpression": "return 1"},
             {"": "COMPLETED", "output": {"result": 1}}, said(1)),
    computed("it may stand on the task, too", "LAMBDA", {}, {"output.result": 1}, said(1),
             scriptExpression="return 1"),
    computed("jq gives its first result, and all", "JSON_JQ_TRANSFORM",
             {"queryExpression": ".a[]", "a": [1, 2]},
             {"": "COMPLETED", "output": {"result": 1, "resultList": [1, 2]}}, said([1, 2])),
    computed("a jq program that fails fails the task, and says why", "JSON_JQ_TRANSFORM",
             {"queryExpression": "error"},
             {"": "FAILED", "output.error": "it throws", "reason": "it throws"}, throwing),
)  # fmt: skip


@pytest.mark.parametrize("row", [*SWITCHES, *DECISIONS, *SCRIPTS], ids=ids)
def test_choices(row: Row) -> None:
    check(row)


@pytest.mark.parametrize(
    ("kind", "field"), [("INLINE", "expression"), ("JSON_JQ_TRANSFORM", "queryExpression")]
)
def test_a_script_sees_the_whole_input(kind: str, field: str) -> None:
    seen: list[Json] = []

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        seen.append({**scope})
        return [1]

    given: dict[str, Json] = {field: "f($)", "a": {"b": "${workflow.input.n}"}}
    Simulator(workflow(task("c", kind, given)), {"n": 7}, judge=judge).begin()
    assert seen == [{field: "f($)", "a": {"b": 7}}]


def test_a_failed_jq_task_is_tried_again_where_it_says_so() -> None:
    flow = workflow(task("c", "JSON_JQ_TRANSFORM", {"queryExpression": "error"}, retryCount=1))
    row = Row("again", flow, {"c": "FAILED", "c.attempts": 2}, (fires,), judge=throwing)
    check(row)


@pytest.mark.parametrize("kind", ["SWITCH", "DECISION"])
def test_what_only_directs_the_flow_is_never_tried_again(kind: str) -> None:
    more: dict[str, Json] = {"retryCount": 3, "evaluatorType": "javascript", "expression": "f($)",
                             "caseExpression": "f($)", **BRANCHES}  # fmt: skip
    flow = workflow(task("c", kind, **more))
    check(Row("once", flow, {"c": "FAILED", "c.attempts": 1}, judge=throwing))
