from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podium.executor.v1 import schedules_pb2 as pb
from services.edge.management.conductor.reading import Query
from services.edge.management.conductor.schedule_query import RUN_ORDERS, ordered, read_run_query
from services.edge.management.conductor.schedule_search import meant, run_shown
from services.errors import InvalidDefinition, InvalidRequest


def run(**fields: Any) -> dict[str, Any]:
    return {
        "scheduleName": "nightly", "workflowName": "report", "executionId": "e-1",
        "state": "EXECUTED", "scheduledTime": 1000, **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("", True),
        ("nightly", True),
        ("weekly", False),
        ("scheduleName IN (weekly, 'nightly') AND state=EXECUTED", True),
        ("scheduleName in (weekly,nightly) and scheduleName=weekly", False),
        ("state IN (FAILED)", False),
        ("workflowId = e-1", False),
        ("scheduledTime>999 AND scheduledTime < 1001", True),
        ("scheduledTime>1000", False),
        ("scheduledTime<1000", False),
        (" AND ", True),
    ],
)
def test_all_conditions_must_hold(query: str, holds: bool) -> None:
    assert read_run_query(query, "*").holds(run()) is holds


def test_a_long_query_is_read_once_for_all_schedules() -> None:
    class Pairs(list[tuple[str, str]]):
        read = 0

        def __iter__(self) -> Iterator[tuple[str, str]]:
            self.read += 1
            return super().__iter__()

    pairs = Pairs([("freeText", "night*")])
    is_meant = meant(Query(pairs))
    once = pairs.read

    assert [is_meant({"name": name}) for name in ("nightly", "weekly")] == [True, False]
    assert pairs.read == once


def test_free_text_is_within_a_name_or_an_id() -> None:
    assert read_run_query("", "*REPORT*").holds(run())
    assert not read_run_query("", "bill").holds(run())


@pytest.mark.parametrize("query", ["colour=red", "scheduledTime=7", "state>FAILED", "x" * 10_001])
def test_what_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        read_run_query(query, "*")


@pytest.mark.parametrize("moment", ["now", "-1", "9" * 5000, "253402300800000"])
def test_a_moment_that_is_none_is_named(moment: str) -> None:
    with pytest.raises((InvalidDefinition, InvalidRequest), match=r"scheduledTime|query"):
        read_run_query(f"scheduledTime>{moment}", "*")


def test_rows_are_in_the_order_that_is_asked_for_and_what_is_not_there_comes_first() -> None:
    rows = [{"state": "b"}, {"state": "a", "workflowName": "w"}, {"state": "a"}]
    assert ordered(rows, ["state:ASC", "workflowName:DESC"], RUN_ORDERS, "") == [
        rows[1], rows[2], rows[0]
    ]  # fmt: skip
    assert ordered(rows, [], RUN_ORDERS, "workflowName") == [rows[0], rows[2], rows[1]]


def test_a_run_that_started_nothing_failed_and_says_how() -> None:
    schedule = pb.ScheduleState(name="n", workflow_name="w", cron_expressions=["0 0 9 * * * UTC"])
    missed = pb.ScheduleRun(
        outcome=pb.SCHEDULE_OUTCOME_MISSED, reason="The executor was away.", missed=3
    )
    missed.scheduled_at.FromMilliseconds(5)
    missed.executed_at.FromMilliseconds(7)
    assert run_shown(schedule, missed) == {
        "executionId": "n:5", "scheduleName": "n", "scheduledTime": 5, "executionTime": 7,
        "workflowName": "w", "zoneId": "UTC", "state": "FAILED",
        "reason": "MISSED (3 runs): The executor was away.",
    }  # fmt: skip
