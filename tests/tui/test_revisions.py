"""What storing a revision again comes to."""

from __future__ import annotations

from typing import Any

import pytest

from tui.resources.revisions import MOST_TOLD, ROLLBACK, Revision


def effect(now: dict[str, Any] | None, then: dict[str, Any]) -> list[str]:
    row = Revision("3", "workflow", "order", 1, "", "", "", then, None, now)
    assert ROLLBACK.effect is not None
    return ROLLBACK.effect([row]).splitlines()[1:]


@pytest.mark.parametrize(
    ("now", "then", "told"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ["b 2 → 3"]),
        ({"a": 1}, {"a": 1}, ["It is so now."]),
        (None, {"a": 1}, ["It is deleted now."]),
    ],
)
def test_it_says_what_changes(
    now: dict[str, Any] | None, then: dict[str, Any], told: list[str]
) -> None:
    assert effect(now, then) == told


def test_of_much_the_first_is_told_and_all_is_counted() -> None:
    told = effect({}, {f"field{number}": number for number in range(MOST_TOLD + 5)})

    assert len(told) == MOST_TOLD + 1
    assert told[-1] == "and 5 more"
