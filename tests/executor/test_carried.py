"""Which tasks an edge may never have heard of when the executor was killed."""

from __future__ import annotations

from services.executor.carried import Carried
from services.executor.turn_rows import NO_TURNS, Turns

SECOND = 1_000_000


def row(
    task_id: str,
    at: int,
    carrier: str | None,
    status: str = "IN_PROGRESS",
    polls: int = 1,
) -> tuple[object, ...]:
    worker = f"w-{task_id}" if status == "IN_PROGRESS" else ""
    return (task_id, "execution", "a", ":a", status, worker, 0, at * SECOND, None, carrier, polls)


def carried(*rows: tuple[object, ...], last_at: int | None = 100) -> Carried:
    return Carried(Turns(rows, (), last_at and last_at * SECOND))


def test_what_was_given_just_before_and_not_handed_over_is_unheard_once() -> None:
    known = carried(row("t1", 99, "e1"), row("t2", 100, "e1"), row("t3", 100, "e2"))

    assert known.unheard("e1", {"t1": 1}) == [("t2", "w-t2", 1)]
    assert known.unheard("e1", {}) == []
    assert known.unheard("e2", {}) == [("t3", "w-t3", 1)]


def test_what_was_given_anew_is_unheard_where_the_time_before_was_handed_over_last() -> None:
    known = carried(row("t1", 100, "e1", polls=2), row("t2", 100, "e1", polls=2))

    assert known.unheard("e1", {"t1": 1, "t2": 2}) == [("t1", "w-t1", 2)]


def test_what_was_given_long_before_or_by_nobody_s_stream_is_a_worker_s() -> None:
    known = carried(row("old", 69, "e1"), row("pushed", 100, None),
                    row("back", 100, "e1", "SCHEDULED"))  # fmt: skip

    assert known.unheard("e1", {}) == []


def test_where_nothing_tells_of_the_end_nothing_is_doubted() -> None:
    assert carried(row("t1", 99, "e1"), last_at=None).unheard("e1", {}) == []
    assert Carried(NO_TURNS).unheard("e1", {}) == []
