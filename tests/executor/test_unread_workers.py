"""Workers that say much and hear nothing: what is kept for them is bounded, and they are ended."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.worker.v1 import worker_pb2 as pb
from services.errors import InvalidRequest, Overloaded
from services.executor.workers import session
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow
from tests.executor.working import queue, result

ONE = workflow("one", step("a", "SIMPLE"))
HELLO = pb.WorkRequest(
    hello=pb.Hello(worker_id="w1", offers=[pb.Offer(task_type="a", slots=5)], exclusive=True)
)


async def greeted(rig: Rig) -> Any:
    """A stream that was taken, of a worker that reads nothing more."""
    call: Any = rig.workers.Work(metadata=ADMIN)
    await call.write(HELLO)
    await call.read()
    return call


async def to_its_end(call: Any) -> None:
    async with asyncio.timeout(60):
        while await call.read() is not grpc.aio.EOF:
            pass


async def connected(rig: Rig) -> bool:
    return any(each.connected for each in (await queue(rig, "a")).workers)


async def gone(rig: Rig) -> None:
    async with asyncio.timeout(60):
        while await connected(rig):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "flood",
    [
        pb.WorkRequest(results=[pb.TaskResult(task_id="x" * 1_000_000)] * 8),
        pb.WorkRequest(words=[pb.TaskWord(task_id="x" * 1_000_000)] * 8),
    ],
    ids=["results", "words"],
)
async def test_who_reads_no_answers_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flood: pb.WorkRequest
) -> None:
    monkeypatch.setattr(session, "_MOST_UNREAD_BYTES", 1 << 20)
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = await greeted(rig)
        # Once: gRPC forgets why a stream has ended that somebody writes to as it ends.
        await call.write(flood)
        await gone(rig)
        # It is told why, once it reads.
        with pytest.raises(Overloaded, match="does not read"), raising_ours():
            await to_its_end(call)


async def test_small_answers_count_with_what_they_take_up_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_MOST_UNREAD_BYTES", 1 << 20)
    refused = pb.TaskResult(task_id="x", output="{")
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = await greeted(rig)
        await call.write(pb.WorkRequest(results=[refused] * 4000))
        with pytest.raises(Overloaded, match="does not read"), raising_ours():
            await to_its_end(call)


async def test_answers_that_no_message_holds_together_go_in_several() -> None:
    nothing: Any = None
    asks = session.WorkSession(nothing, nothing)
    asks.worker_id = "w1"
    for number in range(40):
        refused = pb.TaskResult(task_id=f"{number}" + "x" * 1_000_000, output="{")
        await asks.take(pb.WorkRequest(results=[refused]))

    messages = [asks.next_message() for _ in range(6)]
    assert [len(each.answers) for each in messages] == [8, 8, 8, 8, 8, 0]


async def test_a_second_hello_is_told_to_be_one(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = await greeted(rig)
        await call.write(HELLO)
        with pytest.raises(InvalidRequest, match="There is one hello"), raising_ours():
            await to_its_end(call)


async def test_who_is_replaced_while_it_does_not_read_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_LAST_WORDS_SECONDS", 0.1)
    flood = pb.WorkRequest(results=[pb.TaskResult(task_id="x" * 1_000_000)] * 8)
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = await greeted(rig)
        for _ in range(3):
            await call.write(flood)
        other: Any = rig.workers.Work(metadata=ADMIN)
        await other.write(HELLO)
        await other.read()
        await to_its_end(call)
        assert await call.code() is grpc.StatusCode.OK
        assert await connected(rig)


async def test_who_says_more_than_the_disk_takes_is_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_MOST_UNTOLD_BYTES", 1 << 20)
    go_on = threading.Event()
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = await greeted(rig)
        await rig.begin("one")
        task = (await call.read()).tasks[0]
        word = pb.TaskWord(
            task_id=task.task_id,
            execution_id=task.execution_id,
            output=json.dumps({"said": "x" * 2_000_000}),
        )
        stalled = rig.store.writer.chore(lambda db: waited(go_on))

        async def say() -> None:
            for _ in range(20):
                await call.write(pb.WorkRequest(words=[word]))
            await call.write(pb.WorkRequest(results=[result(task, output={"done": True})]))

        saying = asyncio.create_task(say())
        # It would take no longer, and all of it would be in memory.
        await asyncio.wait({saying}, timeout=1)
        assert not saying.done()
        go_on.set()
        await asyncio.gather(saying, stalled)
        ended = await rig.ended(task.execution_id, 30)

    assert json.loads(ended.output)["done"]


def waited(go_on: threading.Event) -> None:
    go_on.wait(30)
