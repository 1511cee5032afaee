"""Orders and their tokens."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, strategies as st

from services.errors import InvalidRequest
from services.executor.ordering import EXECUTIONS, executions_by, going_on

NOW = 1_000
KEYS = st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5)


@given(st.sampled_from(sorted(EXECUTIONS)), st.booleans(), st.tuples(KEYS, KEYS, KEYS))
def test_a_token_leads_back_to_its_place(
    name: str, descending: bool, place: tuple[int | str, ...]
) -> None:
    order = executions_by(f"{name} {'desc' if descending else 'asc'}", {}, NOW)
    place = place[: len(order.keys)]

    later = going_on(partial(executions_by, order.text, {}), order.token(place), 2_000)

    assert later == (order, place)


@given(st.text(min_size=1, max_size=40))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="page_token"):
        going_on(partial(executions_by, "", {}), text, NOW)


@pytest.mark.parametrize("place", [(True, "a"), (2**63, "a"), (None, "a"), ([], "a"), (1.5, "a")])
def test_what_no_database_can_hold_is_no_place(place: tuple[object, ...]) -> None:
    by = partial(executions_by, "", {})
    token = by(NOW).token(place)  # type: ignore[arg-type]

    with pytest.raises(InvalidRequest):
        going_on(by, token, NOW)
