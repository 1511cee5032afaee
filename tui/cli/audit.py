"""`podium audit`: who changed what, and who was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2 as pb
from tui.cli.interrupts import while_read
from tui.cli.main import HOME_OPTION
from tui.cli.queries import keeps
from tui.cli.session import call
from tui.cli.writing import STREAM_OPTION, Stream, echo_rows, examples
from tui.clients import audit_changing
from tui.resources.audit import AuditEntry, entry_of
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500
MOST = 1_000
# Of a log that no query has much of: what is older is left.
MOST_LOOKED_AT = 20_000


@click.command(
    epilog=examples(
        "podium audit",
        "podium audit action:denied --follow",
        "podium audit 'kind:workflow who:*ada*' --output json",
    )
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
def audit(home: Path | None, output: str, follow: bool, limit: int, query: tuple[str, ...]) -> None:
    """Show who changed what and who was refused, in the order of time.

    QUERY is e.g. `action:delete kind:workflow`; its fields are who, action, kind and name, and a
    word alone is looked for in all of it.
    """
    wanted = keeps("audit", " ".join(query))
    printing = _Printing(output)

    async def work(clients: Clients) -> None:
        found = await _newest(clients, wanted, limit)
        printing.several(list(reversed(found)))
        if not found and limit and not follow:
            click.echo("podium: No entry matches.", err=True)
        if follow:
            await _follow(clients, wanted, printing)

    call(home, work)


async def _newest(
    clients: Clients, wanted: Callable[[AuditEntry], bool], limit: int
) -> list[AuditEntry]:
    """The newest that are of the query, the newest first."""
    request = pb.ListAuditEntriesRequest(page=page_pb2.PageRequest(page_size=PAGE))
    found: list[AuditEntry] = []
    seen = 0
    while len(found) < limit:
        answer = await clients.registry.ListAuditEntries(request, timeout=CALL_SECONDS)
        seen += len(answer.entries)
        found.extend(filter(wanted, map(entry_of, answer.entries)))
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
        if seen >= MOST_LOOKED_AT:
            click.echo(f"podium: the newest {seen:,} entries were looked at.", err=True)
            break
    return found[:limit]


async def _follow(
    clients: Clients, wanted: Callable[[AuditEntry], bool], printing: _Printing
) -> None:
    request = pb.WatchAuditEntriesRequest(newest=MOST)
    async with while_read():
        async for told in audit_changing(clients, request):
            for entry in sorted(map(entry_of, told.entries.entries), key=lambda one: one.number):
                if wanted(entry):
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
            self._stream.echo(_data(entry))
        else:
            echo_rows([_cells(entry)])


def _data(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.number,
        "at": _moment(entry.at),
        "principal": entry.principal,
        "action": entry.action,
        "kind": entry.kind,
        "name": entry.name,
        "detail": entry.detail,
    }


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    words = (_moment(entry.at), entry.principal, entry.action, entry.kind, entry.name, entry.detail)
    return tuple(map(in_one_line, words))


def _moment(at: float) -> str:
    """RFC 3339, UTC, in milliseconds; of epoch seconds."""
    told = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")
