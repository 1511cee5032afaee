"""Watches: complete, in order, resumable, and begun anew where they cannot be resumed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from services.executor import feed as feeds
from services.executor.upkeep import Upkeep
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, step, workflow

WAITING = workflow("waiting", step("hold", "WAIT"))
QUICK = workflow("quick", step("n", "NOOP"))
LONG = workflow(
    "long", step("hold", "WAIT"), *(step(f"variable_{n}", "SET_VARIABLE", n=n) for n in range(12))
)
TWO = workflow("two", step("one", "WAIT"), step("other", "WAIT"))


async def terminate(rig: Rig, execution_id: str) -> None:
    await rig.stub.TerminateExecution(
        pb.TerminateExecutionRequest(execution_id=execution_id), metadata=ADMIN
    )


async def until_caught_up(call: Any) -> list[pb.WatchExecutionsResponse]:
    found: list[pb.WatchExecutionsResponse] = []
    async for response in call:
        found.append(response)
        if response.caught_up:
            return found
    raise AssertionError("the watch ended")


async def some(call: Any, number: int) -> list[Any]:
    found: list[Any] = []
    async for each in call:
        found.append(each)
        if len(found) == number:
            break
    return found


async def test_one_execution_is_watched_until_it_ends(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [TWO]) as rig:
        execution_id = await rig.begin("two")
        call = rig.stub.WatchExecution(
            pb.WatchExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )
        seen = []
        async for response in call:
            seen.append(response)
            if len(seen) <= 2:
                ref = ("one", "other")[len(seen) - 1]
                await rig.stub.UpdateTask(
                    pb.UpdateTaskRequest(
                        execution_id=execution_id, ref=ref, status=pb.TASK_STATUS_COMPLETED
                    ),
                    metadata=ADMIN,
                )

    assert [each.ref for each in seen[0].tasks] == ["one"]
    assert {each.ref for each in seen[1].tasks} == {"one", "other"}
    assert seen[-1].execution.status == pb.EXECUTION_STATUS_COMPLETED
    assert [each.resume.revision for each in seen] == [1, 2, 3]


async def test_a_watch_ends_when_all_of_the_last_unit_has_been_told(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [LONG]) as rig:
        execution_id = await rig.begin("long")
        request = pb.WatchExecutionRequest(execution_id=execution_id)
        call = rig.stub.WatchExecution(request, metadata=ADMIN)
        (first,) = await some(call, 1)
        await rig.stub.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED
            ),
            metadata=ADMIN,
        )
        live = [each async for each in call]
        request.resume.CopyFrom(first.resume)
        resumed = [each async for each in rig.stub.WatchExecution(request, metadata=ADMIN)]
        request.resume.CopyFrom(live[0].resume)
        resumed_within = [each async for each in rig.stub.WatchExecution(request, metadata=ADMIN)]

    assert len(live) > 1
    assert resumed == live
    assert resumed_within == live[1:]
    told = {task.ref: task.status for response in live for task in response.tasks}
    assert len(told) == 13
    assert set(told.values()) == {pb.TASK_STATUS_COMPLETED}
    statuses = [response.execution.status for response in live]
    assert statuses[-1] == pb.EXECUTION_STATUS_COMPLETED
    assert set(statuses[:-1]) == {pb.EXECUTION_STATUS_RUNNING}


async def test_one_execution_is_resumed_where_its_watch_was_left(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        request = pb.WatchExecutionRequest(execution_id=execution_id)
        (first,) = await some(rig.stub.WatchExecution(request, metadata=ADMIN), 1)
        await terminate(rig, execution_id)
        request.resume.CopyFrom(first.resume)
        rest = [each async for each in rig.stub.WatchExecution(request, metadata=ADMIN)]
        request.resume.CopyFrom(rest[-1].resume)
        again = [each async for each in rig.stub.WatchExecution(request, metadata=ADMIN)]

    assert [each.execution.status for each in rest] == [pb.EXECUTION_STATUS_TERMINATED]
    assert not rest[0].compacted
    # It ends for a watcher who knows already, too.
    assert [each.execution.status for each in again] == [pb.EXECUTION_STATUS_TERMINATED]


@pytest.mark.parametrize("page", [1, 2, 500])
async def test_of_one_execution_nothing_else_is_looked_at_whatever_the_pages(
    page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_PAGE", page)
    async with executing(tmp_path / "x.db", [TWO, QUICK]) as rig:
        execution_id = await rig.begin("two")
        for ref in ("one", "other"):
            for _ in range(3):
                await rig.run("quick")
            completed = pb.UpdateTaskRequest(
                execution_id=execution_id, ref=ref, status=pb.TASK_STATUS_COMPLETED
            )
            await rig.stub.UpdateTask(completed, metadata=ADMIN)
        await rig.run("quick")
        feed = rig.runtime.feed
        own = [each async for each in feed.backlog(0, feed.head, execution_id)]
        every = [each async for each in feed.backlog(0, feed.head)]

    assert [each.revision for each in every] == list(range(1, 11))
    assert own == [each for each in every if each.execution_id == execution_id]
    assert [each.revision for each in own] == [1, 5, 9]


async def test_a_place_of_another_store_gives_the_state_as_it_is(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        execution_id = (await rig.run("quick")).execution_id
        request = pb.WatchExecutionRequest(execution_id=execution_id)
        request.resume.epoch = "another"
        seen = [each async for each in rig.stub.WatchExecution(request, metadata=ADMIN)]
        with pytest.raises(NotFound), raising_ours():
            missing = pb.WatchExecutionRequest(execution_id=new_id())
            await some(rig.stub.WatchExecution(missing, metadata=ADMIN), 1)

    assert [(each.compacted, len(each.tasks)) for each in seen] == [(True, 1)]


async def test_revisions_are_never_used_twice_even_if_all_changes_are_gone(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await rig.run("quick")
        await Upkeep(changes_kept=timedelta(seconds=-1)).compact(rig.store, rig.runtime.feed)
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        assert (rig.runtime.feed.floor, rig.runtime.feed.head) == (1, 1)
        await rig.run("quick")
        assert rig.runtime.feed.head == 2


async def test_a_watcher_too_far_behind_begins_anew() -> None:
    follower = feeds.Follower(0)
    for revision in range(20_000):
        follower.add(feeds.Change(revision, "e", "w", "[]"))

    with pytest.raises(feeds.Behind):
        await follower.take(0)


async def test_executions_are_dropped_long_after_their_end(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        ended = (await rig.run("quick")).execution_id
        held = await rig.begin("waiting")
        await Upkeep().clean(rig.store, rig.runtime.tally)
        assert (await rig.get(ended)).state.execution_id == ended

        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
        with pytest.raises(NotFound), raising_ours():
            await rig.get(ended)
        assert (await rig.get(held)).state.execution_id == held
        # Its definitions went with it, and come again with the next.
        again = await rig.run("quick")
        assert (await rig.get(again.execution_id)).state.workflow_name == "quick"


async def test_a_drain_ends_every_watch(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        # The first call; gRPC has a task of its own for each RPC that there is.
        await rig.begin("waiting")
        before = len(asyncio.all_tasks())
        call = rig.stub.WatchExecutions(pb.WatchExecutionsRequest(), metadata=ADMIN)
        await until_caught_up(call)
        await rig.runtime.drain(1)

        assert await call.code() is grpc.StatusCode.OK
        assert len(asyncio.all_tasks()) <= before + 2


async def test_who_watches_one_execution_keeps_nothing_of_others(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        watched, other = await rig.begin("waiting"), await rig.begin("waiting")
        with (
            rig.runtime.feed.following(watched) as first,
            rig.runtime.feed.following(watched) as second,
            rig.runtime.feed.following() as every,
        ):
            await terminate(rig, other)
            await terminate(rig, watched)
            told = [await follower.take(5) for follower in (first, second, every)]

    ids = [{change.execution_id for change in changes or ()} for changes in told]
    assert ids == [{watched}, {watched}, {watched, other}]
