"""The tools of all services: started when the first client comes, and kept until the edge ends."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from services.edge.call import Answer, Gone
from services.edge.endpoint import CLIENT_LEFT, Record
from services.edge.mcp.inside import InnerCall, Report
from services.edge.problems import Problem, retry_after

if TYPE_CHECKING:
    from services.edge.mcp.sdk import Apps

logger = logging.getLogger(__name__)

_SDK = "services.edge.mcp.sdk"
_LONGEST_START_SECONDS = 30.0


async def _answer(inner: InnerCall, report: Report | None) -> Answer:
    try:
        return await inner.run(report)
    except Gone:
        # There is nobody who reads it.
        return Answer(CLIENT_LEFT)
    except Exception:  # the outermost loop of a call: no other is harmed by it
        logger.exception("A tool's call failed.")
        return inner.failed("internal")


class Tools:
    """What a client of tools needs of the edge while it is :func:`kept_open`.

    Args:
        version: The software's.
        most_bytes: Of a request's body.
    """

    def __init__(self, version: str, most_bytes: int) -> None:
        self._version = version
        self._most_bytes = most_bytes
        self._tasks: asyncio.TaskGroup | None = None
        self._apps: asyncio.Future[Apps] | None = None
        self._running: set[InnerCall] = set()
        self._ending = asyncio.Event()
        self._record: Record = lambda call, status: None

    async def apps(self) -> Apps:
        """The protocol's applications; the first time takes a second.

        Raises:
            Problem: 503: the edge ends, or is too busy.
        """
        if self._tasks is None or self._ending.is_set():
            raise Problem("unavailable", headers=(retry_after(),))
        if self._apps is None:
            self._apps = asyncio.get_running_loop().create_future()
            self._tasks.create_task(self._serve(self._apps))
        try:
            async with asyncio.timeout(_LONGEST_START_SECONDS):
                return await asyncio.shield(self._apps)
        except TimeoutError:
            raise Problem("overloaded", headers=(retry_after(),)) from None

    async def _serve(self, apps: asyncio.Future[Apps]) -> None:
        try:
            # In a thread, so that others are answered meanwhile.
            sdk = await asyncio.to_thread(importlib.import_module, _SDK)
            async with sdk.serving(self._version, self._most_bytes) as made:
                apps.set_result(made)
                await self._ending.wait()
        except Exception:  # the outermost loop of it: the edge goes on without tools
            logger.exception("Tools cannot be served.")
            self._apps = None
            if not apps.done():
                apps.set_exception(Problem("unavailable", headers=(retry_after(),)))

    async def run(self, inner: InnerCall, report: Report | None) -> Answer:
        """The answer of ``inner``, which comes to its end even if nobody waits for it.

        Raises:
            Problem: 503: the edge ends.
        """
        if self._tasks is None:
            raise Problem("unavailable", headers=(retry_after(),))
        task = self._tasks.create_task(self._run(inner, report))
        self._running.add(inner)
        task.add_done_callback(lambda _: self._running.discard(inner))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            inner.gone()
            raise

    async def _run(self, inner: InnerCall, report: Report | None) -> Answer:
        answer = await _answer(inner, report)
        self._record(inner.call, answer.status)
        return answer

    @asynccontextmanager
    async def kept_open(self, record: Record) -> AsyncGenerator[None]:
        """Within, there are tools; at the end what still runs is ended.

        Args:
            record: Told of every call of a tool, with the status that its route answered.
        """
        self._record = record
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                self._ending.set()
                for inner in list(self._running):
                    inner.gone()
