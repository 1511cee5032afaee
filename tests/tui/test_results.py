"""What came of an action on many records: counted, kept in bounds, and told by the stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from tui.live import actions
from tui.live.actions import ActionLog, ActionState
from tui.live.collection import Collection
from tui.live.results import ItemResult, Outcomes, Results
from tui.resources.execution_actions import ACTIONS
from tui.resources.execution_row import Execution
from tui.resources.model import MOST_NAMED, command_line

RETRY, PAUSE, RESUME, TERMINATE, RESTART = ACTIONS


def ids(count: int) -> dict[str, Any]:
    return {f"e{number:03}": "before" for number in range(count)}


def row(id_: str, status: str, ended_at: float | None = None) -> Execution:
    return Execution(
        id_, "order", 1, status, 0.0, ended_at or 0.0, ended_at, "no" * (status == "FAILED"),
        "", "", (), (),
    )  # fmt: skip


class Thing(NamedTuple):
    id: str
    state: str


# Counted and kept


def test_all_are_counted_and_a_bounded_number_is_kept() -> None:
    results = Results(ids(9), most=3)
    for id_ in ids(9):
        results.answer(ItemResult(id_, True))

    assert (results.done, results.failed, results.count) == (9, 0, 9)
    assert list(results.kept.records) == ["e000", "e001", "e002"]


def test_what_failed_is_kept_before_what_was_done() -> None:
    results = Results(ids(9), most=3)
    for number, id_ in enumerate(ids(9)):
        results.answer(ItemResult(id_, number % 2 == 0, f"because {number}"))

    assert (results.done, results.failed) == (5, 4)
    assert results.failed_ids == ["e001", "e003", "e005"]
    assert results.first_failure == "because 1"


def test_what_is_not_answered_when_the_call_breaks_has_failed() -> None:
    results = Results(ids(3))
    results.answer(ItemResult("e001", True))
    results.fail_rest("away")

    assert (results.done, results.failed, results.unanswered) == (1, 2, 0)
    assert results.kept.records["e000"].detail == "away"


def test_of_the_oldest_actions_what_came_of_each_record_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actions, "MOST_RECORDS", 5)
    log = ActionLog(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    begun = [log.begin("Retry", "podium retry", ids(4)) for _ in range(3)]
    for _, results in begun:
        for id_ in ids(4):
            results.answer(ItemResult(id_, True))
    log.begin("Retry", "podium retry", ids(4))

    assert [len(log.results(id_).kept) for id_, _ in begun] == [0, 0, 4]
    assert begun[0][1].done == 4


# What was accepted


def accepted(count: int = 2) -> tuple[Results, Collection[Thing], list[int]]:
    """Results of records that were accepted, of which a collection tells by their state."""
    results, things, told = Results(ids(count)), Collection[Thing](), []
    things.put(Thing(id_, "before") for id_ in ids(count))
    Outcomes(
        results, things, lambda thing: thing.state,
        lambda thing: None if thing.state == "runs" else (thing.state == "well", thing.state),
        lambda: told.append(results.done),
    )  # fmt: skip
    for id_ in ids(count):
        results.answer(ItemResult(id_, True, "running", open=True))
    return results, things, told


def test_what_was_accepted_is_done_when_the_stream_says_so() -> None:
    results, things, told = accepted()
    assert (results.done, results.accepted) == (0, 2)

    things.put([Thing("e000", "runs"), Thing("e001", "well")])
    assert (results.done, results.accepted, told) == (1, 1, [1])

    things.put([Thing("e000", "badly")])
    assert (results.done, results.failed, results.accepted) == (1, 1, 0)
    assert results.failed_ids == ["e000"]


def test_what_stands_as_before_tells_nothing() -> None:
    results, things, told = accepted()
    things.put([Thing("e000", "before")])

    assert (results.accepted, told) == (2, [])


def test_nothing_is_heard_once_all_is_known() -> None:
    results, things, _ = accepted(1)
    things.put([Thing("e000", "well")])
    things.put([Thing("e000", "badly")])

    assert (results.done, results.failed) == (1, 0)
    assert things._listeners == []


def test_an_entry_is_accepted_then_done_or_failed() -> None:
    log = ActionLog(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    id_, results = log.begin("Retry 2", "podium retry a b", ids(2))
    for each in ids(2):
        results.answer(ItemResult(each, True, "running", open=True))
    log.tell(id_, results)
    entry = log.collection.records[id_]
    assert (entry.state, entry.detail) == (ActionState.ACCEPTED, "0 of 2, 2 accepted")

    results.settle("e000", (True, "completed"))
    results.settle("e001", (False, "failed: no"))
    log.tell(id_, results)
    entry = log.collection.records[id_]
    assert (entry.state, entry.detail) == (ActionState.FAILED, "1 of 2, 1 failed: failed: no")


@pytest.mark.parametrize(
    ("action", "status", "outcome"),
    [
        (RETRY, "RUNNING", None),
        (RETRY, "PAUSED", None),
        (RETRY, "COMPLETED", (True, "completed")),
        (RETRY, "FAILED", (False, "failed: no")),
        (RESTART, "TIMED_OUT", (False, "timed out")),
        (PAUSE, "RUNNING", None),
        (PAUSE, "PAUSED", (True, "paused")),
        (PAUSE, "COMPLETED", (False, "completed")),
        (RESUME, "PAUSED", None),
        (RESUME, "FAILED", (True, "failed")),
        (TERMINATE, "RUNNING", None),
        (TERMINATE, "TERMINATED", (True, "terminated")),
        (TERMINATE, "COMPLETED", (False, "completed")),
    ],
)
def test_what_comes_of_an_execution_is_told_by_where_it_stands(
    action: Any, status: str, outcome: tuple[bool, str] | None
) -> None:
    assert action.outcome(row("e", status)) == outcome


# As a command


def test_few_are_named_and_many_are_what_a_query_finds() -> None:
    few, many = ([row(f"e{n}", "FAILED") for n in range(count)] for count in (2, 50_000))

    assert command_line(RETRY, few, {}, "status:failed") == "podium retry e0 e1"
    wanted = "podium terminate --query 'status:failed wf:order*' --reason 'it is over'"
    answers = {"reason": "it is over"}
    assert command_line(TERMINATE, many, answers, "status:failed wf:order*") == wanted


def test_of_many_that_no_query_finds_some_are_named() -> None:
    many = [row(f"e{number}", "FAILED") for number in range(50_000)]
    command = command_line(RETRY, many, {})

    assert len(command) < 500
    assert command.endswith(f"e{MOST_NAMED - 1} # and 49,980 more")
