"""The end of an edge: what is under way is answered, and nobody waits for nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import httpx
import pytest

from services import settings as environment
from services.edge.settings import Settings
from services.process import StartupError
from tests.edge.documents import DOCUMENTS, KEY, stored
from tests.edge.raw import Raw, connected
from tests.edge.registry import ScriptedRegistry, serving_registry
from tests.edge.scripted import ScriptedExecutor, accepted, serving_executor, silence
from tests.edge.suites import CLUSTER_KEY, suite_in

GET = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_its_end_answers_those_who_still_wait(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        suite = await stack.enter_async_context(suite_in(tmp_path, drain=timedelta(seconds=1.01)))
        suite.executor.script = lambda frame: [accepted(frame)]
        waiting = asyncio.create_task(
            httpx.AsyncClient(trust_env=False).post(
                f"http://{suite.addresses['gateway']}/api/orders/7/checkout",
                headers={"x-api-key": KEY},
            )
        )
        await suite.executor.next()

    response = await waiting
    assert response.status_code == 202
    assert response.headers["connection"] == "close"


async def test_the_gateway_drains_while_management_does(tmp_path: Path) -> None:
    key = b'{"keyId": "key-1", "keySecret": "secret"}'
    head = (
        b"POST /api/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(key)
    )
    async with AsyncExitStack() as clients:
        async with suite_in(tmp_path) as suite:
            idle = await clients.enter_async_context(connected(suite.addresses["gateway"]))
            assert (await idle.ask(GET)).status == 200
            busy = await clients.enter_async_context(connected(suite.addresses["management"]))
            assert (await busy.ask(head)).status == 100
            finishing = asyncio.create_task(finish(idle, busy, key))

        assert await finishing == 200


async def finish(idle: Raw, busy: Raw, rest: bytes) -> int:
    """What ``busy`` gets that sends its ``rest`` when ``idle`` has been closed."""
    assert await idle.ended()
    return (await busy.ask(rest)).status


@pytest.mark.parametrize("seconds", ["10.1", "60"])
def test_a_drain_that_the_supervisor_would_not_wait_for_is_refused(seconds: str) -> None:
    with pytest.raises(StartupError, match=r"PODIUM_EDGE_DRAIN_SECONDS must be at most 10 .*12"):
        environment.read(Settings, {"PODIUM_EDGE_DRAIN_SECONDS": seconds})


def test_the_longest_drain_is_taken() -> None:
    told = environment.read(Settings, {"PODIUM_EDGE_DRAIN_SECONDS": "10"})

    assert told.drain == timedelta(seconds=10)


# As a process. Two seconds or so each: Python starts, and imports gRPC.


@dataclasses.dataclass
class Started:
    """An edge's process, and the pipe on which it says that it is ready."""

    process: asyncio.subprocess.Process
    ready: TextIO

    async def said(self) -> str:
        """Its one line; empty if it ended without."""
        return await asyncio.to_thread(self.ready.readline)

    async def ended(self) -> int:
        """Its exit code, once it has been told to end."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            return await self.process.wait()


@asynccontextmanager
async def started(home: Path, registry: ScriptedRegistry) -> AsyncGenerator[Started]:
    executor = ScriptedExecutor()  # type: ignore[abstract]
    executor.script = silence
    (home / "cluster.key").write_text(CLUSTER_KEY)
    async with serving_executor(executor) as address, serving_registry(registry) as told_by:
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.edge",
            env=os.environ
            | {
                "PODIUM_HOME": str(home),
                "PODIUM_EXECUTOR": address,
                "PODIUM_REGISTRY": told_by,
                "PODIUM_EDGE_LISTEN": "127.0.0.1:0",
                "PODIUM_GATEWAY_LISTEN": "127.0.0.1:0",
                "PODIUM_MANAGEMENT_LISTEN": "127.0.0.1:0",
                "PODIUM_READY_FD": str(writing),
            },
            pass_fds=(writing,),
        )  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as ready:
            yield Started(process, ready)


async def test_a_process_drains_on_sigterm_while_its_session_is_open(tmp_path: Path) -> None:
    registry = ScriptedRegistry(*map(stored, DOCUMENTS))  # type: ignore[abstract]
    async with started(tmp_path, registry) as edge:
        ready = await edge.said()
        assert await edge.ended() == 0

    assert all(f'"{name}"' in ready for name in ("gateway", "management", "edge"))


async def test_a_process_that_waits_for_its_first_copy_ends_when_it_is_told(tmp_path: Path) -> None:
    registry = ScriptedRegistry()  # type: ignore[abstract]
    async with started(tmp_path, registry) as edge:
        await registry.watched.wait()
        assert await edge.ended() == 0
        assert await edge.said() == ""
