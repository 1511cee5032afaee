"""W-conductor: Conductor's own worker, over HTTP, and what it costs to let many wait for tasks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.load import connect
from bench.suite import Suite
from tui.suite import find

Document = dict[str, Any]
Figures = dict[str, float]

TYPE = "bench-conductor"
IDLE_TYPE = "bench-idle"
THREADS = 8
STARTERS = 8
ROUND = 500
WAITING = 500
LIMIT_SECONDS = 30.0
LONGEST_POLL = 5000
CLIENTS_POLL = 100
SERVICES = ("edge", "executor", "registry")


def documents() -> list[Document]:
    """A workflow of one worker's task for each type."""
    tasks = [{"kind": "task", "name": name} for name in (TYPE, IDLE_TYPE)]
    return [*tasks, *({
        "kind": "workflow", "name": name, "version": 1,
        "tasks": [{"name": name, "taskReferenceName": "t", "type": "SIMPLE",
                   "inputParameters": {"n": "${workflow.input.n}"}}],
    } for name in (TYPE, IDLE_TYPE))]  # fmt: skip


async def tasks(suite: Suite, *, rounds: int = 6, waits: float = 10.0) -> Figures:
    """All figures of it.

    Args:
        rounds: Of 500 tasks each.
        waits: Seconds for which pollers are looked at that have nothing to do.
    """
    suite.apply(*documents())
    api = await _Api.of(suite)
    try:
        worked = await _worked(suite, api, rounds)
        idle = await _idle_client(suite, api)
        return worked | idle | await _idle_poll(api) | await _waiting(suite, api, waits)
    finally:
        api.close()


class _Api:
    """Conductor's API as an administrator calls it."""

    def __init__(self, suite: Suite) -> None:
        known = find(suite.home, {})
        self.url = known.management
        self.key = known.credentials
        self._token = ""
        self._starting: list[Any] = []

    @classmethod
    async def of(cls, suite: Suite) -> _Api:
        api = cls(suite)
        body = {"keyId": api.key.key_id, "keySecret": api.key.key_secret}
        connection = await connect(api.url)
        answer = await connection.ask(api.request("POST", "/api/token", json.dumps(body)))
        connection.transport.close()
        api._token = json.loads(answer.body)["token"]
        api._starting = [await connect(api.url) for _ in range(STARTERS)]
        return api

    def request(self, method: str, path: str, body: str = "") -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n"
            f"X-Authorization: {self._token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def start(self, workflow: str, count: int) -> None:
        """Start as many, on few connections."""
        request = self.request("POST", f"/api/workflow/{workflow}", '{"n": 1}')
        left = iter(range(count))

        async def some(connection: Any) -> None:
            for _ in left:
                answer = await connection.ask(request)
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")

        await asyncio.gather(*map(some, self._starting))

    def close(self) -> None:
        for connection in self._starting:
            connection.transport.close()


def _cpu_seconds(suite: Suite) -> float:
    return sum(map(suite.cpu_seconds, SERVICES))


class _Worker:
    """Conductor's, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT_SECONDS):
            line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("Conductor's worker has ended.")
        return line.decode()

    async def late(self, count: int) -> list[float]:
        """Of ``count`` tasks how long after it was scheduled each began, in milliseconds."""
        found: list[float] = []
        while len(found) < count:
            found += json.loads(await self.line())
        return found


@asynccontextmanager
async def _working(api: _Api, type_: str, threads: int, told: int) -> AsyncGenerator[_Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.conductor_worker",
        f"{api.url}/api", type_, str(threads), str(told),
        stdout=subprocess.PIPE, limit=1 << 20,
        env={**os.environ, "CONDUCTOR_AUTH_KEY": api.key.key_id,
             "CONDUCTOR_AUTH_SECRET": api.key.key_secret},
    )  # fmt: skip
    try:
        worker = _Worker(process)
        while await worker.line() != "ready\n":
            continue
        yield worker
    finally:
        process.kill()
        await process.wait()


async def _worked(suite: Suite, api: _Api, rounds: int) -> Figures:
    """Rounds of tasks that wait before the worker goes on: its rate is not that of the starts."""
    async with _working(api, TYPE, THREADS, ROUND) as worker:
        await _round(suite, api, worker)
        found = [await _round(suite, api, worker) for _ in range(rounds)]
    seconds, working, starting, own = (sum(each) for each in zip(*found, strict=True))
    count = rounds * ROUND
    return {
        "conductor tasks /s": count / seconds,
        "conductor CPU ms/task": 1000 * working / count,
        "conductor CPU ms/start": 1000 * starting / count,
        "conductor client CPU ms/task": 1000 * own / count,
    }


async def _round(suite: Suite, api: _Api, worker: _Worker) -> tuple[float, float, float, float]:
    """Seconds that it took; of CPU time the tasks took, their starts, and the worker's own."""
    pid = worker.process.pid
    worker.process.send_signal(signal.SIGSTOP)
    begun = _cpu_seconds(suite)
    await api.start(TYPE, ROUND)
    started, own = _cpu_seconds(suite), _own_cpu_seconds(pid)
    begin = time.monotonic()
    worker.process.send_signal(signal.SIGCONT)
    await worker.late(ROUND)
    seconds = time.monotonic() - begin
    used = _cpu_seconds(suite) - started
    return seconds, used, started - begun, _own_cpu_seconds(pid) - own


