from __future__ import annotations

import copy
import json
from typing import Any

from tui.views.execution_diff import difference_data, difference_lines, execution_difference


def task(ref: str, status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    return {
        "referenceTaskName": ref,
        "status": status,
        "startTime": 1_000,
        "endTime": 1_300,
        "inputData": {"uri": "https://a"},
        "outputData": {"response": {"statusCode": 200}},
        **more,
    }


ONE: dict[str, Any] = {
    "workflowId": "9f2c",
    "workflowName": "order",
    "workflowVersion": 3,
    "status": "COMPLETED",
    "startTime": 1_000,
    "endTime": 2_200,
    "input": {"orderId": 7},
    "output": {"total": 1},
    "variables": {},
    "tasks": [task("charge"), task("ship"), task("tell")],
}


def other() -> dict[str, Any]:
    failed = {
        "endTime": 3_000,
        "outputData": {"response": {"statusCode": 502}},
        "reasonForIncompletion": "502",
    }
    return {
        **copy.deepcopy(ONE),
        "workflowId": "71aa",
        "status": "FAILED",
        "endTime": 15_000,
        "reasonForIncompletion": "charge:\n\x1b[31m502",
        "input": {"orderId": 8},
        "tasks": [
            task("charge", "FAILED", **failed),
            task("charge", "FAILED", pollCount=2, **failed),
            task("mend"),
        ],
    }


def test_what_differs_is_told_line_by_line() -> None:
    assert list(difference_lines(execution_difference(ONE, other()))) == [
        "-  9f2c  order v3  COMPLETED  1.2 s",
        r"+  71aa  order v3  FAILED     14.0 s  charge: \x1b[31m502",
        "input",
        "     orderId 7 → 8",
        "tasks",
        "~  charge  COMPLETED 300 ms  FAILED 2.0 s, 2 attempts, 2 polls  +1.7 s",
        "     output.response.statusCode 200 → 502",
        "+  mend    did not run       COMPLETED 300 ms",
        "-  ship    COMPLETED 300 ms  did not run",
        "-  tell    COMPLETED 300 ms  did not run",
    ]


def test_what_went_the_same_way_says_so() -> None:
    two = {**copy.deepcopy(ONE), "workflowId": "other", "endTime": 9_000}
    two["tasks"][0]["endTime"] = 8_000
    difference = execution_difference(ONE, two)

    assert not difference.differs
    assert list(difference_lines(difference))[-1] == "They went the same way, with the same data."


def test_as_data_every_field_is_there() -> None:
    data = difference_data(execution_difference(ONE, other()))

    assert json.loads(json.dumps(data)) == data
    assert data["differs"]
    assert [each["status"] for each in data["executions"]] == ["COMPLETED", "FAILED"]
    assert data["input"] == [{"path": "orderId", "before": 7, "after": 8}]
    by_ref = {each["ref"]: each for each in data["tasks"]}
    assert list(by_ref) == ["charge", "mend", "ship", "tell"]
    assert by_ref["charge"]["second"]["attempts"] == 2
    assert by_ref["mend"]["first"] is None
    assert by_ref["charge"]["output"][0]["path"] == "response.statusCode"


def test_another_status_reason_or_version_is_a_difference() -> None:
    for name, value in {
        "status": "PAUSED",
        "reasonForIncompletion": "x",
        "workflowVersion": 4,
    }.items():
        assert execution_difference(ONE, {**ONE, name: value}).differs


def test_another_number_of_attempts_is_a_difference_and_of_polls_is_none() -> None:
    again = {**ONE, "tasks": [task("charge", "FAILED"), *ONE["tasks"]]}
    polled = {**ONE, "tasks": [task("charge", pollCount=9), *ONE["tasks"][1:]]}

    assert execution_difference(ONE, again).differs
    assert not execution_difference(ONE, polled).differs


def test_long_lists_of_changes_are_cut_in_text() -> None:
    two = {**ONE, "input": {f"n{n}": n for n in range(30)}}
    lines = list(difference_lines(execution_difference(ONE, two)))

    assert "     and 19 more" in lines


def test_an_execution_that_has_just_begun_is_compared() -> None:
    begun = {"workflowId": "x", "workflowName": "order", "status": "RUNNING", "startTime": 1}
    lines = list(difference_lines(execution_difference(begun, ONE)))

    assert lines[0].startswith("-  x     order v0  RUNNING")
    assert execution_difference({}, {}).tasks == []
