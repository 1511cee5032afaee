"""What the engine did, as charts, and how it stands."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from tui.views.engine import Span, charts, gauges, merged, span_of, taken_in

AT = 1_769_860_800


def span(at: int, seconds: int = 5, **fields: Any) -> Span:
    told = Span(str(at), at, seconds, 10, {"COMPLETED": 5}, {"HTTP": 20}, 30, 10, 30,
                1.0, 2.0, 3.0, 4.0, 0.5, 0.9)  # fmt: skip
    return told._replace(**fields)


def test_rates_are_per_second_of_what_has_passed() -> None:
    shown = charts({str(AT): span(AT, seconds=2)}, AT + 1, 5, 2, UTC)

    started, ended = shown["executions"].series
    assert started.values == [None, 5.0]
    assert ended.values == [None, 2.5]
    assert shown["executions"].start.timestamp() == AT - 5


def test_a_second_is_added_to_its_span_and_what_is_too_old_goes() -> None:
    known = {str(at): span(at) for at in (AT - 600, AT - 605, AT)}

    whole, gone = taken_in(known, span(AT + 3, 1), 5, 600)

    assert (whole.id, whole.seconds, whole.started) == (str(AT), 6, 20)
    assert gone == [str(AT - 605)]


def test_what_was_told_before_a_clock_was_put_back_is_not_added_to_later() -> None:
    known = {str(at): span(at) for at in (AT, AT + 5, AT + 3600)}

    whole, gone = taken_in(known, span(AT + 2, 1), 5, 600)

    assert whole.id == str(AT)
    assert gone == [str(AT + 5), str(AT + 3600)]


def test_without_a_commit_there_is_no_commit_time() -> None:
    shown = charts({str(AT): span(AT, commits=0)}, AT, 5, 1, UTC)

    assert [each.values for each in shown["commits"].series] == [[None], [None], [None]]


def test_seconds_add_up_to_a_span_and_its_worst_commit_stays() -> None:
    whole = merged(span(AT, 1), span(AT + 1, 1, ended={"FAILED": 1}, p95=9.0, started=2))

    assert (whole.id, whole.seconds, whole.started, whole.p95) == (str(AT), 2, 12, 9.0)
    assert whole.ended == {"COMPLETED": 5, "FAILED": 1}
    assert whole.ends == 6


def test_tasks_of_rare_kinds_are_told_together() -> None:
    tasks = {f"KIND_{number}": 10 - number for number in range(9)}
    series = charts({str(AT): span(AT, 1, tasks=tasks)}, AT, 5, 1, UTC)["tasks"].series

    assert [each.name for each in series] == [*list(tasks)[:5], "other"]
    assert series[-1].values == [5 + 4 + 3 + 2]


def test_a_status_has_its_own_tone() -> None:
    series = charts({str(AT): span(AT, ended={"FAILED": 3})}, AT, 5, 1, UTC)["ended"].series

    assert [(each.name, each.tone) for each in series] == [("failed", "error")]


def test_figures_of_the_wire_become_a_span() -> None:
    told = pb.EngineFigures(
        seconds=5, started=3, commit_p95_ms=1.5,
        ended=[pb.StatusCount(status=pb.EXECUTION_STATUS_TIMED_OUT, count=2)],
        tasks=[pb.KindCount(kind="HTTP", count=4)],
    )  # fmt: skip
    told.start.seconds = AT

    read = span_of(told)

    assert (read.id, read.started, read.p95) == (str(AT), 3, 1.5)
    assert (read.ended, read.tasks) == ({"TIMED_OUT": 2}, {"HTTP": 4})


def test_gauges_have_how_it_was_before_and_a_row_for_each_host() -> None:
    states = [
        pb.EngineState(
            active=number, database_bytes=2048, calls_waiting=number,
            hosts=[pb.HostCalls(host="api.example", under_way=8, waiting=number)],
        )
        for number in range(3)
    ]  # fmt: skip

    rows = {row.name: row for row in gauges(states)}

    assert rows["at work this moment"].values == (0.0, 1.0, 2.0)
    assert rows["executor.db"].value == "2 KiB"
    assert (rows["calls waiting"].value, rows["calls waiting"].tone) == ("2", "warning")
    assert rows["→ api.example"].value == "8 under way, 2 waiting"
    assert [row.id for row in gauges(states)] == sorted(row.id for row in gauges(states))
    assert gauges([]) == []
