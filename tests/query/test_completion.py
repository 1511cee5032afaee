"""What may stand where the cursor is."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services.query import complete, parse
from services.query.executions import EXECUTIONS, STATUSES

VALUES = {"wf": ["order_flow", "my flow", "report"], "input": ["order.id", "items[0].sku"]}


def offered(text: str, cursor: int | None = None) -> list[tuple[str, tuple[int, int]]]:
    at = len(text) if cursor is None else cursor
    return [(each.text, each.replaces) for each in complete(text, at, EXECUTIONS, VALUES)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("st", ("status:", (0, 2))),
        ("wf:a st", ("status:", (5, 7))),
        ("(st", ("status:", (1, 3))),
        ("!st", ("status:", (1, 3))),
        ("workflowT", ("workflowType:", (0, 9))),
        ("status:fa", ("failed", (7, 9))),
        ("status:failed,te", ("terminated", (14, 16))),
        ("status IN (fa", ("failed", (11, 13))),
        ("status = fa", ("failed", (9, 11))),
        ("wf:o", ("order_flow", (3, 4))),
        ("wf:flow", ("order_flow", (3, 7))),
        ('wf:"my', ('"my flow"', (3, 6))),
        ("older:", ("5m", (6, 6))),
        ("dur>", ("5m", (4, 4))),
        ("inp", ("input.", (0, 3))),
        ("input.or", ("input.order.id=", (0, 8))),
        ("wf:a NO", ("NOT ", (5, 7))),
        ("wf:a O", ("older:", (5, 6))),
    ],
)
def test_what_is_begun_is_completed(text: str, first: tuple[str, tuple[int, int]]) -> None:
    assert offered(text)[0] == first


def test_all_is_offered_where_nothing_is_begun() -> None:
    assert [text for text, _ in offered("status:")] == [each.lower() for each in STATUSES]
    names = [text for text, _ in offered("")]
    assert names[:2] == ["status:", "wf:"]
    assert "OR " not in names
    assert "OR " in [text for text, _ in offered("wf:a ")]


def test_a_value_stands_where_the_cursor_is_not_at_the_end() -> None:
    assert offered("status:f wf:a", 8) == [("failed", (7, 8))]


def test_what_is_unknown_has_no_completions() -> None:
    assert offered("nope:") == []
    assert offered("status:xyz") == []


@given(st.text(max_size=30), st.integers(0, 30))
def test_any_text_can_be_completed(text: str, cursor: int) -> None:
    at = min(cursor, len(text))
    for each in complete(text, at, EXECUTIONS, VALUES):
        start, end = each.replaces
        assert 0 <= start <= end == at


@pytest.mark.parametrize("begun", ["wf:o", 'wf:"my', "wf:rep"])
def test_a_completed_value_is_read(begun: str) -> None:
    for text, (start, end) in offered(begun):
        parse(begun[:start] + text + begun[end:], EXECUTIONS)
