from __future__ import annotations

import pytest

from services.errors import Fault, InvalidDefinition, Stale
from services.yaml_documents import read_documents
from tui.views.faults import PlacedFault, faults_of, nearer, of_warning, placed

ORIGINS = ("a.yaml:1", "a.yaml:12")


@pytest.mark.parametrize(
    ("path", "origin", "rest"),
    [
        ("a.yaml:12: tasks[0].type", "a.yaml:12", "tasks[0].type"),
        ("a.yaml:1", "a.yaml:1", ""),
        ("a.yaml:13: name", "", "a.yaml:13: name"),
        ("", "", ""),
    ],
)
def test_a_fault_is_placed_by_its_document(path: str, origin: str, rest: str) -> None:
    fault = Fault(path, "is required")

    assert placed(fault, ORIGINS) == PlacedFault(origin, rest, "is required")
    assert str(placed(fault, ORIGINS)) == str(fault)


TEXT = """\
id: orders
base: &base
  limit: 1
routes:
  - path: /a

  - path: /b
    'it''s': {x: 1,
      y: 2}
    copy: *base
    grown:
      <<: *base
      more: 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("id", 1),
        ("routes", 4),
        ("routes[1]", 7),
        ("routes[1].path", 7),
        ("routes[1].httpMethod", 7),
        ("routes[1]['it\\'s'].y", 9),
        ("routes[1].copy.limit", 3),
        ("routes[1].grown.limit", 11),
        ("routes[1].grown.more", 13),
        ("routes[2].path", 4),
        ("idle", 20),
        ("", 20),
    ],
)
def test_a_fault_has_the_line_of_the_innermost_part_that_is_there(path: str, line: int) -> None:
    (read,) = read_documents(TEXT)

    found = nearer(PlacedFault("a:b.yaml:20", path, "x"), read.document, read.lines)
    assert found == PlacedFault(f"a:b.yaml:{line}", path, "x")


def test_of_json_the_line_where_the_document_begins_is_told() -> None:
    (read,) = read_documents('\n{"routes": [\n5]}')

    fault = PlacedFault("a.json:2", "routes[0]", "x")
    assert nearer(fault, read.document, read.lines) == fault


@pytest.mark.parametrize(
    ("detail", "meant", "line"),
    [
        ("is no field of a route; did you mean 'path'?", "path", 0),
        ("must be X, not 'a; did you mean 'b'?'", "", 0),
        ("is no JavaScript: SyntaxError: Unexpected token ')' (line 12)", "", 12),
        ("line 3: is no JSON: Expecting value", "", 3),
        ("cannot be read: line 3: is no JSON: Expecting value", "", 3),
        ("must be at most 3, not 'line 4: x'", "", 0),
    ],
)
def test_a_fault_tells_what_was_meant_and_which_line(detail: str, meant: str, line: int) -> None:
    fault = PlacedFault("", "p", detail)

    assert (fault.meant, fault.line_within) == (meant, line)


def test_an_error_without_faults_is_one() -> None:
    two = InvalidDefinition("There are 2 faults.", [Fault("f0: a", "x"), Fault("f1", "y")])

    assert faults_of(two, ["f0", "f1"]) == (
        PlacedFault("f0", "a", "x"),
        PlacedFault("f1", "", "y"),
    )
    assert faults_of(Stale("Read it again.")) == (PlacedFault("", "", "Read it again."),)


@pytest.mark.parametrize(
    ("sentence", "path", "detail"),
    [
        ("tasks[2].x: is kept: so", "tasks[2].x", "is kept: so"),
        ("routes[0]['a: \\'b']: is kept", "routes[0]['a: \\'b']", "is kept"),
        ("[0]: is kept", "[0]", "is kept"),
        ("The file: is kept", "", "The file: is kept"),
    ],
)
def test_a_warning_is_parted_from_its_path(sentence: str, path: str, detail: str) -> None:
    assert of_warning(sentence) == PlacedFault("", path, detail)
