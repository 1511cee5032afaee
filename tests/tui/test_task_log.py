"""The log of a task as a text."""

from __future__ import annotations

import pytest

from services.executor.core.turns import MOST_LOG_LINES
from tui.live.task_logs import LogLine, log_query
from tui.views.task_log import KEPT, NOTHING, counted, log_text


def test_each_line_has_its_time_and_what_goes_on_stands_below() -> None:
    lines = [LogLine("0", 3661.5, "first"), LogLine("1", 3662.0, "two\r\nlines\n")]

    assert log_text(lines) == (
        "01:01:01.500  first\n01:01:02.000  two\n              lines"
    )  # fmt: skip


def test_an_empty_log_says_who_would_write_it() -> None:
    assert log_text([]) == NOTHING


def test_what_has_ended_is_another_query() -> None:
    assert log_query("e", "t", ended=False) == "e/t"
    assert log_query("e", "t", ended=True) == "e/t/ended"


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 lines"),
        (1, "1 line"),
        (999, "999 lines"),
        (1000, "the first 1,000 lines, more are not kept"),
        (1200, "the first 1,200 lines, more are not kept"),
    ],
)
def test_a_log_that_is_full_says_that_it_is_the_first_part(count: int, told: str) -> None:
    assert counted(count) == told


def test_a_log_is_full_where_the_executor_keeps_no_more() -> None:
    assert KEPT == MOST_LOG_LINES
