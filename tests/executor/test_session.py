"""The session: frames in, frames out, and what a broken stream leaves behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc as rpc
from services.access import ServiceIdentity
from services.errors import PermissionDenied
from services.executor import results as ending
from services.rpc import channel, raising_ours
from tests.executor.rig import (
    ADMIN,
    CLUSTER_KEY,
    Rig,
    executing,
    new_id,
    start,
    step,
    workflow,
)

QUICK = workflow(
    "quick",
    step("set", "SET_VARIABLE", n="${workflow.input.n}"),
    outputParameters={"n": "${workflow.variables.n}"},
)
WAITING = workflow("waiting", step("hold", "WAIT"))


def frame(number: int, workflow_name: str, **fields: Any) -> pb.ClientFrame:
    return pb.ClientFrame(correlation_id=number, start=start(workflow_name, **fields))


class Peer:
    """The edge's end of a session."""

    def __init__(self, rig: Rig) -> None:
        self.call = rig.stub.Session()
        self._frames = self._each()

    async def ask(self, *frames: pb.ClientFrame) -> None:
        await self.call.write(pb.SessionRequest(frames=frames))

    async def _each(self) -> AsyncIterator[pb.ServerFrame]:
        async for response in self.call:
            for each in response.frames:
                yield each

    async def next(self) -> pb.ServerFrame:
        return await anext(self._frames)


async def release(rig: Rig, execution_id: str) -> None:
    await rig.stub.UpdateTask(
        pb.UpdateTaskRequest(
            execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED
        ),
        metadata=ADMIN,
    )


async def test_a_start_is_accepted_and_its_result_follows(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        peer = Peer(rig)
        ids = [new_id(), new_id()]
        await peer.ask(
            frame(1, "quick", execution_id=ids[0], input={"n": 7}, acknowledge=True),
            frame(2, "waiting", execution_id=ids[1]),
        )
        frames = [await peer.next() for _ in range(3)]
        await release(rig, ids[1])
        frames.append(await peer.next())

    told = [(each.correlation_id, each.WhichOneof("body")) for each in frames]
    assert told == [(1, "accepted"), (1, "result"), (2, "accepted"), (2, "result")]
    assert [frames[0].accepted.execution_id, frames[2].accepted.execution_id] == ids
    assert json.loads(frames[1].result.output) == {"n": 7}


async def test_a_start_whose_result_comes_soon_is_not_accepted_besides(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "quick", input={"n": 7}))

        assert (await peer.next()).WhichOneof("body") == "result"


async def test_a_stream_is_known_to_be_open_before_anything_is_said(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        call = rig.stub.Session()
        await call.initial_metadata()
        call.cancel()


async def test_a_frame_that_cannot_be_served_says_why_and_harms_no_other(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(
            frame(1, "nope"),
            frame(2, "quick", on_behalf_of="stranger"),
            frame(3, "quick", input="{"),
            pb.ClientFrame(
                correlation_id=4, attach=pb.Attach(execution_id=new_id(), on_behalf_of="admin")
            ),
            frame(5, "quick"),
        )
        found: dict[int, str | None] = {}
        while len(found) < 5:
            each = await peer.next()
            found[each.correlation_id] = each.error.reason or each.WhichOneof("body")
            if found[each.correlation_id] == "accepted":
                del found[each.correlation_id]

    assert found == {
        1: "NOT_FOUND",
        2: "PERMISSION_DENIED",
        3: "INVALID_REQUEST",
        4: "NOT_FOUND",
        5: "result",
    }


async def test_a_start_said_twice_in_one_session_is_answered_once(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        peer = Peer(rig)
        execution_id = new_id()
        same = frame(1, "waiting", execution_id=execution_id, acknowledge=True)
        await peer.ask(same, same)
        await peer.ask(same, frame(2, "quick"))
        frames = [await peer.next() for _ in range(2)]
        await release(rig, execution_id)
        frames.append(await peer.next())

        told = [(each.correlation_id, each.WhichOneof("body")) for each in frames]
        assert told == [(1, "accepted"), (2, "result"), (1, "result")]


async def test_a_start_sent_again_on_a_new_stream_attaches(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = new_id()
        first = Peer(rig)
        await first.ask(frame(1, "waiting", execution_id=execution_id))
        await first.next()
        first.call.cancel()
        second = Peer(rig)
        await second.ask(
            frame(1, "waiting", execution_id=execution_id),
            pb.ClientFrame(
                correlation_id=2,
                attach=pb.Attach(execution_id=execution_id, on_behalf_of="admin"),
            ),
            frame(3, "waiting", execution_id=execution_id, fingerprint=b"other"),
        )
        frames = [await second.next() for _ in range(2)]
        await release(rig, execution_id)
        frames += [await second.next() for _ in range(2)]
        assert rig.runtime.tally.running == 0

    told = [(each.correlation_id, each.WhichOneof("body")) for each in frames]
    assert told == [(3, "error"), (1, "accepted"), (1, "result"), (2, "result")]
    assert frames[0].error.reason == "ALREADY_EXISTS"


async def test_a_start_sent_again_after_a_crash_attaches(tmp_path: Path) -> None:
    execution_id = new_id()
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await rig.run("quick", execution_id=execution_id, input={"n": 1})
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "quick", execution_id=execution_id, input={"n": 1}))
        result = (await peer.next()).result

        assert json.loads(result.output) == {"n": 1}
        assert rig.runtime.feed.head == 1


async def test_a_cancelled_frame_hears_nothing_more_and_its_execution_goes_on(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [QUICK, WAITING]) as rig:
        peer = Peer(rig)
        execution_id = new_id()
        await peer.ask(frame(1, "waiting", execution_id=execution_id))
        await peer.next()
        await peer.ask(pb.ClientFrame(correlation_id=1, cancel=pb.Cancel()))
        await peer.ask(pb.ClientFrame(correlation_id=9, cancel=pb.Cancel()))
        # An answer to what came later says that the cancel was taken.
        await peer.ask(frame(2, "quick"))
        await peer.next()
        await release(rig, execution_id)
        await peer.ask(frame(3, "quick"))

        assert (await peer.next()).correlation_id == 3
        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED


async def test_a_session_ends_with_the_drain(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "waiting"))
        await peer.next()
        rig.executor.end_sessions()
        with pytest.raises(StopAsyncIteration):
            await peer.next()

        assert await peer.call.code() is grpc.StatusCode.OK


async def test_a_peer_that_is_done_ends_the_session(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "waiting"))
        await peer.next()
        await peer.call.done_writing()

        async with asyncio.timeout(5):
            assert await peer.call.code() is grpc.StatusCode.OK


