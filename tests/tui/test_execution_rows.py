"""Two executions compared, as rows."""

from __future__ import annotations

from typing import Any

from tui.views.execution_diff import execution_difference
from tui.views.execution_rows import documents, rows


def task(ref: str, output: Any, start: int = 1_000, end: int = 2_000) -> dict[str, Any]:
    return {
        "referenceTaskName": ref, "status": "COMPLETED", "startTime": start, "endTime": end,
        "inputData": {}, "outputData": {"x": output},
    }  # fmt: skip


def execution(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "workflowId": "a", "workflowName": "w", "workflowVersion": 1, "status": "COMPLETED",
        "startTime": 1_000, "endTime": 3_000, "tasks": list(tasks), **more,
    }  # fmt: skip


ONE = execution(task("same", 1), task("other", 1), task("left", 1), input={"a": 1})
TWO = execution(
    task("same", 1, end=4_000), task("other", 2), task("right", 1), input={"a": 2}, status="FAILED"
)


def test_rows_say_what_differs_in_the_order_of_the_way() -> None:
    found = rows(execution_difference(ONE, TWO))

    assert [(row.sign, row.what) for row in found] == [
        ("~", "execution"), ("~", "input"), (" ", "same"), ("~", "other"), ("+", "right"),
        ("-", "left"),
    ]  # fmt: skip
    assert [row.number for row in found] == list(range(6))
    head, given, same, other, right, left = found
    assert (head.one, head.two, head.differs) == (
        "v1 COMPLETED 2.0 s", "v1 FAILED 2.0 s", "status",
    )  # fmt: skip
    assert given.differs == "1 place"
    assert (same.later, same.is_difference) == ("+2.0 s", False)
    assert other.differs == "output"
    assert right.one == left.two == "did not run"


def test_the_documents_of_a_row_are_those_of_the_last_attempts() -> None:
    again = execution(task("other", 1), task("other", 3))

    one, two = documents("task other", ONE, again)
    assert '"x": 1' in one
    assert '"x": 3' in two
    assert documents("task left", ONE, TWO)[1] == ""
    assert documents("input", ONE, TWO) == ('{\n  "a": 1\n}', '{\n  "a": 2\n}')
    assert '"status": "FAILED"' in documents("execution", ONE, TWO)[1]


def test_the_same_has_no_differences() -> None:
    found = rows(execution_difference(ONE, ONE))

    assert not any(row.is_difference for row in found)
    assert [row.what for row in found] == ["execution", "same", "other", "left"]
