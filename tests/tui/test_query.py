from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tui.views.query import STATUSES, Query, QueryFault, parse


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("status:failed", Query(statuses=("FAILED",))),
        ("status:failed wf:order*", Query(statuses=("FAILED",), workflow="order*")),
        ("status:failed,timed-out", Query(statuses=("FAILED", "TIMED_OUT"))),
        (
            "status = FAILED AND workflowType = order",
            Query(statuses=("FAILED",), workflow="order"),
        ),
        ("status IN (FAILED, RUNNING)", Query(statuses=("FAILED", "RUNNING"))),
        ('workflowType = "two words"', Query(workflow="two words")),
        ("correlationId = c-1", Query(correlation_id="c-1")),
        (
            "startTime > 1767225600000",
            Query(started_after=datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        (
            "startTime < 2026-01-01T00:00",
            Query(started_before=datetime(2026, 1, 1, tzinfo=UTC)),
        ),
    ],
)
def test_both_ways_to_write_a_query_are_read(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("status:fialed", "There is no status FIALED"),
        ("statu:failed", "did you mean status?"),
        ("foo:bar", "'foo'; there are status, wf"),
        ("failed", "is no condition"),
        ("after:yesterday", "is no time"),
        ("wf:(a, b)", "takes one value"),
    ],
)
def test_a_query_that_cannot_be_read_says_which_part(text: str, says: str) -> None:
    with pytest.raises(QueryFault, match=says.replace("?", r"\?")):
        parse(text)


@given(st.lists(st.sampled_from(STATUSES), min_size=1, unique=True))
def test_statuses_are_kept_in_order(statuses: list[str]) -> None:
    assert parse(f"status:{','.join(statuses).lower()}").statuses == tuple(statuses)


@given(st.text())
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    with suppress(QueryFault):
        assert isinstance(parse(text), Query)