def _own_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _idle_client(suite: Suite, api: _Api, count: int = 40) -> Figures:
    """A task now and then, for the client as it polls: 100 ms, and some more between polls."""
    async with _working(api, IDLE_TYPE, 1, 1) as worker:
        late = [await _late_one(api, worker) for _ in range(count)]
    return {"conductor idle client late ms": median(late)}


async def _late_one(api: _Api, worker: _Worker) -> float:
    await asyncio.sleep(0.15)
    await api.start(IDLE_TYPE, 1)
    return (await worker.late(1))[0]


async def _idle_poll(api: _Api, count: int = 100) -> Figures:
    """A task now and then, for who polls for 5 s."""
    connection = await connect(api.url)
    late = []
    for _ in range(count):
        polling = asyncio.ensure_future(connection.ask(_poll(api, "worker", LONGEST_POLL)))
        await asyncio.sleep(0.02)
        await api.start(IDLE_TYPE, 1)
        answer = await polling
        (task,) = json.loads(answer.body)
        late.append(time.time() * 1000 - task["scheduledTime"])
        await _say(api, connection, task)
    connection.transport.close()
    return {"conductor idle poll late ms": median(late)}


def _poll(api: _Api, worker: str, milliseconds: int) -> bytes:
    query = f"workerid={worker}&count=1&timeout={milliseconds}"
    return api.request("GET", f"/api/tasks/poll/batch/{IDLE_TYPE}?{query}")


async def _say(api: _Api, connection: Any, task: Document) -> None:
    said = {key: task[key] for key in ("taskId", "workflowInstanceId", "workerId")}
    body = json.dumps({**said, "status": "COMPLETED"})
    answer = await connection.ask(api.request("POST", "/api/tasks", body))
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")


async def _waiting(suite: Suite, api: _Api, seconds: float) -> Figures:
    """What 500 pollers cost that are given nothing, in percent of a core."""
    figures: Figures = {}
    for milliseconds in (LONGEST_POLL, CLIENTS_POLL):
        polling = [
            asyncio.ensure_future(_polling(api, f"w{number}", milliseconds))
            for number in range(WAITING)
        ]
        try:
            await asyncio.sleep(max(1.0, milliseconds / 1000))
            before = _cpu_seconds(suite)
            begin = time.monotonic()
            await asyncio.sleep(seconds)
            used = 100 * (_cpu_seconds(suite) - before) / (time.monotonic() - begin)
        finally:
            await _ended(polling)
        figures[f"conductor {WAITING} polls of {milliseconds} ms CPU %"] = used
    return figures


async def _polling(api: _Api, worker: str, milliseconds: int) -> None:
    connection = await connect(api.url)
    request = _poll(api, worker, milliseconds)
    try:
        while True:
            answer = await connection.ask(request)
            if answer.body != b"[]":
                raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    finally:
        connection.transport.close()


async def _ended(polling: Sequence[asyncio.Future[None]]) -> None:
    for each in polling:
        each.cancel()
    for found in await asyncio.gather(*polling, return_exceptions=True):
        if isinstance(found, Exception):
            raise found
