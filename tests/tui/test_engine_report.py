"""How the engine does, as lines and as data."""

from __future__ import annotations

from podium.executor.v1 import executor_pb2 as pb
from tui.views.engine_report import data, history_line, lines


def state() -> pb.EngineState:
    told = pb.EngineState(
        counts=[
            pb.StatusCount(status=pb.EXECUTION_STATUS_RUNNING, count=1_200),
            pb.StatusCount(status=pb.EXECUTION_STATUS_PAUSED, count=0),
        ],
        hosts=[pb.HostCalls(host="jobs\x1b[2J:80", under_way=8, waiting=3)],
        database_bytes=2_048,
    )
    told.at.FromSeconds(1_769_860_800)
    return told


def span() -> pb.EngineFigures:
    return pb.EngineFigures(
        seconds=10,
        started=25,
        ended=[pb.StatusCount(status=pb.EXECUTION_STATUS_FAILED, count=5)],
        tasks=[pb.KindCount(kind="HTTP", count=40)],
        commits=100,
        units=250,
        commit_p99_ms=4.5,
    )


def test_rates_are_by_the_second_and_zeros_of_a_status_are_left_out() -> None:
    shown = "\n".join(lines(state(), span()))

    assert "executions  1,200 running\n" in shown
    assert "started 2.5/s, ended FAILED 0.5/s" in shown
    assert "HTTP 4.0/s" in shown
    assert "2.5 units a commit" in shown
    assert "\x1b" not in shown


def test_nothing_at_all_divides_by_no_zero() -> None:
    shown = "\n".join(lines(pb.EngineState(), pb.EngineFigures()))

    assert "executions  none" in shown
    assert "started 0.0/s" in history_line(pb.EngineFigures())


def test_data_has_counts_by_status_and_milliseconds() -> None:
    told = data(state(), span())

    assert told["executions"] == {"RUNNING": 1200, "PAUSED": 0}
    assert told["at"] == "2026-01-31T12:00:00Z"
    assert told["last"]["ended"] == {"FAILED": 5}
    assert told["last"]["commitMs"]["p99"] == 4.5
