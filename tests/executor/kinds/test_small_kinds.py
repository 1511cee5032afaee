"""SWITCH, INLINE, SET_VARIABLE, TERMINATE, WAIT, NOOP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.executor.core.commands import Publish
from services.executor.core.decide import decide, start
from services.executor.core.events import Started
from services.executor.core.model import ExecutionStatus, Json, TaskStatus
from services.executor.kinds import KINDS
from tests.executor.core.simulator import EPOCH, Simulator, http, task, workflow


def switched(value: Json, cases: Json = None, *, evaluator: str = "value-param") -> Simulator:
    branches = cases or {"x": [task("in_x", "NOOP")], "null": [task("in_null", "NOOP")],
                         "1": [task("in_1", "NOOP")], "empty": []}  # fmt: skip
    flow = workflow(
        task("s", "SWITCH", {"v": "${workflow.input.v}"}, evaluatorType=evaluator, expression="v",
             decisionCases=branches, defaultCase=[task("other", "NOOP")])
    )  # fmt: skip
    return Simulator(flow, {"v": value}, judge=lambda source, scope: scope.get("v")).begin()


@pytest.mark.parametrize(
    ("value", "branch", "case"),
    [
        ("x", "in_x", "x"), (None, "in_null", "null"), (1, "in_1", "1"), ("1", "in_1", "1"),
        ("X", "other", "X"), (True, "other", "true"), (1.5, "other", "1.5"), ("", "other", ""),
        ({"a": 1}, "other", '{"a":1}'), ("empty", None, "empty"),
    ],
)  # fmt: skip
def test_a_switch_takes_the_branch_of_its_value_as_text(
    value: Json, branch: str | None, case: str
) -> None:
    run = switched(value)

    assert {row.ref for row in run.rows.values()} == {"s", branch} - {None}
    assert run.task("s").output == {"evaluationResult": [case], "selectedCase": case}
    taken = {"case": case, "hasChildren": "true"} if branch else {"case": case}
    assert run.task("s").input == {"v": value, **taken}
    assert run.status == "COMPLETED"


@pytest.mark.parametrize("evaluator", ["javascript", "graaljs"])
def test_a_switch_by_script_sees_its_input(evaluator: str) -> None:
    flow = workflow(
        task("s", "SWITCH", {"v": 2, "big": "x"}, evaluatorType=evaluator, expression="$.v + 1",
             decisionCases={"3": [task("three", "NOOP")]})
    )  # fmt: skip
    run = Simulator(flow, judge=lambda source, scope: 3 if dict(scope) == {"v": 2} else 0).begin()

    assert "three" in run.execution.tasks


def test_a_switch_whose_script_throws_fails() -> None:
    flow = workflow(
        task("s", "SWITCH", evaluatorType="javascript", expression="x", retryCount=3,
             decisionCases={"3": [task("three", "NOOP")]})
    )  # fmt: skip

    def throws(source: str, scope: Mapping[str, Json]) -> Json:
        raise ArithmeticError("x is not defined")

    run = Simulator(flow, judge=throws).begin()
    assert (run.task("s").status, run.task("s").reason) == ("FAILED", "x is not defined")
    assert run.status == "FAILED"


def test_a_switch_with_an_unknown_evaluator_fails() -> None:
    assert switched("x", evaluator="python").execution.reason.endswith(
        "'No evaluator registered for type: python'"
    )


def test_inline_computes_from_its_input() -> None:
    flow = workflow(task("i", "INLINE", {"n": 20, "expression": "$.n + 1"}))
    seen: list[Json] = []

    def add(source: str, scope: Mapping[str, Json]) -> Json:
        seen.append(dict(scope))
        return {"sum": 21}

    run = Simulator(flow, judge=add).begin()
    assert run.execution.output == {"result": {"sum": 21}}
    assert seen == [{"n": 20}]


def test_inline_takes_a_parameter_and_old_places() -> None:
    flow = workflow(
        task("i", "INLINE", {"n": [1]}, expression="n", evaluatorType="value-param"),
    )

    assert Simulator(flow).begin().execution.output == {"result": [1]}


def test_a_failing_inline_is_not_tried_again() -> None:
    def throws(source: str, scope: Mapping[str, Json]) -> Json:
        raise ArithmeticError("no")

    flow = workflow(task("i", "INLINE", {"expression": "x"}, retryCount=3))
    run = Simulator(flow, judge=throws).begin()
    assert run.task("i").status == "FAILED_WITH_TERMINAL_ERROR"
    assert run.task("i").output == {"error": "no"}


@pytest.mark.parametrize("inputs", [{"expression": 5}, {"expression": "1", "evaluatorType": "x"}])
def test_an_inline_that_is_none_is_a_terminal_error(inputs: Json) -> None:
    run = Simulator(workflow(task("i", "INLINE", inputs))).begin()

    assert run.task("i").status == "FAILED_WITH_TERMINAL_ERROR"


def test_variables_are_set_and_seen() -> None:
    flow = workflow(
        task("v", "SET_VARIABLE", {"count": 1, "who": "${workflow.input.who}"}),
        http("a", {"body": "${workflow.variables}"}),
        variables={"count": 0, "kept": True},
    )
    run = Simulator(flow, {"who": "me"}).begin()

    assert run.execution.variables == {"count": 1, "who": "me", "kept": True}
    assert run.request("a").body == run.execution.variables


def test_a_variable_may_hold_half_a_surrogate_pair() -> None:
    flow = workflow(task("v", "SET_VARIABLE", {"text": "${workflow.input.text}"}))

    assert Simulator(flow, {"text": "\ud800"}).begin().status == "COMPLETED"


def test_too_many_variables_are_a_terminal_error_and_not_set() -> None:
    flow = workflow(
        task("v", "SET_VARIABLE", {"text": "${workflow.input.text}"}), variables={"a": 1}
    )
    run = Simulator(flow, {"text": "x" * (256 << 10)}).begin()

    assert run.task("v").status == "FAILED_WITH_TERMINAL_ERROR"
    assert run.execution.variables == {"a": 1}


@pytest.mark.parametrize(
    ("given", "status", "output"),
    [
        ({"terminationStatus": "COMPLETED", "workflowOutput": {"r": 1}}, "COMPLETED", {"r": 1}),
        ({"terminationStatus": "FAILED", "workflowOutput": [1]}, "FAILED", {"output": [1]}),
        ({"terminationStatus": "TERMINATED"}, "TERMINATED", {"by": "rule"}),
    ],
)
def test_terminate_ends_the_execution(given: Json, status: str, output: Json) -> None:
    flow = workflow(task("t", "TERMINATE", given), http("a"), outputParameters={"by": "rule"})
    run = Simulator(flow).begin()

    assert (run.status, run.execution.output) == (status, output)
    assert run.performs == {}
    if status != "COMPLETED":
        assert run.execution.reason == f"Workflow is {status} by TERMINATE task: {run.task('t').id}"


def test_terminate_gives_its_reason_and_tells_the_failure_workflow() -> None:
    given: Json = {"terminationStatus": "FAILED", "terminationReason": "no stock"}
    run = Simulator(workflow(task("t", "TERMINATE", given), failureWorkflow="mend")).begin()

    assert run.execution.reason == "no stock"
    assert [started.workflow for started in run.started] == ["mend"]


def test_terminate_with_another_status_fails() -> None:
    run = Simulator(workflow(task("t", "TERMINATE", {"terminationStatus": "DONE"}))).begin()

    assert run.task("t").reason == "given termination status is not valid"
    assert run.status == "FAILED"


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("2 days 3 hours 5 minutes 10 seconds", 183_910), ("1d2h3m4s", 93_784), ("90s", 90),
        ("5 Minutes", 300), ("1 hr 1 min 1 sec", 3661), (2.5, 2.5), (" 1  h 2\tm ", 3720),
        (0, 0), (0.0, 0), ("0s", 0),
        ("0 days 1 second" + " " * 100, 1),
    ],
)  # fmt: skip
def test_wait_for_a_while(duration: Json, seconds: float) -> None:
    run = Simulator(workflow(task("w", "WAIT", {"duration": duration}))).begin()

    assert run.until("w") == seconds
    assert run.task("w").next_at == EPOCH + timedelta(seconds=seconds)
    run.fires()
    assert run.status == "COMPLETED"


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31 18:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31 18:00 UTC", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31 18:00 GMT+05:30", datetime(2027, 1, 31, 12, 30, tzinfo=UTC)),
        ("2027-01-31 18:00 -0200", datetime(2027, 1, 31, 20, tzinfo=UTC)),
        ("2027-01-31 18:00 CET", datetime(2027, 1, 31, 17, tzinfo=UTC)),
        ("2027-07-31 18:00 America/New_York", datetime(2027, 7, 31, 22, tzinfo=UTC)),
        ("2027-01-31T18:00:05Z", datetime(2027, 1, 31, 18, 0, 5, tzinfo=UTC)),
        ("2001-01-31", datetime(2001, 1, 31, tzinfo=UTC)),
    ],
)
def test_wait_until_a_moment(until: str, moment: datetime) -> None:
    run = Simulator(workflow(task("w", "WAIT", {"until": until}))).begin()

    assert run.task("w").next_at == moment
    assert [*run.timers.values()] == [moment]


@pytest.mark.parametrize(
    "inputs",
    [
        {"duration": "1s", "until": "2027-01-31"}, {"duration": "soon"}, {"duration": [1]},
        {"duration": "5s 2h"}, {"duration": "5 s 5 s"}, {"duration": " "}, {"duration": "5"},
        {"duration": "1h" + " " * 100 + "x"}, {"duration": "1h" + " " * 200},
        {"duration": -5}, {"duration": False}, {"duration": 0, "until": "2027-01-31"}, {"until": 0},
        {"until": "tomorrow"}, {"until": "2027-02-30"}, {"until": 5},
        {"until": "2027-01-31 18:00 Nowhere/Land"}, {"until": "2027-01-31 18:00 America"},
        {"until": "2027-01-31 18:00 Etc"}, {"until": "2027-01-31 18:00 " + "A" * 300},
        {"until": "2027-01-31 18:00 +99:99"}, {"until": "0001-01-01 00:00 +01:00"},
        {"until": "2027-01-31 18:00 zone.tab"}, {"until": "2027-01-31 18:00 America/"},
        {"until": "2027-01-31 18:00 ../../etc/passwd"},
    ],
)  # fmt: skip
def test_a_wait_that_is_none_is_a_terminal_error(inputs: Json) -> None:
    run = Simulator(workflow(task("w", "WAIT", inputs))).begin()

    assert run.task("w").status == "FAILED_WITH_TERMINAL_ERROR"


def test_a_duration_of_long_blanks_is_refused_as_soon_as_any_other() -> None:
    flow = workflow(task("w", "WAIT", {"duration": "${workflow.input.d}"}))
    run = Simulator(flow, {"d": " " * 1_000_000 + "x"}).begin()

    assert run.task("w").status == "FAILED_WITH_TERMINAL_ERROR"


@pytest.mark.parametrize("inputs", [{}, {"duration": None}, {"duration": "", "until": ""}])
def test_a_wait_for_nothing_ends_by_a_word(inputs: Json) -> None:
    run = Simulator(workflow(task("w", "WAIT", inputs))).begin()
    assert run.timers == {}
    run.says("w", "COMPLETED", {"approved": True})

    assert run.execution.output == {"approved": True}


def test_a_word_ends_a_wait_before_its_time() -> None:
    run = Simulator(workflow(task("w", "WAIT", {"duration": "1h"}))).begin()
    run.says("w", "FAILED", reason="cancelled by hand")

    assert run.timers == {}
    assert run.task("w").reason == "cancelled by hand"


def test_a_human_says_what_it_came_to() -> None:
    run = Simulator(workflow(task("h", "HUMAN", {"question": "Yes?"}), task("end", "NOOP"))).begin()
    run.crash()
    assert run.task("h").status == "IN_PROGRESS"
    run.says("h", "COMPLETED", {"answer": "no"})

    assert run.status == "COMPLETED"
    assert run.task("h").output == {"answer": "no"}


DECIDING: dict[str, Json] = {
    "decisionCases": {"1": [task("one", "NOOP")]}, "defaultCase": [task("other", "NOOP")],
}  # fmt: skip


@pytest.mark.parametrize(("value", "taken"), [(1, "one"), ("1", "one"), (None, "other")])
def test_an_old_decision_takes_the_branch_of_a_parameter(value: Json, taken: str) -> None:
    run = Simulator(workflow(task("d", "DECISION", {"v": value}, caseValueParam="v", **DECIDING)))
    run.begin()

    assert taken in run.execution.tasks
    output = run.task("d").output
    assert isinstance(output, dict)
    assert list(output) == ["caseOutput"]


def test_an_old_decision_takes_the_branch_of_its_script_or_says_why_not() -> None:
    verdicts = iter((1, ArithmeticError("no")))

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        verdict = next(verdicts)
        if isinstance(verdict, ArithmeticError):
            raise verdict
        return verdict

    for status in ("COMPLETED", "FAILED"):
        decision = task("d", "DECISION", {"v": 1}, caseExpression="$.v", **DECIDING)
        run = Simulator(workflow(decision), judge=judge).begin()
        assert run.task("d").status == status
    assert run.task("d").reason == "Error while evaluating script: no"


def test_a_lambda_is_the_body_of_a_function() -> None:
    asked: list[tuple[str, Mapping[str, Json]]] = []

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        asked.append((source, scope))
        return {"sum": 3}

    body = "return {sum: $.a + $.b}; // and no more"
    run = Simulator(workflow(task("l", "LAMBDA", {"scriptExpression": body, "a": 1, "b": 2})),
                    judge=judge).begin()  # fmt: skip

    assert run.task("l").output == {"result": {"sum": 3}}
    assert asked == [(f"(function scriptFun(){{\n{body}\n}})()", {"a": 1, "b": 2})]


def test_jq_gives_its_first_result_and_all_of_them() -> None:
    given: Json = {"queryExpression": ".n[]", "n": [4, 2]}

    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        assert (source, scope) == (".n[]", given)
        return [4, 2]

    run = Simulator(workflow(task("q", "JSON_JQ_TRANSFORM", given)), judge=judge).begin()

    assert run.task("q").output == {"result": 4, "resultList": [4, 2]}
    assert run.status is ExecutionStatus.COMPLETED


def test_jq_without_results_gives_null() -> None:
    given: Json = {"queryExpression": "empty"}
    run = Simulator(
        workflow(task("q", "JSON_JQ_TRANSFORM", given)), judge=lambda source, scope: []
    ).begin()

    assert run.task("q").output == {"result": None, "resultList": []}


def test_jq_that_raises_fails_and_is_tried_again() -> None:
    def judge(source: str, scope: Mapping[str, Json]) -> Json:
        raise ArithmeticError("Script raised x.")

    run = Simulator(
        workflow(task("q", "JSON_JQ_TRANSFORM", {"queryExpression": "error"})), judge=judge
    ).begin()

    assert run.task("q").status is TaskStatus.FAILED
    assert run.task("q").output == {"error": "Script raised x."}


def test_jq_without_a_program_fails_for_good() -> None:
    run = Simulator(workflow(task("q", "JSON_JQ_TRANSFORM", {"a": 1}, retryCount=3))).begin()

    assert run.task("q").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert run.task("q").reason == "Missing 'queryExpression' in input parameters"


@pytest.mark.parametrize(
    ("said", "depth"), [(None, 1), (3, 4), (True, 1), ("7", 1), (-5, 1), (-(10**30), 1)]
)
def test_events_are_counted_from_what_an_event_has_said_and_never_from_below_none(
    said: Json, depth: int
) -> None:
    flow = workflow(task("e", "EVENT", sink="conductor:told"))
    execution = start("id", flow, {"conductor.event.depth": said}, EPOCH)
    decision = decide(execution, Started(), KINDS, EPOCH)

    assert [each.depth for each in decision.commands if isinstance(each, Publish)] == [depth]
