"""`podium audit`: who changed what and who was refused; one of it in full; whether all is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.registry.v1 import registry_pb2 as pb
from tui.cli.apply import echo_diff
from tui.cli.interrupts import while_read
from tui.cli.main import HOME_OPTION
from tui.cli.queries import keeps
from tui.cli.session import call
from tui.cli.writing import (
    OUTPUT_OPTION,
    STREAM_OPTION,
    Stream,
    echo_data,
    echo_lines,
    echo_rows,
    examples,
)
from tui.clients import audit_changing
from tui.live.audit_change import Change, change_of
from tui.resources.audit import AuditEntry, entry_data, entry_of
from tui.views.changes import diff
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500
MOST = 1_000


class _Audit(click.Group):
    """A group that may have a query for its arguments."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "list", self.commands["list"], args


@click.group(
    cls=_Audit,
    invoke_without_command=True,
    # Those of list, where the word is left out.
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "podium audit", "podium audit outcome:denied --follow", "podium audit show 412"
    ),
)
@click.pass_context
def audit(context: click.Context) -> None:
    """Show who changed what and who was refused: podium audit list --help."""
    if context.invoked_subcommand is None:
        context.invoke(listed)


@audit.command(
    "list",
    epilog=examples(
        "podium audit outcome:denied --follow",
        "podium audit 'kind:workflow who:*ada* newer:1d' --output json",
        "podium audit source:10.0.0.7 --limit 20",
    ),
)
@HOME_OPTION
@STREAM_OPTION
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, over restarts too.")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=100,
    show_default=True,
    help="The newest so many.",
)
@click.argument("query", nargs=-1)
def listed(
    home: Path | None, output: str, follow: bool, limit: int, query: tuple[str, ...]
) -> None:
    """Show who changed what and who was refused, in the order of time.

    QUERY is e.g. `action:delete kind:workflow newer:1d`; a word alone is looked for in all of it.
    The word list may be left out.
    """
    text = " ".join(query)
    # What is no query is told before anybody is asked.
    keeps("audit", text)
    wanted = pb.AuditFilter(query=text)
    printing = _Printing(output)

    async def work(clients: Clients) -> None:
        found = await _newest(clients, wanted, limit)
        printing.several(list(reversed(found)))
        if not found and limit and not follow:
            click.echo("podium: No entry matches.", err=True)
        if follow:
            await _follow(clients, wanted, printing)

    call(home, work)


async def _newest(clients: Clients, wanted: pb.AuditFilter, limit: int) -> list[AuditEntry]:
    """The newest that are wanted, the newest first."""
    request = pb.ListAuditEntriesRequest(filter=wanted)
    found: list[AuditEntry] = []
    while len(found) < limit:
        request.page.page_size = min(PAGE, limit - len(found))
        answer = await clients.registry.ListAuditEntries(request, timeout=CALL_SECONDS)
        found.extend(map(entry_of, answer.entries))
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return found


async def _follow(clients: Clients, wanted: pb.AuditFilter, printing: _Printing) -> None:
    request = pb.WatchAuditEntriesRequest(newest=MOST, filter=wanted)
    async with while_read():
        async for told in audit_changing(clients, request):
            for entry in sorted(map(entry_of, told.entries.entries), key=lambda one: one.number):
                printing.show(entry)


class _Printing:
    """Writes entries, each once, in the order of their numbers."""

    def __init__(self, output: str) -> None:
        self._stream = Stream(output) if output != "text" else None
        self._last = 0

    def several(self, entries: Sequence[AuditEntry]) -> None:
        """Write what there is by now, in columns."""
        if self._stream is None:
            echo_rows(map(_cells, entries))
            self._last = max((entry.number for entry in entries), default=0)
        for entry in entries if self._stream is not None else ():
            self.show(entry)

    def show(self, entry: AuditEntry) -> None:
        """Write it, unless it was."""
        if entry.number <= self._last:
            return
        self._last = entry.number
        if self._stream is not None:
            self._stream.echo(entry_data(entry))
        else:
            echo_rows([_cells(entry)])


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    what = entry.detail if entry.times == 1 else f"{entry.detail} ({entry.times:,} times)"
    words = (
        str(entry.number),
        entry_data(entry)["at"],
        entry.outcome,
        entry.principal or "nobody known",
        entry.source,
        entry.action,
        entry.kind,
        entry.name,
        what,
    )
    return tuple(map(in_one_line, words))


@audit.command(
    "show", epilog=examples("podium audit show 412", "podium audit show 412 --output json")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("number", metavar="ID", type=click.IntRange(1))
def show(home: Path | None, output: str, number: int) -> None:
    """Show the entry ID in full, and what a change of a definition made different."""

    async def work(clients: Clients) -> None:
        request = pb.GetAuditEntryRequest(id=number)
        answer = await clients.registry.GetAuditEntry(request, timeout=CALL_SECONDS)
        entry = entry_of(answer.entry)
        change = await change_of(clients, entry)
        if output != "text":
            echo_data(_whole(entry, change), output)
            return
        told = entry_data(entry)
        width = max(map(len, told))
        echo_lines(
            f"{name:{width}}  {in_one_line(str(value))}"
            for name, value in entry_data(entry).items()
        )
        for line in _difference(entry, change):
            echo_diff(line)
        if change.told and (entry.revision or entry.revision_before):
            click.echo(f"podium: {change.told}", err=True)

    call(home, work)


def _whole(entry: AuditEntry, change: Change) -> dict[str, object]:
    documents = {"documentBefore": change.before, "document": change.after}
    told = {name: json.loads(text) for name, text in documents.items() if text}
    return {**entry_data(entry), **told}


def _difference(entry: AuditEntry, change: Change) -> list[str]:
    if not change.before and not change.after:
        return []
    before, after = (json.loads(text) if text else None for text in (change.before, change.after))
    names = (f"revision {entry.revision_before}", f"revision {entry.revision}")
    return diff(before, after, names)


@audit.command("check", epilog=examples("podium audit check", "podium audit check --output json"))
@HOME_OPTION
@OUTPUT_OPTION
def check(home: Path | None, output: str) -> None:
    """Check that every entry is as it was written and none is missing; 1: that is not so.

    What it prints at the end, kept elsewhere, shows later that nobody has written the log anew.
    """

    async def work(clients: Clients) -> int:
        request = pb.CheckAuditLogRequest()
        checked, heads = 0, list[pb.AuditPlace]()
        while True:
            answer = await clients.registry.CheckAuditLog(request, timeout=CALL_SECONDS)
            checked += answer.checked
            heads.extend(answer.heads)
            if answer.broken or not answer.HasField("next"):
                break
            request.place.CopyFrom(answer.next)
        _tell(checked, answer.broken, heads, output)
        return 1 if answer.broken else 0

    call(home, work)


def _tell(checked: int, broken: int, heads: Sequence[pb.AuditPlace], output: str) -> None:
    ends = {("changes", "refusals")[each.chain]: f"{each.id}:{each.hash.hex()}" for each in heads}
    if output != "text":
        echo_data({"checked": checked, "broken": broken or None, **ends}, output)
        return
    if broken:
        click.echo(f"Entry {broken} is not as it was written, or one before it is missing.")
        return
    click.echo(f"{checked:,} entries are as they were written.")
    for name, end in ends.items():
        click.echo(f"{name}  {end}")
