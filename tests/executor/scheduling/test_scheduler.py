"""Schedules in a whole executor: real database, real clock, starts again after a crash."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1.page_pb2 import PageRequest
from podium.executor.v1 import executor_pb2, schedules_pb2 as pb
from services.errors import InvalidRequest, NotFound, PermissionDenied
from services.executor import store as stores
from services.executor.core.identity import derived_id
from services.executor.rows import micros
from services.executor.scheduling import rows
from services.replica import Replica
from services.replica.copy import Place, Removed
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, replica_of, step, workflow

QUICK = workflow("quick", step("done", "NOOP"))
SLOW = workflow("slow", step("wait", "WAIT"))
EACH_SECOND = "* * * * * *"
_COUNT = "SELECT count(*) FROM schedules"


def schedule(name: str = "tick", starts: str = "quick", **more: Any) -> dict[str, Any]:
    return {
        "kind": "schedule",
        "name": name,
        "cronExpression": EACH_SECOND,
        "startWorkflowRequest": {"name": starts, "input": {"a": 1}},
        **more,
    }


async def runs(rig: Rig, name: str = "tick") -> Sequence[pb.ScheduleRun]:
    response = await rig.stub.ListScheduleRuns(
        pb.ListScheduleRunsRequest(schedule=name), metadata=ADMIN
    )
    return response.runs


async def until_run(rig: Rig, count: int = 1, name: str = "tick") -> Sequence[pb.ScheduleRun]:
    """The runs once there are so many: seconds, for it is about the clock on the wall."""
    async with asyncio.timeout(60):
        while len(found := await runs(rig, name)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def stopped(
    path: Path, replica: Replica, ago: timedelta = timedelta(seconds=3)
) -> tuple[Path, Replica]:
    """As if an executor had done the schedules up to some time ago: what came since is due now."""
    since = micros(datetime.now(UTC) - ago)
    async with stores.opened(path) as store:
        for each in replica.all("schedule"):
            row = (each.name, each.etag, since)
            await store.writer.chore(partial(_done, row))
    return path, replica


def _done(row: tuple[object, ...], db: sqlite3.Connection) -> None:
    db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", row)


async def test_a_schedule_starts_its_workflow_with_what_conductor_adds(tmp_path: Path) -> None:
    asked = await stopped(tmp_path / "executor.db", replica_of(QUICK, schedule()))
    async with executing(*asked) as rig:
        run = (await until_run(rig))[-1]
        await rig.ended(run.execution_id)
        document = json.loads((await rig.get(run.execution_id)).document)

    assert run.outcome == pb.SCHEDULE_OUTCOME_STARTED
    due = run.scheduled_at.ToMilliseconds()
    assert document["input"]["a"] == 1
    assert document["input"]["_scheduledTime"] == due
    assert document["input"]["_startedByScheduler"] == "tick"
    assert document["input"]["_executionId"] == run.execution_id
    assert due <= document["input"]["_executedTime"] < due + 60_000


async def test_it_follows_its_definition(tmp_path: Path) -> None:
    replica = replica_of(QUICK, schedule(cronExpression="0 0 0 1 1 *"))
    async with executing(tmp_path / "executor.db", replica) as rig:
        before = await runs(rig)
        put(replica, schedule())
        await until_run(rig)
        put(replica, schedule(paused=True))
        listed = await rig.stub.ListSchedules(pb.ListSchedulesRequest(), metadata=ADMIN)
        replica.apply([Removed("schedule", "tick", 0)], Place("epoch", replica.revision + 1))
        with pytest.raises(NotFound), raising_ours():
            async with asyncio.timeout(5):
                while await runs(rig):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    assert not before
    (state,) = listed.schedules
    assert state.paused
    assert not state.next_runs
    assert state.last_run.outcome == pb.SCHEDULE_OUTCOME_STARTED


async def test_runs_of_a_time_when_nothing_ran_are_missed_and_listed(tmp_path: Path) -> None:
    replica = replica_of(QUICK, schedule())
    asked = await stopped(tmp_path / "executor.db", replica, timedelta(hours=3))
    async with executing(*asked) as rig:
        found = await until_run(rig, 60)

    missed = [run for run in found if run.outcome == pb.SCHEDULE_OUTCOME_MISSED]
    assert [run.missed for run in missed] == [1000]
    assert "1000 runs from" in missed[0].reason


async def test_runs_are_made_up_for_in_order_and_once(tmp_path: Path) -> None:
    hourly = schedule(cronExpression="0 0 * * * *", runCatchupScheduleInstances=True)
    replica = replica_of(QUICK, hourly)
    found: list[Sequence[pb.ScheduleRun]] = []
    for _ in range(2):
        asked = await stopped(tmp_path / "executor.db", replica, timedelta(hours=5))
        async with executing(*asked) as rig:
            found.append(await until_run(rig, 5))
            counted = await rig.stub.ListExecutions(
                executor_pb2.ListExecutionsRequest(), metadata=ADMIN
            )

    assert [run.execution_id for run in found[0]] == [run.execution_id for run in found[1]]
    assert {run.outcome for run in found[0]} == {pb.SCHEDULE_OUTCOME_STARTED}
    assert len(counted.executions) == len(found[0])


async def test_a_clock_that_was_years_ahead_keeps_no_schedule_from_its_runs(tmp_path: Path) -> None:
    replica = replica_of(QUICK, schedule())
    asked = await stopped(tmp_path / "executor.db", replica, timedelta(days=-4000))
    async with executing(*asked) as rig:
        await until_run(rig)


async def test_what_was_made_before_the_clock_was_set_back_is_not_made_again(
    tmp_path: Path,
) -> None:
    noted = {second * 1_000_000 for second in range(int(time.time()) - 2, int(time.time()) + 3)}
    path, replica = await stopped(tmp_path / "executor.db", replica_of(QUICK, schedule()))
    with closing(sqlite3.connect(path)) as db, db:
        row = "('tick', ?, 0, 'MISSED', '', '', '', 1)"
        db.executemany(f"INSERT INTO schedule_runs VALUES {row}", [(at,) for at in noted])
    async with executing(path, replica) as rig:
        await until_run(rig, len(noted) + 1)
        made = await rig.stub.ListExecutions(executor_pb2.ListExecutionsRequest(), metadata=ADMIN)

    times = [datetime.fromtimestamp(at // 1_000_000, UTC).isoformat() for at in noted]
    assert made.executions
    assert not {derived_id("schedule", "tick", at) for at in times} & {
        each.execution_id for each in made.executions
    }


async def test_a_schedule_is_not_looked_for_among_the_runs_of_others(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db") as rig:
        plans = await rig.store.readers.read(
            lambda db: [
                row[3]
                for text, values in ((rows._RUNS, ("a", 1, 1)), (rows._GOING_ON, ("a",)))
                for row in db.execute(f"EXPLAIN QUERY PLAN {text}", values)
            ]
        )

    assert [plan for plan in plans if "schedule_runs" in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan]


async def test_a_copy_of_definitions_that_was_lost_makes_nothing_forgotten(tmp_path: Path) -> None:
    replica = replica_of(QUICK, schedule(paused=True))
    path, _ = await stopped(tmp_path / "executor.db", replica)
    known: list[int] = []
    for there in (replica_of(), replica):
        async with executing(path, there) as rig:
            if there is replica:
                replica.replace(tuple(replica.everything()), replica.place)
            await rig.stub.ListSchedules(pb.ListSchedulesRequest(), metadata=ADMIN)
            known += await rig.store.readers.read(lambda db: db.execute(_COUNT).fetchone())

    assert known == [1, 1]


async def test_a_run_is_left_out_while_an_earlier_one_goes_on(tmp_path: Path) -> None:
    overlapping = schedule(starts="slow", overlapPolicy="SKIP")
    asked = await stopped(tmp_path / "executor.db", replica_of(SLOW, overlapping))
    async with executing(*asked) as rig:
        found = await until_run(rig, 2)

    assert found[-1].outcome == pb.SCHEDULE_OUTCOME_STARTED
    assert found[-2].outcome == pb.SCHEDULE_OUTCOME_SKIPPED
    assert found[-1].execution_id in found[-2].reason


async def test_an_earlier_run_is_terminated_for_the_next(tmp_path: Path) -> None:
    overlapping = schedule(starts="slow", overlapPolicy="TERMINATE_OTHER")
    asked = await stopped(tmp_path / "executor.db", replica_of(SLOW, overlapping))
    async with executing(*asked) as rig:
        found = await until_run(rig, 2)
        ended = await rig.ended(found[-1].execution_id)

    assert ended.status == executor_pb2.EXECUTION_STATUS_TERMINATED
    assert "'tick' starts its next run" in ended.reason


async def test_a_run_without_a_workflow_is_listed_with_the_reason(tmp_path: Path) -> None:
    asked = await stopped(tmp_path / "executor.db", replica_of(schedule()))
    async with executing(*asked) as rig:
        (run, *_) = await until_run(rig)

    assert run.outcome == pb.SCHEDULE_OUTCOME_FAILED
    assert run.reason == "There is no workflow 'quick'."


async def test_a_schedule_that_makes_no_sense_harms_no_other(tmp_path: Path) -> None:
    bad = schedule("bad", cronExpression="whenever")
    asked = await stopped(tmp_path / "executor.db", replica_of(QUICK, bad, schedule()))
    async with executing(*asked) as rig:
        await until_run(rig)


async def test_schedules_are_listed_by_pages(tmp_path: Path) -> None:
    many = [schedule(f"s{number}", cronExpression="0 0 0 1 1 *") for number in range(5)]
    async with executing(tmp_path / "executor.db", [QUICK, *many]) as rig:
        first = await rig.stub.ListSchedules(
            pb.ListSchedulesRequest(page=PageRequest(page_size=3), next_runs=2), metadata=ADMIN
        )
        rest = await rig.stub.ListSchedules(
            pb.ListSchedulesRequest(page=PageRequest(page_token=first.next_page_token)),
            metadata=ADMIN,
        )

    assert [each.name for each in first.schedules] == ["s0", "s1", "s2"]
    assert len(first.schedules[0].next_runs) == 2
    assert [each.name for each in rest.schedules] == ["s3", "s4"]
    assert not rest.next_page_token


@pytest.mark.parametrize("token", ["--5", "x", "5-", "9" * 30])
async def test_a_place_that_is_none_of_the_runs_is_refused(tmp_path: Path, token: str) -> None:
    asked = pb.ListScheduleRunsRequest(schedule="s", page=PageRequest(page_token=token))
    async with executing(tmp_path / "executor.db") as rig:
        with pytest.raises(InvalidRequest, match="page_token"), raising_ours():
            await rig.stub.ListScheduleRuns(asked, metadata=ADMIN)


async def test_an_expression_is_previewed(tmp_path: Path) -> None:
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)
    request = pb.PreviewScheduleRequest(
        cron_expression="0 30 2 * * *", zone_id="Europe/Berlin", count=2
    )
    request.after.FromDatetime(after)
    async with executing(tmp_path / "executor.db") as rig:
        told = await rig.stub.PreviewSchedule(request, metadata=ADMIN)
        refused = []
        for fields in (
            {"cron_expression": "every day"},
            {"cron_expression": "@daily", "zone_id": "Mars"},
            {"cron_expression": "@daily", "count": 101},
            {"cron_expression": "@daily", "after": Timestamp(seconds=2**62)},
            {"cron_expression": "@daily", "after": Timestamp(nanos=-5)},
        ):
            with pytest.raises(InvalidRequest) as caught, raising_ours():
                await rig.stub.PreviewSchedule(pb.PreviewScheduleRequest(**fields), metadata=ADMIN)
            refused.append(caught.value.detail)

    assert [at.ToDatetime().isoformat() for at in told.runs] == [
        "2026-03-29T01:00:00", "2026-03-30T00:30:00",
    ]  # fmt: skip
    assert "six fields" in refused[0]
    assert refused[1] == "There is no time zone 'Mars'."
    assert "100" in refused[2]


async def test_who_may_not_read_is_refused(tmp_path: Path) -> None:
    nobody = {"kind": "application", "id": "nobody", "roles": []}
    async with executing(tmp_path / "executor.db", [nobody]) as rig:
        with pytest.raises(PermissionDenied), raising_ours():
            await rig.stub.ListSchedules(pb.ListSchedulesRequest(), metadata=on_behalf_of("nobody"))
