"""How the suite does, in a few figures, from fixed values."""

from __future__ import annotations

from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from tui.live.collection import Collection
from tui.live.failures import Failures
from tui.resources.execution_row import Execution
from tui.views.engine import Span
from tui.views.pulse import TITLES, Failing, Known, Traffic, figures
from tui.views.traffic import Minute

NOW = 1_769_860_800.0
AT = int(NOW)


def state(running: int, active: int = 0, timers: int = 0) -> pb.EngineState:
    counts = [pb.StatusCount(status=pb.EXECUTION_STATUS_RUNNING, count=running)]
    return pb.EngineState(counts=counts, active=active, timers=timers)


def span(at: int, **fields: Any) -> Span:
    told = Span(str(at), at, 5, 0, {}, {}, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return told._replace(**fields)


def known(**fields: Any) -> Known:
    return Known(NOW, engine_at=NOW, edge_at=NOW, **fields)


def failure(
    id_: str, workflow: str, ago: float, status: str = "FAILED", reason: str = ""
) -> Execution:
    at = NOW - ago
    return Execution(id_, workflow, 1, status, at, at + 1, at + 1, reason, "", "", (), ())


def failing(*failures: Execution) -> list[Failing]:
    executions: Collection[Execution] = Collection()
    executions.put(failures)
    return Failures(executions).rows(NOW)


def test_every_tile_has_a_figure_though_nothing_is_known() -> None:
    told = figures(known())

    assert set(told) == set(TITLES)
    assert told["running"].figure == "-"
    assert told["requests"].figure == "-"
    assert told["services"].figure == "-"
    assert told["failed"].figure == "0"


def test_what_runs_and_does_nothing_waits() -> None:
    told = figures(known(states=[state(5), state(7, active=2, timers=4)]))

    assert (told["running"].figure, told["running"].values) == ("7", (5.0, 7.0))
    assert (told["waits"].figure, told["waits"].note) == ("5", "4 timers")


def test_starts_are_those_of_the_last_steps() -> None:
    spans = {str(at): span(at, started=count) for at, count in ((AT, 5), (AT - 5, 15))}
    told = figures(known(spans=spans))

    assert (told["starts"].figure, told["starts"].unit) == ("2", "/s")
    assert told["starts"].values[-2:] == (3.0, 1.0)
    assert told["starts"].values[0] is None


def test_a_commit_time_is_that_of_the_last_steps_in_which_something_was_written() -> None:
    spans = {str(AT): span(AT), str(AT - 5): span(AT - 5, commits=3, p95=7.0, p99=9.0)}
    told = figures(known(spans=spans))["commits"]

    assert (told.figure, told.note) == ("7 ms", "p99 9 ms")


def test_failures_lead_to_the_list_of_them() -> None:
    rows = failing(failure("1", "a", 60), failure("2", "a", 30, "TIMED_OUT"), failure("3", "b", 10))
    told = figures(known(failing=rows))

    assert (told["failed"].figure, told["failed"].tone) == ("2", "error")
    assert told["failed"].opens == "executions status:failed newer:1h"
    assert (told["timed_out"].figure, told["paused"].tone) == ("1", "text")


def test_workflows_that_fail_most_come_first_with_their_last_reason() -> None:
    rows = failing(
        failure("1", "rare", 5), failure("2", "often", 90, reason="late"),
        failure("3", "often", 30, "TIMED_OUT", "last"), failure("4", "often", 60, reason="first"),
        failure("5", "long-ago", 4_000), failure("6", "well", 9, "COMPLETED"),
    )  # fmt: skip

    assert rows == [
        Failing("often", 2, 1, NOW - 29, "last"),
        Failing("rare", 1, 0, NOW - 4, ""),
    ]


def test_what_is_retried_or_gone_or_an_hour_old_fails_no_more() -> None:
    executions: Collection[Execution] = Collection()
    counted = Failures(executions)
    rows = [failure(str(number), "flow", 10) for number in range(3)]
    executions.put(rows)
    executions.put(rows)
    assert [row.failed for row in counted.rows(NOW)] == [3]

    executions.put([rows[0]._replace(status="RUNNING")])
    executions.drop(["1"])
    assert [row.failed for row in counted.rows(NOW)] == [1]
    assert counted.rows(NOW + 3_600) == []

    executions.put([rows[1]])
    counted.close()
    executions.put([rows[0]])
    assert [row.failed for row in counted.rows(NOW)] == [1]


def test_the_gateway_is_told_by_its_last_minutes() -> None:
    traffic = Traffic(12.5, 0.875, 240.0, 4, (("502", 3), ("429", 1)))
    minute = Minute(str(AT - 60), 30, (("502", 3),), 1.0, 240.0, 300.0, 0.5, 0, 0)
    told = figures(known(traffic=traffic, minutes={minute.id: minute}))

    assert (told["requests"].figure, told["requests"].values[-2:]) == ("12.5", (30.0, 0.0))
    assert (told["success"].figure, told["success"].tone) == ("87.5", "error")
    assert (told["latency"].figure, told["latency"].values[-2:]) == ("240 ms", (240.0, None))
    assert (told["errors"].figure, told["errors"].note) == ("4", "502:3 429:1")


def test_the_oldest_execution_opens() -> None:
    told = figures(known(oldest=("e-17", "onboarding", NOW - 7_300)))["oldest"]

    assert (told.figure, told.note, told.opens) == ("2 h", "onboarding", "executions/e-17")


def test_a_service_that_is_away_is_named() -> None:
    told = figures(known(services={"registry": True, "executor": False, "edge": True}))["services"]

    assert (told.figure, told.note, told.tone) == ("2/3", "executor away", "error")
