"""A list of executions: a snapshot, then batches of what happens, resumed where it was left."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import batches, feed as feeds, livelist
from services.executor.feed import Change
from services.executor.searches import Searches
from services.executor.shown import Shown
from services.executor.upkeep import Upkeep
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, upstream, workflow
from tests.executor.test_watching import QUICK, TWO, WAITING, some, terminate

Request = pb.WatchExecutionsRequest
Response = pb.WatchExecutionsResponse


async def until(call: Any, enough: Callable[[list[Response]], bool]) -> list[Response]:
    """All that is told until it is ``enough``, but for heartbeats."""
    found: list[Response] = []
    async with asyncio.timeout(20):
        async for response in call:
            if response.changes or response.counts or response.caught_up or response.compacted:
                found.append(response)
            if enough(found):
                return found
    raise AssertionError("the watch ended")


async def until_caught_up(call: Any) -> list[Response]:
    return await until(call, lambda found: found[-1].caught_up if found else False)


def watch(rig: Rig, request: Request | None = None) -> Any:
    return rig.stub.WatchExecutions(request or Request(), metadata=ADMIN)


def changes(responses: Sequence[Response]) -> list[pb.ExecutionChange]:
    return [change for response in responses for change in response.changes]


def ids(responses: Sequence[Response]) -> list[str]:
    return [change.execution.execution_id for change in changes(responses)]


def counted(responses: Sequence[Response]) -> dict[str, int]:
    """The last counts that were told, without the zeros."""
    told = [response.counts for response in responses if response.counts]
    names = {each.status: pb.ExecutionStatus.Name(each.status) for each in told[-1]}
    return {
        names[each.status].removeprefix("EXECUTION_STATUS_"): each.count
        for each in told[-1]
        if each.count
    }


async def test_a_list_begins_with_what_runs_and_goes_on_with_what_happens(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        await rig.run("quick")
        held = [await rig.begin("waiting"), await rig.begin("waiting")]
        call = watch(rig)
        snapshot = await until_caught_up(call)
        assert ids(snapshot) == held[::-1]
        assert [[task.ref for task in each.tasks] for each in changes(snapshot)] == [["hold"]] * 2
        assert counted(snapshot) == {"RUNNING": 2, "COMPLETED": 1}

        await rig.run("quick")
        await terminate(rig, held[0])
        live = await until(call, lambda found: len(set(ids(found))) == 2)
        assert [each.execution.workflow_name for each in changes(live)] == ["quick", "waiting"]
        assert counted(live) == {"RUNNING": 1, "COMPLETED": 2, "TERMINATED": 1}

        request = Request(resume=snapshot[-1].resume, query="wf:wait*")
        resumed = await until_caught_up(watch(rig, request))
        assert ids(resumed) == [held[0]]
        assert resumed[-1].resume.revision == rig.runtime.feed.head
        assert not any(each.compacted for each in resumed)


@pytest.mark.parametrize("page", [1, 2, 3, 500])
async def test_a_snapshot_has_the_newest_that_ended_and_all_that_run(
    page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelist, "FULL", page)
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        made = []
        for name in ("waiting", "quick", "quick", "waiting", "quick", "waiting", "quick"):
            response = await (rig.run(name) if name == "quick" else rig.begin(name))
            made.append(response if isinstance(response, str) else response.execution_id)
        told = {
            recent: ids(await until_caught_up(watch(rig, Request(recent=recent))))
            for recent in (0, 1, 2, 4, 100)
        }

    assert told[0] == [made[n] for n in (5, 3, 0)]
    assert told[1] == [made[n] for n in (6, 5, 3, 0)]
    assert told[2] == [made[n] for n in (6, 5, 4, 3, 0)]
    assert told[4] == told[100] == made[::-1]


@pytest.mark.parametrize(
    "request_",
    [Request(recent=-1), Request(recent=100_001), Request(query="nope:1")],
)
async def test_a_list_that_there_cannot_be_is_refused(request_: Request, tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await until_caught_up(watch(rig, request_))


async def test_in_a_rush_what_happens_to_an_execution_is_told_once_a_batch(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        call = watch(rig)
        await until_caught_up(call)
        held = await asyncio.gather(*(rig.begin("waiting") for _ in range(100)))
        await asyncio.gather(*(terminate(rig, each) for each in held))
        live = await until(call, lambda found: counted(found) == {"TERMINATED": 100})

    last = {change.execution.execution_id: change for change in changes(live)}
    assert set(last) == set(held)
    assert {each.execution.status for each in last.values()} == {pb.EXECUTION_STATUS_TERMINATED}
    assert len(live) < 40
    for response in live:
        assert len(ids([response])) == len(set(ids([response])))


async def test_one_that_falls_behind_is_told_all_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_MOST_BEHIND", 3)
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        call = watch(rig)
        await until_caught_up(call)
        results = await asyncio.gather(*(rig.run("quick") for _ in range(50)))
        made = [result.execution_id for result in results]
        live = await until(call, lambda found: set(ids(found)) == set(made))

    assert not any(each.compacted for each in live)


async def test_one_that_falls_too_far_behind_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_MOST_BEHIND", 3)
    monkeypatch.setattr(livelist, "_MOST_CAUGHT_UP", 3)
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        held = await rig.begin("waiting")
        call = watch(rig)
        await until_caught_up(call)
        await asyncio.gather(*(rig.run("quick") for _ in range(50)))
        live = await until(call, lambda found: any(each.compacted for each in found))
        anew = await until_caught_up(call)

    assert live[-1].compacted
    assert held in ids(anew)


async def test_one_that_comes_back_too_late_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelist, "_MOST_CAUGHT_UP", 3)
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        held = await rig.begin("waiting")
        for _ in range(5):
            await rig.run("quick")
        feed = rig.runtime.feed

        async def resumed(behind: int) -> list[Response]:
            place = pb.ResumeToken(epoch=feed.epoch, revision=feed.head - behind)
            return await until_caught_up(watch(rig, Request(resume=place)))

        near, far = await resumed(3), await resumed(4)

    assert [each.compacted for each in near] == [False, False]
    assert len(ids(near)) == 3
    assert [each.compacted for each in far] == [True, False, False]
    assert ids(far) == [held]


async def test_a_list_has_what_matches_and_says_what_is_gone(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        ended = (await rig.run("quick")).execution_id
        held = [await rig.begin("waiting") for _ in range(3)]
        request = Request(query="status:running OR wf:none", recent=10)
        call = watch(rig, request)
        snapshot = await until_caught_up(call)
        await rig.run("quick")
        await terminate(rig, held[0])
        live = await until(
            call, lambda found: counted(found) == {"RUNNING": 2, "COMPLETED": 2, "TERMINATED": 1}
        )
        request.resume.CopyFrom(snapshot[-1].resume)
        resumed = await until_caught_up(watch(rig, request))
        await terminate(rig, held[1])
        further = await until(call, lambda found: bool(found) and bool(found[-1].gone_ids))

    assert ids(snapshot) == held[::-1]
    assert ended not in ids(snapshot)
    assert [gone for each in live for gone in each.gone_ids] == [held[0]]
    # What it was told before is not known: whatever does not match is gone.
    assert held[0] in [gone for each in resumed for gone in each.gone_ids]
    assert list(further[-1].gone_ids) == [held[1]]
    assert not ids(further)


happened = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30)


@given(st.sets(st.sampled_from("abcdef")), happened, st.integers(0, 6), st.booleans())
def test_whatever_is_in_a_list_and_ceases_to_match_is_told_as_gone(
    first: set[str], changes_: list[tuple[str, bool]], most: int, fresh: bool
) -> None:
    shown = Shown(most)
    if fresh:
        shown.begin()
        shown.show(first)
    there = set(first)
    for each, matches in changes_:
        gone = shown.changed([each], {each} if matches else set())
        assert not matches or not gone
        if each in there and not matches:
            assert gone == [each]
        if fresh and most == 6:
            assert set(gone) <= there
        there.difference_update(gone)
        there |= {each} if matches else set()


async def test_a_snapshot_says_of_open_tasks_what_a_watch_of_their_execution_says(
    tmp_path: Path,
) -> None:
    async with upstream(job=lambda _: {"progress": 0.5}) as up:
        poll = step(
            "poll",
            "HTTP_POLL",
            http_request={"uri": f"{up.url}/job", "method": "GET"},
            terminationCondition=False,
            pollingInterval=60,
        )
        flow = workflow("polling", step("n", "NOOP"), poll)
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("polling")
            one = rig.stub.WatchExecution(
                pb.WatchExecutionRequest(execution_id=execution_id), metadata=ADMIN
            )
            async for response in one:
                if any(task.HasField("last_poll") for task in response.tasks):
                    break
            whole = await rig.get(execution_id)
            [told] = changes(await until_caught_up(watch(rig)))

    assert [task.ref for task in whole.tasks] == ["n", "poll"]
    whole.tasks[1].ClearField("polls")
    assert list(told.tasks) == [whole.tasks[1]]
    assert told.execution == whole.state
    assert told.tasks[0].last_poll.progress == 0.5


async def test_a_snapshot_reads_no_documents(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [WAITING, QUICK]) as rig:
        ended = (await rig.run("quick")).execution_id
        held = await rig.begin("waiting")
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE executions SET input = 'none', variables = 'none', output = 'none'")
            db.execute("UPDATE tasks SET input = 'none', output = 'none', memory = 'none'")
        snapshot = await until_caught_up(watch(rig, Request(recent=10)))

    assert ids(snapshot) == [held, ended]


@pytest.mark.parametrize("told", [1, 3])
async def test_a_snapshot_that_was_broken_off_begins_anew(
    told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelist, "FULL", 1)
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        held = {await rig.begin("waiting") for _ in range(5)}
        request = Request(resume=pb.ResumeToken(epoch="another", revision=1))
        call = watch(rig, request)
        broken_off = await some(call, told)
        call.cancel()
        request.resume.CopyFrom(broken_off[-1].resume)
        again = await until_caught_up(watch(rig, request))

        assert broken_off[0].compacted
        assert again[0].compacted
        assert set(ids(again)) == held
        assert again[-1].resume.revision == rig.runtime.feed.head


async def test_a_place_that_was_compacted_begins_anew(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        held = await rig.begin("waiting")
        made = [(await rig.run("quick")).execution_id for _ in range(5)]
        feed = rig.runtime.feed
        await Upkeep(most_changes=2).compact(rig.store, feed)
        assert (feed.floor, feed.head) == (4, 6)

        async def watched(revision: int) -> list[Response]:
            resume = pb.ResumeToken(epoch=feed.epoch, revision=revision)
            return await until_caught_up(watch(rig, Request(resume=resume)))

        kept, lost = await watched(4), await watched(3)
        assert ids(kept) == made[3:]
        assert [each.resume.revision for each in kept] == [6, 6]
        assert [each.compacted for each in lost] == [True, False, False]
        assert ids(lost) == [held]
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        assert (rig.runtime.feed.floor, rig.runtime.feed.head) == (4, 6)


async def test_a_quiet_list_beats(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        live = livelist.LiveList(
            rig.runtime.feed,
            Searches(rig.store.readers),
            rig.runtime.tally,
            livelist.Wanted(0),
            heartbeat=timedelta(milliseconds=5),
        ).follow(None)
        told = await some(live, 3)

    assert [each.caught_up for each in told] == [True, False, False]
    assert told[1] == told[2] == Response(resume=told[0].resume)


async def test_what_is_dropped_is_counted_no_more(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        await rig.begin("waiting")
        for _ in range(3):
            await rig.run("quick")
        call = watch(rig)
        assert counted(await until_caught_up(call)) == {"RUNNING": 1, "COMPLETED": 3}

        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
        assert counted(await until(call, bool)) == {"RUNNING": 1}
    # As it is after another start.
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        assert counted(await until_caught_up(watch(rig))) == {"RUNNING": 1}


async def test_what_is_dropped_is_told_by_when_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelist, "FULL", 1)
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        held = await rig.begin("waiting")
        for _ in range(3):
            await rig.run("quick")
        call = watch(rig, Request(recent=10))
        before = await until_caught_up(call)
        ended = [each.execution.ended_at for each in changes(before)[:3]]
        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
        dropped = [each async for each in first_dropped(call)]
        resumed = await until_caught_up(
            watch(rig, Request(resume=pb.ResumeToken(epoch=rig.runtime.feed.epoch, revision=0)))
        )
        anew = await until_caught_up(watch(rig, Request(recent=10)))

    assert not any(each.HasField("dropped_before") for each in before)
    [told] = dropped
    assert all(each.ToMicroseconds() < told.ToMicroseconds() for each in ended)
    # The past that is told again is that of executions that are not there any more.
    assert len(set(ids(resumed))) == 4
    for again in (resumed, anew):
        assert [each.HasField("dropped_before") for each in again] == [False] * (len(again) - 1) + [
            True
        ]
        assert again[-1].dropped_before == told
    assert ids(anew) == [held]


async def first_dropped(call: Any) -> AsyncIterator[Timestamp]:
    async with asyncio.timeout(20):
        async for response in call:
            if response.HasField("dropped_before"):
                yield response.dropped_before
                return


async def test_what_begins_again_is_counted_where_it_stands(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [TWO]) as rig:
        execution_id = await rig.begin("two")
        seen = []
        for name in ("Pause", "Resume", "Terminate", "Restart"):
            request = getattr(pb, f"{name}ExecutionRequest")(execution_id=execution_id)
            await getattr(rig.stub, f"{name}Execution")(request, metadata=ADMIN)
            seen.append(counted(await until_caught_up(watch(rig))))

    assert seen == [{"PAUSED": 1}, {"RUNNING": 1}, {"TERMINATED": 1}, {"RUNNING": 1}]


ids_ = st.sampled_from("abc")
happenings = st.lists(st.tuples(ids_, st.lists(st.sampled_from("xyz"), max_size=3)), max_size=20)


@given(happenings)
def test_a_batch_tells_of_each_execution_the_last_state_and_all_its_tasks(
    happened: list[tuple[str, list[str]]],
) -> None:
    rows, expected = [], dict[str, tuple[int, dict[str, int]]]()
    for number, (execution, tasks) in enumerate(happened, 1):
        facts = [execution, "w", 1, "RUNNING", 0, number, None, "", "", "", []]
        states = [
            [task, task, "WAIT", "", "IN_PROGRESS", 0, 0, 1, number, 0, None, None, None, "", None]
            for task in tasks
        ]
        rows.append(Change(number, execution, "w", json.dumps([facts, states])))
        _, known = expected.pop(execution, (0, {}))
        expected[execution] = (number, {**known, **dict.fromkeys(tasks, number)})

    told = {
        change.execution.execution_id: (
            change.execution.updated_at.ToMicroseconds(),
            {task.task_id: task.poll_count for task in change.tasks},
        )
        for change in batches.batch(rows)
    }

    assert told == expected
    assert list(told) == list(expected)
