"""What is shown and asked before something is done."""

from __future__ import annotations

import pytest

from tui.live.actions import ActionEntry
from tui.live.pending import LINGERING_SECONDS, Pending
from tui.views.confirmation import FEW, Danger, asks, confirmed, plan


def test_one_is_named_and_nothing_is_typed() -> None:
    wanted = plan("Terminate", ["order 9f2c"], ["● running"], "It will end.")

    assert wanted.title == "Terminate order 9f2c"
    assert wanted.lines == ("It will end.",)
    assert wanted.items == ()
    assert wanted.typed == ""


def test_what_is_not_on_the_screen_is_told() -> None:
    wanted = plan("Restart", ["x"] * 3, hidden=2)

    assert wanted.lines[0].startswith("2 of them out of sight")


def test_of_several_the_first_few_are_named_and_all_are_counted_by_status() -> None:
    labels = [f"order {number}" for number in range(17)]
    wanted = plan("Terminate", labels, ["● running"] * 12 + ["‖ paused"] * 5)

    assert wanted.title == "Terminate 17"
    assert wanted.lines == ("12 ● running · 5 ‖ paused",)
    assert wanted.items == (*labels[:5], "and 12 more")


@pytest.mark.parametrize(
    ("count", "protected", "danger", "typed"),
    [
        (FEW, "", Danger.ASKS, ""),
        (FEW + 1, "", Danger.ASKS, str(FEW + 1)),
        (1, "production", Danger.ASKS, "production"),
        (500, "production", Danger.ASKS, "production"),
        (FEW, "production", Danger.SEVERAL, ""),
        (FEW + 1, "", Danger.SEVERAL, str(FEW + 1)),
        (500, "production", Danger.SEVERAL, "production"),
        (500, "production", Danger.NONE, ""),
    ],
)
def test_many_and_protected_contexts_are_typed(
    count: int, protected: str, danger: Danger, typed: str
) -> None:
    wanted = plan("Retry", ["x"] * count, protected=protected, danger=danger)

    assert wanted.typed == typed


@pytest.mark.parametrize(
    ("danger", "one", "two", "one_where_protected"),
    [
        (Danger.NONE, False, False, False),
        (Danger.SEVERAL, False, True, True),
        (Danger.ASKS, True, True, True),
    ],
)
def test_what_only_goes_on_asks_when_it_is_several_or_protected(
    danger: Danger, one: bool, two: bool, one_where_protected: bool
) -> None:
    assert asks(danger, 1, False) is one
    assert asks(danger, 2, False) is two
    assert asks(danger, 1, True) is one_where_protected


def test_a_count_may_have_its_commas() -> None:
    assert confirmed(" 1,200 ", "1200")
    assert not confirmed("120", "1200")
    assert not confirmed("", "1200")


def _pending() -> tuple[Pending, ActionEntry]:
    from datetime import UTC, datetime

    entry = ActionEntry("1", datetime(2026, 1, 1, tzinfo=UTC), "title", "command")
    pending = Pending()
    pending.sent("executions", "terminating", [entry], lambda _: "RUNNING")
    return pending, entry


def test_a_mark_stays_until_the_state_is_another() -> None:
    pending, _ = _pending()
    pending.answered("executions", "1", True, 0.0)

    assert pending.word("executions", "1", "RUNNING", 1.0) == "terminating"
    assert pending.word("executions", "1", "TERMINATED", 1.0) == ""
    assert pending.word("executions", "1", "RUNNING", 1.0) == ""


def test_a_mark_goes_when_the_call_failed() -> None:
    pending, _ = _pending()
    pending.answered("executions", "1", False, 0.0)

    assert pending.word("executions", "1", "RUNNING", 1.0) == ""


def test_a_mark_goes_when_the_call_ended_without_a_word_on_it() -> None:
    pending, _ = _pending()
    pending.over("executions", ["1"], 0.0)

    assert pending.word("executions", "1", "RUNNING", 1.0) == ""


def test_what_was_answered_and_changed_nothing_does_not_linger() -> None:
    pending, _ = _pending()
    pending.answered("executions", "1", True, 0.0)

    assert pending.word("executions", "1", "RUNNING", LINGERING_SECONDS + 1) == ""


def test_marks_of_what_nobody_looks_at_are_not_held_for_good() -> None:
    pending, _ = _pending()
    pending.answered("executions", "1", True, 0.0)
    pending.over("executions", ["1"], LINGERING_SECONDS)
    assert len(pending) == 1

    pending.over("executions", [], LINGERING_SECONDS + 1)

    assert len(pending) == 0
