from __future__ import annotations

import pytest

from services.errors import Fault
from services.yaml_documents import read_documents
from tui.views.faults import PlacedFault, nearer, placed

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
