from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tui.views.editing import (
    EditorFault,
    Language,
    indentation,
    location_of,
    offset_of,
    placed_faults,
    syntax_fault,
)
from tui.views.faults import PlacedFault


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ('{"a": 1,}', "json", (1, 9)),
        ('{"a": 1\n "b": 2}', "json", (2, 2)),
        ('{"a": 1,\n "a": 2}', "json", (2, 1)),
        ("a: 1\nb: [", "yaml", (2, 1)),
        ("a: 1\na: 2", "yaml", (2, 1)),
        ('{"a": 1}', "json", None),
        ("a: 1", "yaml", None),
        ("", "json", None),
        ("}{", "javascript", None),
    ],
)
def test_what_cannot_be_read_is_a_fault_at_its_place(
    text: str, language: Language, expected: tuple[int, int] | None
) -> None:
    fault = syntax_fault(text, language)

    assert (fault and (fault.line, fault.column)) == expected


@given(st.text(st.sampled_from('{}[]",: \n1a'), max_size=30), st.sampled_from(["json", "yaml"]))
def test_any_text_is_read_or_has_a_fault_on_one_of_its_lines(text: str, language: Language) -> None:
    fault = syntax_fault(text, language)

    assert fault is None or 1 <= fault.line <= text.count("\n") + 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('{"tasks": [\n  {"type":\n   "X"}]}', "json"),
        ("# note\ntasks:\n  - type: X\n", "yaml"),
    ],
)
def test_faults_of_the_registry_stand_at_their_line(text: str, language: Language) -> None:
    found = placed_faults(
        text,
        language,
        [PlacedFault("", "tasks[0].type", "is unknown"), PlacedFault("", "name", "is required")],
    )

    assert found[0].line == (2 if language == "json" else 3)
    assert found[0].message == "tasks[0].type: is unknown"
    assert found[1].line >= 1


def test_a_fault_in_yaml_is_at_the_value_of_its_line() -> None:
    text = "name: order\ntasks:\n- type: HTTTP\n  retryCount: -1\n"
    paths = ("tasks[0].type", "tasks[0].retryCount", "tasks")
    found = placed_faults(text, "yaml", [PlacedFault("", path, "is wrong") for path in paths])

    places = [(fault.line, fault.column) for fault in found]
    assert places == [(3, 9), (4, 15), (2, 1)]


def test_faults_of_a_text_that_cannot_be_read_stand_somewhere() -> None:
    fault = PlacedFault("", "tasks[0].type", "is unknown")

    assert placed_faults("a: [", "yaml", [fault], warnings=True)[0].is_warning
    assert placed_faults("", "yaml", [fault])[0].line == 1
    assert placed_faults("", "javascript", [fault])[0] == EditorFault(
        1, 1, "tasks[0].type: is unknown"
    )


@pytest.mark.parametrize(
    ("before", "language", "expected"),
    [
        ('  "a": {', "json", "    "),
        ('  "a": 1,', "json", "  "),
        ("if (x) {", "javascript", "  "),
        ("  tasks:", "yaml", "    "),
        ("  script: |", "yaml", "    "),
        ("  tasks:", "json", "  "),
        ("", "text", ""),
    ],
)
def test_a_line_is_indented_as_what_is_before_it(
    before: str, language: Language, expected: str
) -> None:
    assert indentation(before, language) == expected


@given(st.text(st.sampled_from("a\n\r{"), max_size=20), st.data())
def test_places_and_offsets_are_the_same(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))

    assert offset_of(text, *location_of(text, offset)) == offset
