"""Nothing that an execution holds grows without limit, whatever a caller sends."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from services.executor.core.events import Terminated
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json, Refused, TaskStatus
from services.executor.core.sizes import (
    MAX_DEPTH,
    MAX_DOCUMENT_BYTES,
    MAX_REASON_CHARS,
    checked,
    json_bytes,
)
from services.executor.documents import text_of
from services.executor.kinds.switch import MOST_CASE_CHARS
from tests.executor.core.simulator import Simulator, answer, http, task, workflow

LARGE = "x" * (25 << 20)
TEXTS = st.text(max_size=40) | st.sampled_from(("\x01" * 300, '"\\', "ä\ud800", "😀" * 300))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from((10**4299, -(2**53))) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def doubling(steps: int) -> list[dict[str, Json]]:
    """Each step's output holds that of the one before it twice."""
    return [
        task(
            f"t{number}",
            "INLINE",
            {
                "evaluatorType": "value-param",
                "expression": "v",
                "v": [f"${{t{number - 1}.output.result}}"] * 2 if number else "x" * 100,
            },
        )
        for number in range(steps)
    ]


def test_an_input_that_grows_with_every_step_ends_before_it_is_large() -> None:
    run = Simulator(workflow(*doubling(40))).begin()

    failed = next(row for row in run.rows.values() if not row.status.successful)
    assert run.status == "FAILED"
    assert failed.status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert failed.reason.startswith("Its input cannot be resolved: it would hold about ")
    assert max(len(json.dumps(row.output)) for row in run.rows.values()) < 25 << 20


def test_an_answer_that_makes_too_large_an_output_fails_its_task() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.answers("a", replace(answer(LARGE[: 13 << 20]), size=13 << 20))

    assert run.task("a").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert "and 24 are allowed" in run.task("a").reason
    assert run.status == "FAILED"


@pytest.mark.parametrize("size", [2 << 20, 10 << 20])
def test_what_json_escapes_counts_as_it_is_written(size: int) -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.answers("a", replace(answer("\x01" * size), size=size))

    assert run.task("a").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert run.task("a").output is None


def test_early_words_and_the_answer_together_are_bounded() -> None:
    run = Simulator(workflow(http("a", asyncComplete=True))).begin()
    run.says("a", "IN_PROGRESS", {"progress": LARGE[: 23 << 20]})
    run.answers("a", answer(LARGE[: 2 << 20]))

    assert run.task("a").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert run.task("a").reason.startswith("What it came to cannot be kept: it would hold about 2")


def test_a_script_result_that_grows_when_it_is_written_again_is_bounded() -> None:
    result = "\ud800" + "ä" * (5 << 20)
    run = Simulator(workflow(task("i", "INLINE", {"expression": "x"})), judge=lambda *_: result)

    assert run.begin().task("i").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR


@pytest.mark.parametrize(
    "value", [LARGE[: 19 << 20], ['"' * 100] * 1000, 10**600], ids=["text", "list", "number"]
)
def test_a_switch_notes_the_beginning_of_a_long_value(value: Json) -> None:
    flow = workflow(
        task("s", "SWITCH", {"v": "${workflow.input.v}"}, evaluatorType="value-param",
             expression="v", decisionCases={"x": []}, defaultCase=[task("other", "NOOP")])
    )  # fmt: skip
    run = Simulator(flow, {"v": value}).begin()

    assert "other" in run.execution.tasks
    assert json_bytes(run.task("s").output) < 5 * MOST_CASE_CHARS
    assert json_bytes(run.task("s").input) < MAX_DOCUMENT_BYTES
    assert run.status == "COMPLETED"


def test_a_long_case_is_chosen_by_its_whole_text() -> None:
    case = "x" * 2 * MOST_CASE_CHARS
    flow = workflow(
        task("s", "SWITCH", {"v": case}, evaluatorType="value-param", expression="v",
             decisionCases={case: [task("long", "NOOP")]})
    )  # fmt: skip

    assert "long" in Simulator(flow).begin().execution.tasks


def test_an_output_of_the_execution_that_is_too_large_fails_it() -> None:
    flow = workflow(task("a", "NOOP"), outputParameters={"x": ["${workflow.input.x}"] * 3})
    run = Simulator(flow, {"x": LARGE[: 10 << 20]}).begin()

    assert run.status == "FAILED"
    assert run.execution.reason.startswith("Its output cannot be resolved: it would hold about 30")
    assert run.execution.output == {}


