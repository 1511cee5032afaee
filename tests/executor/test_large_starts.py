"""Of large inputs so much is held, and so much worked on; the rest waits, or is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound, Overloaded
from services.executor.documents import LARGE_CHARS
from services.executor.large_starts import (
    MOST_AT_WORK_CHARS,
    MOST_HELD_CHARS_OF_ONE,
    LargeStarts,
)
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, start, step, workflow
from tests.executor.test_session import Peer

FLOW = workflow("flow", step("n", "NOOP"))
LARGE = {"text": "x" * LARGE_CHARS}


def test_beyond_what_is_held_more_is_refused_and_what_goes_makes_room() -> None:
    large = LargeStarts(most_held=10)
    with large.holding(6, "a"):
        with large.holding(4, "b"), pytest.raises(Overloaded), large.holding(1, "c"):
            pass
        with large.holding(4, "b"):
            assert large.held == 10

    assert large.held == 0


def test_one_application_leaves_room_for_others() -> None:
    large = LargeStarts(most_held=10, most_of_one=6)
    with large.holding(4, "a"):
        with pytest.raises(Overloaded, match="'a'"), large.holding(3, "a"):
            pass
        with large.holding(2, "a"), large.holding(4, "b"):
            assert large.held == 10
    with large.holding(6, "a"):
        assert large.held == 6


async def test_those_that_find_no_room_take_their_turns_in_order() -> None:
    large, done = LargeStarts(most_at_work=10), list[int]()
    ends = [asyncio.Event() for _ in range(4)]

    async def works(number: int, chars: int) -> None:
        async with large.working(chars):
            done.append(number)
            await ends[number].wait()

    # The third would find room, and is not before the second. One alone may be larger.
    tasks = [asyncio.create_task(works(n, chars)) for n, chars in enumerate((6, 12, 3, 7))]
    await asyncio.sleep(0)
    assert (done, large.at_work, large.waiting) == ([0], 6, 3)
    ends[0].set()
    await tasks[0]
    assert (large.at_work, large.waiting) == (12, 2)
    ends[1].set()
    await tasks[1]
    for each in ends:
        each.set()
    await asyncio.gather(*tasks)

    assert done == [0, 1, 2, 3]
    assert (large.at_work, large.waiting) == (0, 0)


@pytest.mark.parametrize("has_room", [False, True], ids=["in line", "as its turn comes"])
async def test_who_stops_waiting_keeps_nobody_waiting(has_room: bool) -> None:
    large = LargeStarts(most_at_work=10)

    async def works() -> None:
        async with large.working(8):
            pass

    async with large.working(8) as leave:
        gone, stays = asyncio.create_task(works()), asyncio.create_task(works())
        await asyncio.sleep(0)
        if has_room:
            leave()
        gone.cancel()
        await asyncio.wait([gone])
        leave()
        await stays

    assert (large.at_work, large.waiting) == (0, 0)


async def _begins(rig: Rig, way: str, name: str = "flow", **fields: Any) -> str:
    """A start by a call, or by a frame; what came of it."""
    asked = start(name, input=LARGE, execution_id=new_id(), **fields)
    if way == "call":
        with raising_ours():
            told = await rig.stub.StartExecution(pb.StartExecutionRequest(start=asked))
        return told.execution_id
    peer = Peer(rig)
    await peer.ask(pb.ClientFrame(correlation_id=1, start=asked))
    said = await peer.next()
    peer.call.cancel()
    return said.error.reason or said.accepted.execution_id or said.result.execution_id


@pytest.mark.parametrize("way", ["call", "frame"])
async def test_a_large_start_waits_for_its_turn(tmp_path: Path, way: str) -> None:
    async with executing(tmp_path / "x.db", [FLOW]) as rig:
        large = rig.runtime.large_starts
        async with large.working(MOST_AT_WORK_CHARS):
            beginning = asyncio.create_task(_begins(rig, way))
            async with asyncio.timeout(5):
                while not large.waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            # Small ones do not wait.
            await rig.begin("flow")
            assert not beginning.done()
        assert len(await beginning) == 36
        assert (large.held, large.at_work) == (0, 0)


@pytest.mark.parametrize("way", ["call", "frame"])
async def test_more_than_may_be_held_is_refused(tmp_path: Path, way: str) -> None:
    async with executing(tmp_path / "x.db", [FLOW]) as rig:
        held = rig.runtime.large_starts.holding
        with held(MOST_HELD_CHARS_OF_ONE, "a"), held(MOST_HELD_CHARS_OF_ONE, "b"):
            if way == "call":
                with pytest.raises(Overloaded, match="try again in a moment"):
                    await _begins(rig, way)
            else:
                assert await _begins(rig, way) == "OVERLOADED"
            await rig.begin("flow")
        assert len(await _begins(rig, way)) == 36


@pytest.mark.parametrize("way", ["call", "frame"])
async def test_what_waits_for_a_slot_keeps_no_other_from_its_turn(tmp_path: Path, way: str) -> None:
    waiting, slot = workflow("waiting", step("w", "WAIT")), pb.Slot(key=b"k", limit=1)
    slot.most_waiting = 1
    async with executing(tmp_path / "x.db", [FLOW, waiting]) as rig:
        large = rig.runtime.large_starts
        first = await _begins(rig, way, "waiting", slot=slot)
        second = asyncio.create_task(_begins(rig, way, slot=slot))
        async with asyncio.timeout(5):
            while not rig.runtime.slots.waiting(b"k"):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert large.at_work == 0
        assert len(await _begins(rig, way)) == 36
        end = pb.TerminateExecutionRequest(execution_id=first)
        await rig.stub.TerminateExecution(end, metadata=ADMIN)
        assert len(await second) == 36


async def test_a_frame_that_is_cancelled_in_line_begins_nothing(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [FLOW]) as rig:
        large, peer, id_ = rig.runtime.large_starts, Peer(rig), new_id()
        async with large.working(MOST_AT_WORK_CHARS):
            asked = start("flow", input=LARGE, execution_id=id_)
            await peer.ask(pb.ClientFrame(correlation_id=1, start=asked))
            await _until(lambda: large.waiting == 1)
            await peer.ask(pb.ClientFrame(correlation_id=1, cancel=pb.Cancel()))
            # What is said behind it is heard behind it.
            await peer.ask(pb.ClientFrame(correlation_id=2, start=start("flow")))
            assert (await peer.next()).correlation_id == 2
        await _until(lambda: large.held == 0)
        with pytest.raises(NotFound), raising_ours():
            await rig.get(id_)
        peer.call.cancel()


async def test_a_frame_that_joins_one_that_waits_for_a_slot_ends_its_turn_as_it_leaves(
    tmp_path: Path,
) -> None:
    waiting, slot = workflow("waiting", step("w", "WAIT")), pb.Slot(key=b"k", limit=1)
    slot.most_waiting = 1
    async with executing(tmp_path / "x.db", [FLOW, waiting]) as rig:
        large, peer = rig.runtime.large_starts, Peer(rig)
        await rig.begin("waiting", slot=slot)
        small = start("flow", execution_id=new_id(), idempotency_key=b"same", slot=slot)
        await peer.ask(pb.ClientFrame(correlation_id=1, start=small))
        await _until(lambda: rig.runtime.slots.waiting(b"k") == 1)
        joins = start("flow", input=LARGE, execution_id=new_id(), idempotency_key=b"same")
        await peer.ask(pb.ClientFrame(correlation_id=2, start=joins))
        await _until(lambda: large.at_work > 0)
        await _until(lambda: rig.runtime.entrance.joined_chars > 0)

        await peer.ask(pb.ClientFrame(correlation_id=2, cancel=pb.Cancel()))

        await _until(lambda: (large.held, large.at_work) == (0, 0))
        peer.call.cancel()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
