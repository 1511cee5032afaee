from __future__ import annotations

import pytest

from services.errors import Fault
from tui.views.faults import PlacedFault, placed

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
