"""Beyond some number of executions that have not ended none begins, and what runs goes on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import KeyReused, Overloaded
from services.executor import session
from services.executor.capacity import Capacity
from services.executor.runtime import Limits
from services.rpc import raising_ours
from tests.executor.eventing.test_dispatcher import handler, runs, starting, until_done
from tests.executor.rig import ADMIN, executing, new_id, replica_of, step, workflow
from tests.executor.scheduling.test_scheduler import runs as runs_of, schedule, stopped, until_run
from tests.executor.test_idempotency import keyed, result
from tests.executor.test_own_starts import TELLS, complete, ids_of
from tests.executor.test_session import QUICK, WAITING, Peer, frame, release

TWO = Limits(open=2)
WORKED_ON = workflow("worked", step("a", "SIMPLE"), step("b", "SIMPLE"))
PARENT = workflow(
    "parent",
    step("first", "HUMAN"),
    {**step("child", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "waiting"}},
)


async def test_one_more_than_may_be_open_is_told_which_limit_it_is_until_one_has_ended(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK], limits=TWO) as rig:
        first, _ = await rig.begin("waiting"), await rig.begin("waiting")
        for name in ("waiting", "quick"):
            with pytest.raises(Overloaded, match="end some, or raise ") as caught, raising_ours():
                await rig.begin(name)
            assert caught.value.metadata["limit"] == "PODIUM_EXECUTOR_OPEN_EXECUTIONS"
        await release(rig, first)
        await rig.ended(first)

        await rig.begin("waiting")
        assert rig.runtime.capacity.open == 2


async def test_a_workflow_has_a_share_of_its_own(tmp_path: Path) -> None:
    limits = Limits(open_of_workflow=1)
    async with executing(tmp_path / "x.db", [WAITING, QUICK], limits=limits) as rig:
        await rig.begin("waiting")
        with pytest.raises(Overloaded, match="of the workflow 'waiting'"), raising_ours():
            await rig.begin("waiting")

        assert json.loads((await rig.run("quick", input={"n": 1})).output) == {"n": 1}


async def test_open_ones_are_counted_over_a_restart(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        first, second = await rig.begin("waiting"), await rig.begin("waiting")
        await rig.run("quick", input={"n": 1})
    async with executing(tmp_path / "x.db", [WAITING, QUICK], limits=TWO) as rig:
        assert rig.runtime.capacity.open_of("waiting") == 2
        assert rig.runtime.capacity.open_of("quick") == 0
        with pytest.raises(Overloaded), raising_ours():
            await rig.begin("quick")
        for each in (first, second):
            await release(rig, each)
            await rig.ended(each)

        assert rig.runtime.capacity.open == 0
        await rig.begin("waiting")


async def test_who_asks_again_for_what_has_begun_is_told_of_it(tmp_path: Path) -> None:
    one, held = Limits(open=1), new_id()
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        await Peer(rig).ask(keyed(1, "waiting", execution_id=held))
        async with asyncio.timeout(20):
            while not rig.runtime.capacity.open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    async with executing(tmp_path / "x.db", [WAITING, QUICK], limits=one) as rig:
        # None of them is in memory: by its key, by its id, and by the key for something else.
        peer = Peer(rig)
        await peer.ask(keyed(1, "waiting"))
        await peer.ask(frame(2, "waiting", execution_id=held, acknowledge=True))
        await peer.ask(frame(3, "quick"), keyed(4, "waiting", idempotency_key=b"o" * 32))
        refused = {(each := await result(peer)).correlation_id: each.error for _ in range(2)}
        assert {each.reason for each in refused.values()} == {"OVERLOADED"}
        await release(rig, held)
        told = {(each := await result(peer)).correlation_id: each for _ in range(2)}

        assert sorted(refused) == [3, 4]
        assert {each.result.execution_id for each in told.values()} == {held}


async def test_a_key_for_something_else_is_told_so_and_not_that_all_is_full(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK], limits=Limits(open=1)) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, "waiting", acknowledge=True))
        await peer.next()
        await peer.ask(keyed(2, "waiting", fingerprint=b"another"))

        assert (await result(peer)).error.reason == KeyReused.reason()


async def test_children_of_what_runs_begin_and_are_counted(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [PARENT, WAITING], limits=Limits(open=1)) as rig:
        parent = await rig.begin("parent")
        await complete(rig, parent, "first")
        async with asyncio.timeout(20):
            while not (children := await ids_of(rig, "waiting")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert rig.runtime.capacity.open == 2
        with pytest.raises(Overloaded), raising_ours():
            await rig.begin("waiting")
        await release(rig, children[0])

        assert (await rig.ended(parent)).status == pb.EXECUTION_STATUS_COMPLETED
        assert rig.runtime.capacity.open == 0


async def test_operators_have_run_again_what_has_ended(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING], limits=Limits(open=1)) as rig:
        first = await rig.begin("waiting")
        await release(rig, first)
        await rig.ended(first)
        await rig.begin("waiting")
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=first), metadata=ADMIN
        )

        assert rig.runtime.capacity.open == 2


async def test_an_event_waits_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replica = replica_of(TELLS, WAITING, workflow("ship", step("n", "NOOP")), handler(starting()))
    async with executing(tmp_path / "x.db", replica, limits=TWO) as rig:
        order, first, _ = await rig.begin("order"), await rig.begin("waiting"), None
        # One more than may be: it was there before the limit.
        rig.runtime.capacity.count("waiting", 1)
        await complete(rig, order, "go")
        await rig.ended(order)
        async with asyncio.timeout(20):
            while "has to wait" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await runs(rig) == []
        rig.runtime.capacity.count("waiting", -1)
        (run,) = await until_done(rig)

        assert await ids_of(rig, "ship") == [run.target]
        await release(rig, first)


async def test_a_schedule_waits_until_there_is_room(tmp_path: Path) -> None:
    asked = await stopped(tmp_path / "x.db", replica_of(QUICK, WAITING, schedule()))
    async with executing(*asked, limits=Limits(open=1)) as rig:
        rig.runtime.capacity.count("waiting", 1)
        entry = rig.runtime.scheduler.entries()[0]
        due = entry.next_at
        async with asyncio.timeout(20):
            while entry.next_at == due or entry.task is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert list(await runs_of(rig)) == []
        rig.runtime.capacity.count("waiting", -1)

        assert (await until_run(rig))[-1].execution_id


async def test_too_many_tasks_that_wait_for_workers_let_nothing_begin(tmp_path: Path) -> None:
    limits = Limits(waiting_tasks=2)
    async with executing(tmp_path / "x.db", [WORKED_ON, QUICK], limits=limits) as rig:
        first, _ = await rig.begin("worked"), await rig.begin("worked")
        with pytest.raises(Overloaded, match="have more workers") as caught, raising_ours():
            await rig.begin("quick")
        assert caught.value.metadata["limit"] == "PODIUM_EXECUTOR_WAITING_TASKS"
        # What runs goes on, from one task that waits to the next.
        await complete(rig, first, "a")
        await complete(rig, first, "b")
        await rig.ended(first)

        await rig.begin("quick")


async def test_many_who_come_at_once_are_refused_or_run_and_the_count_is_right(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [QUICK], limits=Limits(open=20)) as rig:
        peer = Peer(rig)
        await peer.ask(*(frame(n, "quick", input={"n": n}) for n in range(300)))
        told = [await result(peer) for _ in range(300)]

        bodies = {each.error.reason for each in told if each.WhichOneof("body") == "error"}
        assert bodies <= {"OVERLOADED"}
        assert any(each.WhichOneof("body") == "result" for each in told)
        assert rig.runtime.capacity.open == 0
        await rig.run("quick", input={"n": 1})


async def test_a_session_has_so_many_frames_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_MOST_OPEN", 2)
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer, ids = Peer(rig), [new_id() for _ in range(3)]
        await peer.ask(*(frame(n, "waiting", execution_id=id) for n, id in enumerate(ids)))
        refused = await result(peer)
        assert (refused.correlation_id, refused.error.reason) == (2, "OVERLOADED")
        for each in ids[:2]:
            await release(rig, each)
            assert (await result(peer)).WhichOneof("body") == "result"
        await peer.ask(frame(2, "waiting", execution_id=ids[2], acknowledge=True))

        assert (await peer.next()).WhichOneof("body") == "accepted"


def test_what_nobody_has_open_takes_no_memory() -> None:
    capacity = Capacity({"a": 1})
    for number in range(1_000):
        capacity.count(f"w{number}", 1)
        capacity.count(f"w{number}", -1)
    capacity.count("a", -1)

    assert capacity.open == 0
    assert not capacity._open_of
