"""What a process that dies at any moment leaves behind, and what the next one makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import sys
import threading
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from aiohttp import web
from sqlite_utils import Database

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc as rpc
from services import javascript
from services.access import ServiceIdentity
from services.errors import NotFound, Unavailable
from services.executor import feed_rows, store as stores
from services.executor.effects.callbacks import CallbackTokens
from services.executor.handingoff import HandingOff
from services.executor.runtime import running
from services.executor.serving import DEFINITIONS
from services.executor.snapshots import Snapshots
from services.executor.store import Store
from services.home import write_private
from services.replica import disk
from services.rpc import channel, raising_ours
from services.sealing import Sealer, read_key
from tests.executor.rig import (
    ADMIN,
    SECRET_KEY,
    Rig,
    executing,
    http,
    new_id,
    replica_of,
    start,
    step,
    upstream,
    workflow,
)


async def test_a_call_under_way_is_made_again_with_the_same_key(tmp_path: Path) -> None:
    keys: list[str] = []
    first = asyncio.Event()

    async def pay(request: web.Request) -> dict[str, Any]:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            first.set()
            await asyncio.Event().wait()
        return {"paid": True}

    async with upstream(pay=pay) as remote:
        flow = workflow("w", http("pay", f"{remote.url}/pay", method="POST", body={"n": 1}))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("w")
            await first.wait()
        async with executing(tmp_path / "x.db", [flow]) as rig:
            result = await rig.ended(execution_id)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert json.loads(result.output)["response"]["body"] == {"paid": True}
    assert len(keys) == 2
    assert keys[0] == keys[1]


async def test_an_execution_that_was_stored_and_not_begun_begins(tmp_path: Path) -> None:
    flow = workflow("w", step("n", "NOOP"))
    path = tmp_path / "x.db"
    async with executing(path, [flow]) as rig:
        execution_id = (await rig.run("w")).execution_id
    with sqlite3.connect(path) as db:
        # As another execution's failure stores it.
        db.execute("UPDATE executions SET status='RUNNING', ended_at=NULL, next_sequence=1")
        db.execute("DELETE FROM tasks")
    db.close()
    async with executing(path, [flow]) as rig:
        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED
        assert rig.runtime.tally.running == 0


async def test_nothing_begins_before_it_is_known_what_was_left_half_done(tmp_path: Path) -> None:
    serving, release = asyncio.Event(), threading.Event()

    async def serve(store: Store) -> None:
        replica = replica_of()
        tokens = CallbackTokens(store.callback_key)
        handing_off = HandingOff(replica, Sealer(SECRET_KEY), tokens, "http://gateway.example")
        async with (
            javascript.pool(0) as scripts,
            running(store, Snapshots(replica), scripts, {}, handing_off),
        ):
            serving.set()

    async with stores.opened(tmp_path / "x.db") as store, asyncio.TaskGroup() as tasks:
        held = [store.loaders.read(lambda _: release.wait(20)) for _ in range(4)]
        tasks.create_task(serve(store))
        # Whatever else a start reads has been read by then.
        for _ in range(20):
            await store.readers.read(feed_rows.revisions)
        assert not serving.is_set()

        release.set()
        await asyncio.gather(*held)
        await asyncio.wait_for(serving.wait(), 5)


# Three hundred calls, twice.
async def test_many_interrupted_at_once_all_go_on(tmp_path: Path) -> None:
    release = asyncio.Event()
    asked = 0

    async def slow(_: web.Request) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        await release.wait()
        return {}

    async with upstream(slow=slow) as remote:
        flow = workflow("w", http("call", f"{remote.url}/slow"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            ids = await asyncio.gather(*(rig.begin("w") for _ in range(300)))
        release.set()
        async with executing(tmp_path / "x.db", [flow]) as rig:
            results = await asyncio.gather(*(rig.ended(each) for each in ids))

    assert {each.status for each in results} == {pb.EXECUTION_STATUS_COMPLETED}


async def test_a_drain_lets_calls_under_way_end(tmp_path: Path) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> dict[str, Any]:
        arrived.set()
        await release.wait()
        return {}

    async with upstream(slow=slow) as remote:
        flow = workflow("w", http("call", f"{remote.url}/slow"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("w")
            await arrived.wait()
            draining = asyncio.create_task(rig.runtime.drain(5))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable), raising_ours():
                await rig.begin("w")
            release.set()
            await draining
            state = await rig.get(execution_id)

    assert state.state.status == pb.EXECUTION_STATUS_COMPLETED


async def computing(rig: Rig, number: int) -> None:
    """Wait until so many executions want a script worker."""
    async with asyncio.timeout(10):
        while len(rig.runtime.engine._computing) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


# The second executor starts a script worker, which takes a quarter of a second.
async def test_a_drain_waits_for_no_script_and_stores_nothing_of_it(tmp_path: Path) -> None:
    async with upstream(item=lambda _: {"n": 1}) as remote:
        sums = step("sum", "INLINE", evaluatorType="javascript", expression="1 + 1")
        flow = workflow("w", http("call", f"{remote.url}/item"), sums)
        first = workflow("first", sums)
        async with executing(tmp_path / "x.db", [flow, first], scripts=0) as rig:
            execution_id, unstored = await rig.begin("w"), new_id()
            asking = asyncio.create_task(rig.begin("first", execution_id=unstored))
            await computing(rig, 2)
            await rig.runtime.drain(0)
            with pytest.raises(Unavailable, match="stopping"), raising_ours():
                await asking
        async with executing(tmp_path / "x.db", [flow, first], scripts=1) as rig:
            result = await rig.ended(execution_id)
            with pytest.raises(NotFound), raising_ours():
                await rig.get(unstored)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert len(remote.asked) == 2


class Process:
    """``python -m services.executor`` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("cluster.key", "secret.key"):
            write_private(home / name, token_urlsafe(32) + "\n")
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""

    async def start(self, **more: str) -> None:
        reading, writing = os.pipe()
        environment = {
            **os.environ,
            "PODIUM_HOME": str(self.home),
            "PODIUM_EXECUTOR_LISTEN": "127.0.0.1:0",
            "PODIUM_REGISTRY": "127.0.0.1:1",
            "PODIUM_EGRESS_ALLOW": "loopback",
            "PODIUM_SCRIPT_WORKERS": "1",
            "PODIUM_READY_FD": str(writing),
            **more,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.executor",
            env=environment,
            pass_fds=[writing],
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(writing)
        line = await asyncio.to_thread(_line, reading)
        self.address = json.loads(line)["executor"] if line else ""

    async def end(self, number: signal.Signals) -> tuple[int, str]:
        """The exit code, and what it said on stderr."""
        assert self._process is not None
        if self._process.returncode is None and self.address:
            self._process.send_signal(number)
        _, said = await self._process.communicate()
        return self._process.returncode or 0, said.decode()

    def token(self) -> str:
        identity = ServiceIdentity(read_key(self.home / "cluster.key"), "edge")
        return identity.token("executor")


def _line(descriptor: int) -> str:
    with os.fdopen(descriptor) as pipe:
        return pipe.readline()


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


# It starts a process, which takes the better part of a second.
async def test_the_files_of_a_running_process_are_its_owners_alone(tmp_path: Path) -> None:
    process = Process(tmp_path)
    keep_definitions(tmp_path)
    await process.start()
    modes = modes_in(tmp_path)
    await process.end(signal.SIGKILL)

    assert {"executor.db", "executor.db-shm", "executor.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}


# It starts two processes, one after the other, each of which takes the better part of a second.
async def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    arrived = asyncio.Event()
    asked = 0

    async def slow(_: web.Request) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 1:
            arrived.set()
            await asyncio.Event().wait()
        return {"asked": asked}

    async with upstream(slow=slow) as remote:
        flow = workflow("w", http("call", f"{remote.url}/slow"))
        process = Process(tmp_path)
        keep_definitions(tmp_path, flow)
        await process.start()
        execution_id = new_id()
        async with channel(process.address, process.token) as edge:
            stub = rpc.ExecutorServiceStub(edge)
            await stub.StartExecution(
                pb.StartExecutionRequest(start=start("w", execution_id=execution_id))
            )
            await arrived.wait()
        assert (await process.end(signal.SIGKILL))[0] == -signal.SIGKILL
        await process.start()
        async with channel(process.address, process.token) as edge:
            stub = rpc.ExecutorServiceStub(edge)
            request = pb.AttachExecutionRequest(
                attach=pb.Attach(execution_id=execution_id, on_behalf_of="admin")
            )
            request.wait.FromSeconds(10)
            result = (await stub.AttachExecution(request, timeout=15)).result
            status = await stub.GetExecutorStatus(pb.GetExecutorStatusRequest(), metadata=ADMIN)
        code, _ = await process.end(signal.SIGTERM)

    assert json.loads(result.output)["response"]["body"] == {"asked": 2}
    assert status.definitions_stale
    assert code == 0


def keep_definitions(home: Path, *documents: dict[str, Any]) -> None:
    """Put definitions into the copy that a registry would have filled."""
    replica = replica_of(*documents)
    path = home / "executor-definitions.db"
    # As the executor makes it.
    path.touch(mode=0o600)
    db = Database(path)
    disk.migrations.apply(db)
    with db.atomic():
        kept = disk.Kept(DEFINITIONS, replica.place, replica.trust)
        disk.save(db, replica.everything(), kept, whole=True)
    db.close()


# It starts a process, which takes the better part of a second.
async def test_a_corrupt_database_is_one_line_and_exit_1(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "executor.db").write_bytes(b"no database" * 1000)
    await process.start()
    code, said = await process.end(signal.SIGKILL)

    assert code == 1
    assert said.startswith("podium-executor: ")
    assert "executor.db" in said
    assert said.count("\n") == 1
