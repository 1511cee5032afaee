"""A query's fault, with its place under the text."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from services.query import QueryFault, parse
from services.query.executions import EXECUTIONS
from tui.views.query_faults import fault_text


def told(query: str) -> list[str]:
    with pytest.raises(QueryFault) as caught:
        parse(query, EXECUTIONS)
    return fault_text(query, caught.value).splitlines()


def test_the_fault_is_underlined() -> None:
    assert told("wf:a  status:fialed") == [
        "There is no status 'fialed'; did you mean failed? There are running, paused, completed, "
        "failed, timed_out, terminated.",
        "",
        "  wf:a  status:fialed",
        "               ^^^^^^",
    ]


def test_wide_and_unseen_characters_do_not_move_the_line() -> None:
    *_, line, under = told('"中文\x1b\n" statu:x')

    assert line == '  "中文\\x1b " statu:x'
    assert under == " " * 14 + "^^^^^"


def test_of_a_long_query_a_part_is_shown() -> None:
    *_, line, under = told("a " * 150)

    assert cell_len(line) < 130
    assert line.startswith("  …a a")
    assert under.endswith(" ^")


@given(st.text(max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_the_text_is_always_four_lines(query: str, one: int, other: int) -> None:
    start, end = sorted(min(each, len(query)) for each in (one, other))

    assert fault_text(query, QueryFault("no", start, end)).count("\n") == 3