def test_an_update_that_makes_too_large_an_output_is_refused() -> None:
    run = Simulator(workflow(task("w", "WAIT"))).begin()
    run.says("w", "IN_PROGRESS", {"a": LARGE[: 20 << 20]})

    with pytest.raises(Refused, match="would hold about"):
        run.says("w", "COMPLETED", {"b": LARGE[: 20 << 20]})
    assert run.status == "RUNNING"


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR"])
def test_a_reason_from_outside_is_kept_in_short(status: str) -> None:
    run = Simulator(workflow(task("w", "WAIT"))).begin()
    run.says("w", status, reason="why " * 100_000)

    assert len(run.task("w").reason) == MAX_REASON_CHARS
    assert len(run.execution.reason) <= MAX_REASON_CHARS
    assert len(json.dumps(dict(run.task("w").memory))) < 2 * MAX_REASON_CHARS


def test_the_reason_of_a_termination_is_kept_in_short() -> None:
    flow = workflow(
        task(
            "t",
            "TERMINATE",
            {"terminationStatus": "FAILED", "terminationReason": "${workflow.input.why}"},
        )
    )
    within = Simulator(flow, {"why": "why " * 100_000}).begin()
    outside = Simulator(workflow(task("w", "WAIT"))).begin()
    outside.happens(Terminated("why " * 100_000))

    assert len(within.execution.reason) == MAX_REASON_CHARS
    assert len(outside.execution.reason) == MAX_REASON_CHARS


def test_what_json_cannot_hold_is_no_document() -> None:
    deep: Json = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]

    values: list[Json] = [deep, {"x": float("inf")}, [float("nan")]]
    for value in values:
        with pytest.raises(TooCostly):
            checked(value)


@given(DOCUMENTS)
def test_nothing_is_written_longer_than_it_counts(document: Json) -> None:
    documents: list[Json] = [document, [document, {"again": document}]]
    for value in documents:
        assert len(text_of(value).encode()) <= json_bytes(value)


def test_nothing_counts_for_much_more_than_it_is_written() -> None:
    values: list[Json] = ["x" * 1000, "\x01" * 1000, "€" * 500, ["ä" * 9] * 500, [10**300]]
    for value in values:
        assert json_bytes(value) < 1.15 * len(text_of(value).encode())


def test_a_large_number_counts_with_all_its_digits() -> None:
    doubled: Json = int("9" * 4300)
    for _ in range(13):
        doubled = [doubled, doubled]

    with pytest.raises(TooCostly):
        checked(doubled)


def test_a_part_counts_as_often_as_it_stands_there() -> None:
    doubled: Json = "x"
    for _ in range(200):
        doubled = [doubled, doubled]

    with pytest.raises(TooCostly):
        checked(doubled)


@pytest.mark.parametrize(
    "numbers", [[10**400, 0.5], [1e308, 1e308], [int("9" * 4300)] * 20]
)  # fmt: skip
def test_sums_beyond_any_measure_are_null(numbers: Json) -> None:
    flow = workflow(
        task("v", "SET_VARIABLE", {"x": "${workflow.input.n.sum()}"}),
        outputParameters={"x": "${workflow.variables.x}", "avg": "${workflow.input.n.avg()}"},
    )
    run = Simulator(flow, {"n": numbers}).begin()

    assert run.status == "COMPLETED"
    assert isinstance(run.execution.output, dict)
    assert run.execution.output["x"] is None


def test_a_time_out_beyond_any_measure_is_the_longest() -> None:
    run = Simulator(workflow(http("a", {"readTimeOut": "${workflow.input.t}"})), {"t": 1e300})

    assert run.begin().request("a").read_timeout.days == 1


def test_all_paths_of_a_decision_have_one_budget() -> None:
    paths: dict[str, Json] = {str(n): f"${{workflow.input.n..x{n}}}" for n in range(20)}
    flow = workflow(http("a", {"body": paths}))

    few = Simulator(flow, {"n": [[]] * 10_000}).begin()
    many = Simulator(flow, {"n": [[]] * 50_000}).begin()

    assert few.task("a").status is TaskStatus.IN_PROGRESS
    assert many.task("a").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert "looks at more than" in many.task("a").reason


def test_text_made_of_expressions_is_bounded_before_it_is_made() -> None:
    text: list[Json] = ["-${workflow.input.x}"] * 30
    run = Simulator(workflow(http("a", {"body": text})), {"x": ["y" * (1 << 20)] * 4}).begin()

    assert "would hold more than" in run.task("a").reason
