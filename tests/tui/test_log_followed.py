"""The three logs as one list, while some of the services are away."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from podium.common.v1 import log_pb2_grpc
from services.errors import Unavailable
from services.log_ring import LogRing
from services.log_service import NAME, LogService
from services.rpc import channel, serving
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.link import LinkState
from tui.resources.log import SERVICES, SOURCE, Entry


class Logs:
    """Three services that have a log and nothing else."""

    def __init__(self) -> None:
        self.rings = {service: LogRing() for service in SERVICES}
        self.addresses: dict[str, str] = {}
        self._running: dict[str, AsyncExitStack] = {}

    async def start(self, service: str) -> None:
        ring = self.rings[service]
        ring.closed = False
        stack = self._running[service] = AsyncExitStack()
        address = self.addresses.get(service, "127.0.0.1:0")
        at = serving(LogService(ring).add_to, address=address, services=[NAME], grace=0)
        self.addresses[service] = await stack.enter_async_context(at)

    async def stop(self, service: str) -> None:
        self.rings[service].close()
        await self._running.pop(service).aclose()

    def log(self, service: str, message: str) -> None:
        line = {
            "time": "2026-01-31T12:00:00.000Z", "level": "info", "service": service,
            "logger": "tests", "message": message,
        }  # fmt: skip
        self.rings[service].append(logging.INFO, json.dumps(line))


class Followed:
    """The list of them as the console has it."""

    def __init__(self, clients: Any) -> None:
        self.entries: Collection[Entry] = Collection()
        self.line = Line("executor")
        watching = SOURCE.watch(clients, "", self.entries, self.line)
        self.task = asyncio.ensure_future(watching)

    @property
    def messages(self) -> set[str]:
        return {entry.message for entry in self.entries.records.values()}

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.line.retry()
                await asyncio.sleep(0.005)


@asynccontextmanager
async def following(*running: str) -> AsyncGenerator[tuple[Logs, Followed]]:
    logs = Logs()
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            await logs.start(service)
            if service not in running:
                await logs.stop(service)
        stubs = {}
        for service, address in logs.addresses.items():
            dialled = await stack.enter_async_context(channel(address))
            stubs[service] = log_pb2_grpc.LogServiceStub(dialled)
        followed = Followed(SimpleNamespace(logs=stubs))
        try:
            yield logs, followed
        finally:
            followed.task.cancel()
            await asyncio.gather(followed.task, return_exceptions=True)
            for service in tuple(logs._running):
                await logs.stop(service)


async def test_while_one_is_away_the_lines_of_the_others_flow() -> None:
    async with following(*SERVICES) as (logs, followed):
        await followed.until(lambda: followed.line.now().state is LinkState.LIVE)
        assert followed.line.away == []

        await logs.stop("edge")
        await followed.until(lambda: followed.line.away == ["edge"])
        logs.log("executor", "goes on")

        await followed.until(lambda: "goes on" in followed.messages)
        assert {link.service: link.state for link in followed.line.links} == {
            "registry": LinkState.LIVE,
            "executor": LinkState.LIVE,
            "edge": LinkState.RECONNECTING,
        }


async def test_who_is_away_from_the_beginning_comes_in_when_it_is_there() -> None:
    async with following("registry", "executor") as (logs, followed):
        logs.log("registry", "first")
        await followed.until(lambda: "first" in followed.messages)
        await followed.until(lambda: followed.line.away == ["edge"])

        await logs.start("edge")
        logs.log("edge", "late")

        await followed.until(lambda: "late" in followed.messages and not followed.line.away)
        assert followed.line.now().state is LinkState.LIVE


async def test_when_none_is_there_the_suite_is_asked_for_anew() -> None:
    async with following() as (_, followed):
        with pytest.raises(Unavailable):
            async with asyncio.timeout(20):
                await followed.task

        assert [link.service for link in followed.line.links] == ["executor"]
