"""Who waits until an execution stands still: what ends the wait, and what it costs."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Overloaded
from services.executor import actors
from services.executor.core.model import Execution
from services.executor.results import Waiters
from services.executor.standstills import Following
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import (
    ADMIN,
    Rig,
    executing,
    http,
    new_id,
    put,
    start,
    step,
    traced,
    upstream,
    wait,
    workflow,
)
from tests.executor.test_kin import child_of, sub
from tests.executor.test_operating import signal

COMPLETED, RUNNING = pb.EXECUTION_STATUS_COMPLETED, pb.EXECUTION_STATUS_RUNNING
WAITING = workflow("waiting", step("hold", "WAIT"), step("then", "NOOP"))
TWICE = workflow("twice", step("first", "WAIT"), step("second", "WAIT"))


async def run(
    rig: Rig, name: str, seconds: float = 10, *, show: bool = False, **fields: Any
) -> pb.RunExecutionResponse:
    request = pb.RunExecutionRequest(
        start=start(name, **fields), wait=wait(seconds), until_blocked=True, show=show
    )
    with raising_ours():
        return await rig.stub.RunExecution(request)


async def attach(
    rig: Rig, execution_id: str, seconds: float = 10, refs: Sequence[str] = ()
) -> pb.Result:
    asked = pb.Attach(execution_id=execution_id, await_refs=refs, on_behalf_of="admin")
    request = pb.AttachExecutionRequest(attach=asked, wait=wait(seconds), until_blocked=True)
    return (await rig.stub.AttachExecution(request)).result


async def followed(rig: Rig, execution_id: str) -> None:
    """Until somebody follows it, and sleeps."""
    followers = rig.runtime.waiters._followers
    while execution_id not in followers or rig.runtime.engine.active:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("kind", ["WAIT", "HUMAN"])
async def test_a_task_that_waits_for_somebody_ends_the_wait(tmp_path: Path, kind: str) -> None:
    async with executing(tmp_path / "x.db", [workflow("w", step("hold", kind))]) as rig:
        result = (await run(rig, "w")).result
        assert (result.status, result.blocked.ref) == (RUNNING, "hold")
        assert result.blocked.execution_id == result.execution_id
        met = await signal(rig, result.execution_id)

        assert met.task_id == result.blocked.task_id
        assert rig.runtime.waiters._followers == {}
        assert rig.runtime.waiters._waiting == {}


async def test_an_end_is_told_as_without_it(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [workflow("w", step("n", "NOOP"))]) as rig:
        result = (await run(rig, "w")).result

    assert result.status == COMPLETED
    assert not result.HasField("blocked")


async def test_a_wait_that_ends_by_itself_blocks_nobody(tmp_path: Path) -> None:
    async with executing(
        tmp_path / "x.db", [workflow("w", step("hold", "WAIT", duration="1 hour"))]
    ) as rig:
        result = (await run(rig, "w", 0.02)).result

    assert result.status == RUNNING
    assert not result.HasField("blocked")


async def test_what_is_reached_later_ends_the_wait_by_itself(tmp_path: Path) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        asked.set()
        await go.wait()
        return {}

    async with upstream(slow=slow) as up:
        late = workflow("late", http("call", f"{up.url}/slow"), step("hold", "WAIT"))
        async with executing(tmp_path / "x.db", [late]) as rig:
            waiting = asyncio.create_task(run(rig, "late"))
            await asyncio.wait_for(asked.wait(), 10)
            said = await traced(rig)
            go.set()
            result = (await waiting).result

    assert result.blocked.ref == "hold"
    # It was pushed: the store was not asked meanwhile.
    assert [each for each in said if "SELECT" in each] == []


async def test_it_may_be_in_a_sub_workflow_of_a_sub_workflow(tmp_path: Path) -> None:
    middle, top = workflow("middle", sub("s", "waiting")), workflow("top", sub("s", "middle"))
    async with executing(tmp_path / "x.db", [WAITING, middle, top]) as rig:
        result = (await run(rig, "top")).result
        grandchild = await child_of(rig, await child_of(rig, result.execution_id))

        assert result.status == RUNNING
        assert (result.blocked.execution_id, result.blocked.ref) == (grandchild, "hold")
        assert rig.runtime.waiters._followers == {}


async def test_the_task_is_the_one_that_a_signal_would_meet(tmp_path: Path) -> None:
    fork = {
        **step("f", "FORK_JOIN"),
        "forkTasks": [[sub("s", "waiting")], [step("own", "WAIT")]],
    }
    both = workflow("both", fork, {**step("j", "JOIN"), "joinOn": ["s", "own"]})
    async with executing(tmp_path / "x.db", [WAITING, both]) as rig:
        first = await rig.begin("both")
        await child_of(rig, first)
        result = await attach(rig, first)
        met = await signal(rig, first)

    blocked = (result.blocked.execution_id, result.blocked.task_id)
    assert blocked == (met.execution_id, met.task_id)


async def test_after_a_signal_the_next_wait_ends_the_wait(tmp_path: Path) -> None:
    then = workflow("then", sub("s", "waiting"), step("own", "WAIT"))
    async with executing(tmp_path / "x.db", [WAITING, then]) as rig:
        id_ = (await run(rig, "then")).result.execution_id
        await signal(rig, id_)
        assert (await attach(rig, id_)).blocked.ref == "own"
        await signal(rig, id_)
        assert (await attach(rig, id_)).status == COMPLETED


async def test_a_signal_by_others_does_not_end_the_wait(tmp_path: Path) -> None:
    hold, again = step("hold", "WAIT", duration="1 hour"), step("again", "WAIT")
    async with executing(tmp_path / "x.db", [workflow("w", hold, again)]) as rig:
        id_ = await rig.begin("w")
        waiting = asyncio.create_task(attach(rig, id_))
        await followed(rig, id_)
        update = pb.UpdateTaskRequest(
            execution_id=id_, ref="hold", status=pb.TASK_STATUS_COMPLETED, output="{}"
        )
        await rig.stub.UpdateTask(update, metadata=ADMIN)

        assert (await waiting).blocked.ref == "again"


async def test_an_awaited_task_ends_the_wait_before(tmp_path: Path) -> None:
    steps = step("n", "INLINE", evaluatorType="value-param", expression="x", x=7)
    async with executing(tmp_path / "x.db", [workflow("w", steps, step("hold", "WAIT"))]) as rig:
        result = (await run(rig, "w", await_refs=["n"])).result

    assert result.awaited_ref == "n"
    assert json.loads(result.output) == {"result": 7}
    assert not result.HasField("blocked")


async def test_whoever_leaves_is_forgotten(tmp_path: Path) -> None:
    sleeping = workflow("sleeping", step("hold", "WAIT", duration="1 hour"))
    async with executing(tmp_path / "x.db", [sleeping, workflow("w", sub("s", "sleeping"))]) as rig:
        id_ = await rig.begin("w")
        child = await child_of(rig, id_)
        waiting = asyncio.create_task(attach(rig, id_))
        await followed(rig, child)
        waiting.cancel()
        while rig.runtime.waiters._followers or rig.runtime.waiters._waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

        assert rig.executor._standstills.waiting == 0


@pytest.mark.parametrize("until_blocked", [True, False])
async def test_who_waits_holds_nothing_of_what_the_execution_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until_blocked: bool
) -> None:
    monkeypatch.setattr(actors, "_MOST_RESTING", 0)
    sleeping = workflow("sleeping", step("hold", "WAIT", duration="1 hour"))
    async with executing(tmp_path / "x.db", [sleeping]) as rig:
        id_ = await rig.begin("sleeping")
        asked = pb.Attach(execution_id=id_, on_behalf_of="admin")
        request = pb.AttachExecutionRequest(
            attach=asked, wait=wait(60), until_blocked=until_blocked
        )
        waiting = asyncio.ensure_future(rig.stub.AttachExecution(request))
        waiters, engine = rig.runtime.waiters._waiting, rig.runtime.engine
        while id_ not in waiters or engine.active:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if until_blocked:
            await followed(rig, id_)
        # A thread that has read it may let go of it a moment later.
        async with asyncio.timeout(20):
            while _held(id_):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()


def _held(execution_id: str) -> list[Execution]:
    """All in memory of that id."""
    gc.collect()
    found = [each for each in gc.get_objects() if isinstance(each, Execution)]
    return [each for each in found if each.id == execution_id]


async def test_too_many_are_refused(tmp_path: Path) -> None:
    sleeping = workflow("sleeping", step("hold", "WAIT", duration="1 hour"))
    async with executing(tmp_path / "x.db", [sleeping]) as rig:
        id_ = await rig.begin("sleeping")
        rig.executor._standstills._most_at_once = 1
        waiting = asyncio.create_task(attach(rig, id_))
        await followed(rig, id_)
        with pytest.raises(Overloaded), raising_ours():
            await attach(rig, id_)
        waiting.cancel()


async def test_a_start_that_is_sent_again_after_a_crash_waits_for_the_same(tmp_path: Path) -> None:
    id_ = new_id()
    async with executing(tmp_path / "x.db", [TWICE]) as rig:
        first = (await run(rig, "twice", execution_id=id_)).result
    async with executing(tmp_path / "x.db", [TWICE]) as rig:
        again = (await run(rig, "twice", execution_id=id_)).result

    assert first.execution_id == id_
    assert again.blocked == first.blocked


async def test_it_is_shown_to_whoever_may_read_it(tmp_path: Path) -> None:
    of_top = {"target": {"type": "workflow", "id": "top"}, "access": ["EXECUTE"]}
    caller: dict[str, Any] = {"kind": "application", "id": "caller", "permissions": [of_top]}
    top = workflow("top", sub("s", "waiting"))
    async with executing(tmp_path / "x.db", [WAITING, top, caller]) as rig:
        told = await run(rig, "top", show=True)
        document = json.loads(told.shown.document)
        assert document["workflowId"] == told.result.execution_id
        assert told.shown.state.started_by == "application:admin"
        assert json.loads(told.shown_blocked.document)["workflowName"] == "waiting"

        request = pb.RunExecutionRequest(
            start=pb.Start(workflow_name="top"), wait=wait(10), until_blocked=True, show=True
        )
        unshown = await rig.stub.RunExecution(request, metadata=on_behalf_of("caller"))
        assert unshown.result.blocked.ref == "hold"
        assert not unshown.HasField("shown")
        assert not unshown.HasField("shown_blocked")

        put(rig.replica, {**caller, "permissions": [{**of_top, "access": ["EXECUTE", "READ"]}]})
        shown = await rig.stub.RunExecution(request, metadata=on_behalf_of("caller"))
        assert shown.HasField("shown")
        assert not shown.HasField("shown_blocked")


async def test_what_is_waited_for_no_more_is_followed_no_more() -> None:
    waiters = Waiters()
    following = Following(waiters, "root", ())
    for parent, child in (("root", "a"), ("a", "b"), ("b", "c"), ("root", "c")):
        following._waits_for(parent, child)
    assert set(waiters._followers) == {"root", "a", "b", "c"}

    following.drop("a")
    # Somebody else waits for it, too.
    assert set(waiters._followers) == {"root", "c"}
    following.close()
    assert waiters._followers == {}


async def test_no_more_are_followed_than_a_signal_looks_at() -> None:
    waiters = Waiters()
    following = Following(waiters, "root", ())
    for number in range(2_000):
        following._waits_for("root", f"child-{number}")

    assert len(waiters._followers) == 1_000

    # As these end, the others are followed, but those that have ended meanwhile.
    following._waits_no_more("root", "child-999")
    for number in range(999):
        following.drop(f"child-{number}")
    assert set(waiters._followers) == {"root", *(f"child-{each}" for each in range(1_000, 1_999))}
    following.drop("child-1000")
    assert "child-1999" in waiters._followers
    following.close()
    assert waiters._followers == {}


async def test_a_follower_that_breaks_harms_nobody(tmp_path: Path) -> None:
    class Broken:
        def committed(self, execution: Execution, changed: object) -> None:
            raise RuntimeError("broken")

    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        id_ = await rig.begin("waiting")
        rig.runtime.waiters.follow(id_, Broken())
        await signal(rig, id_)
        assert (await rig.ended(id_)).status == COMPLETED