async def test_only_the_edge_opens_sessions(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        identity = ServiceIdentity(CLUSTER_KEY, "registry")
        async with channel(rig.address, lambda: identity.token("executor")) as other:
            stub = rpc.ExecutorServiceStub(other)
            with pytest.raises(PermissionDenied), raising_ours():
                async for _ in stub.Session():
                    pass


async def test_many_frames_at_once_are_all_answered(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(*(frame(number, "quick", input={"n": number}) for number in range(300)))
        results: dict[int, object] = {}
        while len(results) < 300:
            each = await peer.next()
            if each.WhichOneof("body") == "result":
                results[each.correlation_id] = json.loads(each.result.output)["n"]

    assert results == {number: number for number in range(300)}


# It moves tens of megabytes.
async def test_large_outputs_come_in_several_messages(tmp_path: Path) -> None:
    large = "x" * (5 << 20)
    flow = workflow("large", step("n", "NOOP"), outputParameters={"n": "${workflow.input.n}"})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        peer = Peer(rig)
        execution_id = new_id()
        await rig.run("large", execution_id=execution_id, input={"n": large})
        # All at once, and asked for by attaching: a start may be refused while a loop is slow.
        attach = pb.Attach(execution_id=execution_id, on_behalf_of="admin")
        await peer.ask(*(pb.ClientFrame(correlation_id=n, attach=attach) for n in range(4)))
        results = [await peer.next() for _ in range(4)]

    assert [each.WhichOneof("body") for each in results] == ["result"] * 4
    assert min(len(each.result.output) for each in results) > 5 << 20


async def test_an_output_that_no_message_can_hold_is_left_out_and_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What ends now is smaller; what has ended before may not be.
    monkeypatch.setattr(ending, "MOST_BYTES_A_RESULT", 1 << 20)
    flow = workflow("large", step("n", "NOOP"), outputParameters={"n": "${workflow.input.n}"})
    async with executing(tmp_path / "x.db", [flow, QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "large", input={"n": "x" * (1 << 20)}))
        while (each := await peer.next()).WhichOneof("body") == "accepted":
            continue
        await peer.ask(frame(2, "quick", input={"n": 7}))
        after = await peer.next()
        asked = await rig.ended(each.result.execution_id)

    assert (asked.output_left_out, asked.output) == (True, "")
    assert (each.correlation_id, each.result.status) == (1, pb.EXECUTION_STATUS_COMPLETED)
    assert each.result.output_left_out
    assert each.result.output == ""
    assert (after.correlation_id, json.loads(after.result.output)) == (2, {"n": 7})


async def test_an_output_that_is_written_larger_than_allowed_fails_its_execution(
    tmp_path: Path,
) -> None:
    flow = workflow("large", step("n", "NOOP"), outputParameters={"n": ["${workflow.input.n}"] * 3})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        peer = Peer(rig)
        await peer.ask(frame(1, "large", input={"n": "\x01" * (2 << 20)}))
        while (each := await peer.next()).WhichOneof("body") == "accepted":
            continue

    assert each.result.status == pb.EXECUTION_STATUS_FAILED
    assert "it would hold about 36 MiB" in each.result.reason


async def test_the_refusal_of_a_frame_that_was_cancelled_is_not_another_ones(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer, execution_id = Peer(rig), new_id()
        await peer.ask(
            frame(1, "waiting", input="[" * 300_000),
            pb.ClientFrame(correlation_id=1, cancel=pb.Cancel()),
            frame(1, "waiting", execution_id=execution_id),
        )
        assert (await peer.next()).accepted.execution_id == execution_id
        await release(rig, execution_id)

        assert (await peer.next()).result.execution_id == execution_id
