"""`podium history` and `podium rollback`: what a definition was, and is again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2 as pb
from services.errors import InvalidDefinition
from services.rpc import raising_ours
from tui.cli.apply import echo_diff, print_keys
from tui.cli.definitions import of_known_kind
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import call
from tui.cli.types import KIND, REVISION, VERSION
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.views.differences import OUTCOMES, change_data, lines, title
from tui.views.history import entries

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 30.0
# Pages are small: what is stored may be large, and a page is read whole.
PAGE = 50


@click.command(
    epilog=examples("podium history workflow order", "podium history svc shop --limit 5")
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: every version.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@OUTPUT_OPTION
@click.argument("kind", type=KIND)
@click.argument("name")
def history(home: Path | None, version: int, limit: int, output: str, kind: str, name: str) -> None:
    """List what the definition NAME of KIND was, the newest first, and what changed."""

    async def work(clients: Clients) -> None:
        states, more = await _states(clients, kind, name, version, limit + 1)
        found = entries(states, whole=not more)[:limit]
        if output != "text":
            echo_data([entry.fields() for entry in found], output)
        else:
            echo_lines(entry.text() for entry in found)
        if more or len(states) > limit:
            click.echo(f"more: --limit {limit * 2} shows more", err=True)

    call(home, of_known_kind(work))


async def _states(
    clients: Clients, kind: str, name: str, version: int, most: int
) -> tuple[list[pb.DefinitionState], bool]:
    """The newest states, and whether there are older ones."""
    states: list[pb.DefinitionState] = []
    token = ""
    while len(states) < most:
        page = page_pb2.PageRequest(page_size=min(PAGE, most - len(states)), page_token=token)
        answer = await clients.registry.ListDefinitionHistory(
            pb.ListDefinitionHistoryRequest(kind=kind, name=name, version=version, page=page),
            timeout=CALL_SECONDS,
        )
        states.extend(answer.states)
        token = answer.next_page_token
        if not token:
            return states, False
    return states, True


@click.command(
    epilog=examples(
        "podium rollback workflow order 41 --dry-run", "podium rollback workflow order 41"
    )
)
@HOME_OPTION
@click.option("--dry-run", is_flag=True, help="Show what it would change, and store nothing.")
@OUTPUT_OPTION
@click.argument("kind", type=KIND)
@click.argument("name")
@click.argument("revision", type=REVISION)
def rollback(
    home: Path | None, dry_run: bool, output: str, kind: str, name: str, revision: int
) -> None:
    """Store the definition NAME of KIND as it was at REVISION again, as a new revision.

    What was deleted is there again. Keys of an auth definition stay as they are now; secrets are
    not rolled back. `podium history KIND NAME` lists the revisions.
    """
    request = pb.RollbackDefinitionRequest(kind=kind, name=name, revision=revision, dry_run=dry_run)

    async def work(clients: Clients) -> int:
        try:
            with raising_ours():
                answer = await clients.registry.RollbackDefinition(request, timeout=CALL_SECONDS)
        except InvalidDefinition as error:
            for fault in error.faults:
                click.echo(str(fault), err=True)
            click.echo("podium: nothing was rolled back.", err=True)
            return 1
        _tell(answer.result, request, output)
        if not dry_run:
            await live(clients, answer.revision)
        return 0

    call(home, of_known_kind(work))


def _tell(result: pb.PutResult, request: pb.RollbackDefinitionRequest, output: str) -> None:
    """What was, or would be, stored again."""
    origin = f"revision {request.revision}"
    if output != "text":
        echo_data(change_data(result, origin) | {"dryRun": request.dry_run}, output)
        return
    for line in lines(result, origin) if request.dry_run else ():
        echo_diff(line)
    tail = " (dry run)" if request.dry_run else ""
    click.echo(f"{title(result.definition)}  {OUTCOMES[result.outcome]}{tail}")
    print_keys(result)
