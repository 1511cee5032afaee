"""`podium events`: what happened to an execution, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from services.rpc import raising_ours
from tui.cli.interrupts import while_read
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import STREAM_OPTION, Stream, echo_lines, examples
from tui.clients import execution_changing, persistently
from tui.views import events as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500


@click.command(
    epilog=examples(
        "podium events ID",
        "podium events ID --follow --output json",
        "podium events ID --follow --from 42",
    )
)
@HOME_OPTION
@STREAM_OPTION
@click.option("--follow", "-f", is_flag=True, help="Go on until it ends, over restarts too.")
@click.option(
    "--from",
    "first",
    type=click.IntRange(1),
    default=1,
    metavar="NUMBER",
    help="Begin with the event of that number, e.g. the one after the last that was read.",
)
@click.argument("execution_id", metavar="ID")
def events(home: Path | None, output: str, follow: bool, first: int, execution_id: str) -> None:
    """Show what happened to the execution ID, the oldest first: its steps, polls and reports.

    Events are numbered from 1. Of an execution with very many changes the first are those that its
    tasks remember: when they began and ended, and their last polls.
    """

    async def work(clients: Clients) -> None:
        reading, printing = Reading(clients, execution_id), _Printing(output, first)
        if not follow:
            await printing.all(reading.new())
            return
        async with while_read(), aclosing(settled(clients, execution_id)) as changes:
            async for _ in changes:
                await printing.all(reading.new())

    call(home, work)


class Reading:
    """The events of an execution, each once, however often it is read on."""

    def __init__(self, clients: Clients, execution_id: str) -> None:
        self._clients = clients
        self._request = pb.ListExecutionEventsRequest(
            execution_id=execution_id, page=page_pb2.PageRequest(page_size=PAGE)
        )
        # Of the page that is not full yet: it is read again for what comes.
        self._known: set[bytes] = set()

    async def new(self) -> AsyncIterator[pb.ExecutionEvent]:
        """Those that were not given yet."""
        while True:
            answer = await persistently(self._page)
            for event in answer.events:
                if (same := event.SerializeToString(deterministic=True)) not in self._known:
                    self._known.add(same)
                    yield event
            if not answer.next_page_token:
                return
            self._request.page.page_token = answer.next_page_token
            self._known.clear()

    async def _page(self) -> pb.ListExecutionEventsResponse:
        return await self._clients.executor.ListExecutionEvents(self._request, timeout=CALL_SECONDS)


async def settled(clients: Clients, execution_id: str) -> AsyncGenerator[None]:
    """Once now, then after changes, as many as there were meanwhile; the last when it has ended."""
    changed, ended = asyncio.Event(), False

    async def watch() -> None:
        nonlocal ended
        try:
            with raising_ours():
                async for _ in execution_changing(clients, execution_id):
                    changed.set()
        finally:
            ended = True
            changed.set()

    watching = asyncio.create_task(watch(), name="watch execution")
    try:
        while not ended:
            await changed.wait()
            changed.clear()
            if not (ended and watching.done() and watching.exception()):
                yield
        await watching
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


class _Printing:
    """Writes events from a number on."""

    def __init__(self, output: str, first: int) -> None:
        self._stream = Stream(output) if output != "text" else None
        self._first = first
        self._number = 0

    async def all(self, events: AsyncIterator[pb.ExecutionEvent]) -> None:
        """Write these, and have them read at once."""
        async for event in events:
            self._number += 1
            if self._number < self._first:
                continue
            if self._stream is not None:
                self._stream.echo(views.data(event, self._number))
            else:
                echo_lines([views.line(event, self._number)])
