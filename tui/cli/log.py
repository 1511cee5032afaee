"""`podium log`: what the three services have logged of late, in one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import log_pb2 as pb
from services.errors import Unavailable
from tui.cli.interrupts import while_read
from tui.cli.main import HOME_OPTION
from tui.cli.queries import keeps
from tui.cli.session import call
from tui.cli.writing import STREAM_OPTION, Stream, examples
from tui.clients import SERVICES
from tui.logs import log_now, logs_changing
from tui.views import logs as views

if TYPE_CHECKING:
    from tui.clients import Clients

MOST = 10_000
_LEVELS: dict[str, pb.LogLevel.ValueType] = {
    **{word: level for level, word in views.LEVELS.items()},
    "warn": pb.LOG_LEVEL_WARNING,
}


@click.command(
    epilog=examples(
        "podium log --level warning --follow",
        "podium log --service edge --limit 20 timeout",
        "podium log --execution ID --output json",
        "podium log --query 'level:error,critical NOT service:edge message~timeout'",
    )
)
@HOME_OPTION
@STREAM_OPTION
@click.option("--service", type=click.Choice(SERVICES), help="Only this one's.")
@click.option("--level", type=click.Choice([*_LEVELS]), help="This level and above.")
@click.option("--logger", default="", help="A module, e.g. services.executor.")
@click.option("--execution", default="", help="Entries that name this execution.")
@click.option("--request", "request_id", default="", help="Entries that name this request.")
@click.option("--query", default="", help="Entries that match, of the newest 5,000 of each.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, over restarts too.")
@click.option(
    "--limit",
    type=click.IntRange(0, MOST),
    default=200,
    show_default=True,
    help="The newest so many of what is there.",
)
@click.argument("text", default="")
def log(
    home: Path | None, output: str, service: str | None, level: str | None, logger: str,
    execution: str, request_id: str, query: str, follow: bool, limit: int, text: str,
) -> None:  # fmt: skip
    """Show what registry, executor and edge have logged, in the order of time; with TEXT in it.

    Each keeps its last 5,000 entries in memory: info and above, debug only with
    PODIUM_LOG_LEVEL=debug. Fields of a --query are level, service, logger, message, execution and
    request.
    """
    request = pb.WatchLogRequest(
        level=_LEVELS[level] if level else pb.LOG_LEVEL_UNSPECIFIED,
        text=text,
        logger=logger,
        execution_id=execution,
        request_id=request_id,
        # What a query leaves out is known here only.
        limit=MOST if query else limit,
    )
    services = (service,) if service else SERVICES
    printing = _Printing(output, keeps("log", query) if query else None)

    async def work(clients: Clients) -> int:
        answers = await _all_asked(clients, services, request)
        shown = printing.show([entry for each in answers for entry in each.entries], limit)
        everywhere = all(answer.HasField("resume") for answer in answers)
        if not shown and limit and not follow and everywhere:
            _say("No entry matches.")
        for name, answer in zip(services, answers, strict=True):
            _tell_what_is_gone(name, answer, limit)
        if follow:
            await _follow(clients, _going_on(request, services, answers), printing)
        return int(not everywhere)

    call(home, work)


def _going_on(
    request: pb.WatchLogRequest, services: Sequence[str], answers: Iterable[pb.WatchLogResponse]
) -> dict[str, pb.WatchLogRequest]:
    """The same question to each service, from where its answer ended."""
    requests = {}
    for name, answer in zip(services, answers, strict=True):
        requests[name] = pb.WatchLogRequest()
        requests[name].CopyFrom(request)
        if answer.HasField("resume"):
            requests[name].resume.CopyFrom(answer.resume)
    return requests


async def _all_asked(
    clients: Clients, services: Sequence[str], request: pb.WatchLogRequest
) -> list[pb.WatchLogResponse]:
    """What each of ``services`` tells: whom one refuses is refused by all, and asks one alone."""
    answers: list[pb.WatchLogResponse] = []
    while len(answers) < len(services) and not any(each.HasField("resume") for each in answers):
        answers.append(await _asked(clients, services[len(answers)], request))
    rest = services[len(answers) :]
    answers += await asyncio.gather(*(_asked(clients, each, request) for each in rest))
    return answers


async def _asked(
    clients: Clients, service: str, request: pb.WatchLogRequest
) -> pb.WatchLogResponse:
    """What there is now, all in one; without a place to go on from where nobody answers."""
    told = pb.WatchLogResponse()
    try:
        for each in await log_now(clients, service, request):
            told.MergeFrom(pb.WatchLogResponse(entries=each.entries, resume=each.resume))
            told.dropped += each.dropped
    except Unavailable:
        where = getattr(clients.suite, service)
        _say(f"the {service} at {where} cannot be reached; podium status says more.")
    return told


def _tell_what_is_gone(service: str, answer: pb.WatchLogResponse, limit: int) -> None:
    if answer.dropped and len(answer.entries) < limit:
        _say(f"the {service} keeps {answer.dropped:,} earlier entries no more.")


async def _follow(
    clients: Clients, requests: dict[str, pb.WatchLogRequest], printing: _Printing
) -> None:
    async with while_read(), aclosing(logs_changing(clients, requests)) as news:
        async for each in news:
            if each.change is None:
                _say(f"the {each.service} is away; its log goes on when it is back.")
                continue
            if each.change.dropped:
                _say(f"{each.change.dropped:,} entries of the {each.service} were missed.")
            printing.show(each.change.entries)


class _Printing:
    """Writes entries, as lines or as data."""

    def __init__(self, output: str, wanted: Callable[[Any], bool] | None = None) -> None:
        """``wanted`` takes the console's row of an entry."""
        self._wanted = wanted
        self._stream = Stream(output) if output != "text" else None

    def show(self, entries: Iterable[pb.LogEntry], limit: int = MOST) -> int:
        """The newest ``limit`` of ``entries``, in the order of time; how many those are."""
        shown: Sequence[pb.LogEntry] = views.merged(filter(self._wants, entries))
        for entry in shown[-limit:] if limit else ():
            if self._stream is not None:
                self._stream.echo(views.document(entry))
            else:
                click.echo("\n".join(views.lines(entry)))
        return min(limit, len(shown))

    def _wants(self, entry: pb.LogEntry) -> bool:
        if self._wanted is None:
            return True
        # Late, as :mod:`tui.cli.queries` has it.
        from tui.resources.log import entry_of

        return self._wanted(entry_of(entry, ""))


def _say(sentence: str) -> None:
    click.echo(f"podium: {sentence}", err=True)
