"""Which part of a workflow's text is which of its tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tui.views.editing import Language
from tui.views.graph.plan import read
from tui.views.task_spans import span_at, spans, task_path
from tui.views.writing import written

LOOP: dict[str, Any] = {
    "name": "w",
    "tasks": [
        {
            "taskReferenceName": "s", "type": "SWITCH",
            "decisionCases": {"a b": [{"taskReferenceName": "i"}]},
            "defaultCase": [{"taskReferenceName": "d", "inputParameters": {"list": [{"a": 1}]}}],
            "expression": "x",
        },
        {"taskReferenceName": "l", "loopOver": [{"taskReferenceName": "q"}], "type": "DO_WHILE"},
        {
            "taskReferenceName": "f", "type": "FORK_JOIN",
            "forkTasks": [[{"taskReferenceName": "one"}], [{"taskReferenceName": "two"}]],
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", ["json", "yaml"])
def test_the_drawing_and_the_text_have_the_same_tasks(language: Language) -> None:
    found = spans(written(LOOP, language), language)

    paths = {step.path for step in read(LOOP).by_key.values()}
    assert len(found) == len(paths) == 8
    assert {each.path for each in found} == paths


@pytest.mark.parametrize("language", ["json", "yaml"])
def test_a_place_is_in_the_innermost_task(language: Language) -> None:
    text = written(LOOP, language)
    rows = text.split("\n")
    known = spans(text, language)

    def path_of_row_with(part: str) -> str:
        row = next(number for number, each in enumerate(rows) if part in each)
        found = span_at(known, (row, len(rows[row]) - len(rows[row].lstrip())))
        return found.path if found else ""

    inner = '"taskReferenceName": "q"' if language == "json" else "taskReferenceName: q"
    assert path_of_row_with(inner) == "tasks[1].loopOver[0]"
    assert path_of_row_with("DO_WHILE") == "tasks[1]"
    assert path_of_row_with("list") == "tasks[0].defaultCase[0]"
    assert path_of_row_with("expression") == "tasks[0]"
    assert span_at(known, (0, 0)) is None


def test_what_is_half_written_counts_as_far_as_it_goes() -> None:
    found = spans('{"tasks": [{"a": 1}, {"taskReferenceName": "b', "json")

    assert [each.path for each in found] == ["tasks[0]", "tasks[1]"]


@given(st.text(alphabet='{}[],:"\\ \nab1', max_size=80))
def test_no_text_is_too_broken(text: str) -> None:
    for each in spans(text, "json"):
        assert each.start <= each.end


@pytest.mark.parametrize(
    ("fault", "task"),
    [
        ("tasks[2].inputParameters.uri", "tasks[2]"),
        ("tasks[0].decisionCases['a b'][1].type", "tasks[0].decisionCases.a b[1]"),
        ("tasks[0].forkTasks[1][0]", "tasks[0].forkTasks[1][0]"),
        ("tasks[1].loopOver", "tasks[1]"),
        ("tasks", ""),
        ("name", ""),
        ("", ""),
    ],
)
def test_a_fault_is_of_the_innermost_task(fault: str, task: str) -> None:
    assert task_path(fault) == task


def test_300_tasks_of_one_line_are_told_apart() -> None:
    text = json.dumps({"tasks": [{"taskReferenceName": f"t{n}"} for n in range(300)]})
    known = spans(text, "json")

    found = span_at(known, (0, text.index('"t299"')))

    assert found is not None
    assert found.path == "tasks[299]"
