"""`podium cache`: what the gateway keeps of answers, and away with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import page_pb2
from podium.edge.v1 import edge_pb2
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples, output_option
from tui.views.cache import (
    entry_document,
    entry_lines,
    summary,
    table,
    whole_document,
    whole_lines,
)

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0
MOST_ENTRIES = 500
_OUTPUT = output_option("Default: text, or as said before the command.", None)
_PRINCIPAL = re.compile(r"key:[^/]+/.")
_HOW_THEY_LOOK = "podium: a principal looks like key:AUTH/NAME, as podium keys AUTH lists it."


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "podium cache", "podium cache --service shop --output json", "podium cache purge shop"
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--service", default="", help="Only the routes of this one.")
@click.pass_context
def cache(context: click.Context, home: Path | None, output: str, service: str) -> None:
    """Show what the gateway keeps of answers, by route, and how often it was of use."""
    context.obj = home, output
    if context.invoked_subcommand is not None:
        return

    async def work(clients: Clients) -> None:
        request = edge_pb2.GetCacheStatusRequest(service_id=service)
        status = _document(await clients.edge.GetCacheStatus(request, timeout=CALL_SECONDS))
        if output != "text":
            echo_data(status, output)
        else:
            echo_lines((summary(status), *table(status["routes"])))

    call(home, work)


@cache.command(
    epilog=examples(
        "podium cache purge shop",
        "podium cache purge shop GET '/prices/{id}' --key 7-EUR",
        "podium cache purge --all",
    )
)
@HOME_OPTION
@_OUTPUT
@click.option("--all", "everything", is_flag=True, help="Every answer of every service.")
@click.option(
    "--key",
    help="Those under this key: the route's with values in it, as in 7-EUR for "
    "${path.id}-${query.currency}; of a route without one, path and query as called.",
)
@click.option("--principal", default="", help="Those of this caller alone: key:AUTH/NAME.")
@click.argument("service", default="")
@click.argument("method", default="")
@click.argument("path", default="")
@click.pass_obj
def purge(
    above: tuple[Path | None, str],
    home: Path | None,
    output: str | None,
    everything: bool,
    key: str | None,
    principal: str,
    service: str,
    method: str,
    path: str,
) -> None:
    """Drop the kept answers of SERVICE, or of its route METHOD PATH; print how many.

    PATH is the route's as it is defined, the whole path or that below the service's.
    """
    if method and not path:
        raise click.UsageError("A route is named by METHOD and PATH.")
    if not (service or principal or everything):
        raise click.UsageError("Name a SERVICE or a --principal, or say --all.")
    if everything and (service or principal or key is not None):
        raise click.UsageError("--all is every answer: name nothing beside it.")
    if key is not None and not service:
        raise click.UsageError("--key needs the SERVICE whose key it is.")
    request = edge_pb2.PurgeCacheRequest(
        all=everything, service_id=service, method=method, path=path, key=key, principal=principal
    )

    async def work(clients: Clients) -> None:
        answer = await clients.edge.PurgeCache(request, timeout=CALL_SECONDS)
        if (form := output or above[1]) != "text":
            echo_data({"purged": answer.purged}, form)
        else:
            click.echo(f"{answer.purged} purged")
        if principal and not answer.purged and not _PRINCIPAL.match(principal):
            click.echo(_HOW_THEY_LOOK, err=True)

    call(home or above[0], work)


@cache.command(
    epilog=examples("podium cache entries shop", "podium cache entries shop GET '/prices/{id}'")
)
@HOME_OPTION
@_OUTPUT
@click.option("--principal", default="", help="Those of this caller alone: key:AUTH/NAME.")
@click.option(
    "--limit", type=click.IntRange(1, MOST_ENTRIES), default=100, show_default=True, help="At most."
)
@click.argument("service")
@click.argument("method", default="")
@click.argument("path", default="")
@click.pass_obj
def entries(
    above: tuple[Path | None, str],
    home: Path | None,
    output: str | None,
    principal: str,
    limit: int,
    service: str,
    method: str,
    path: str,
) -> None:
    """List the kept answers of SERVICE, or of its route METHOD PATH."""
    if method and not path:
        raise click.UsageError("A route is named by METHOD and PATH.")
    request = edge_pb2.ListCacheEntriesRequest(
        service_id=service,
        method=method,
        path=path,
        principal=principal,
        page=page_pb2.PageRequest(page_size=limit),
    )

    async def work(clients: Clients) -> None:
        answer = await clients.edge.ListCacheEntries(request, timeout=CALL_SECONDS)
        if (form := output or above[1]) != "text":
            echo_data([entry_document(each) for each in answer.entries], form)
        else:
            echo_lines(entry_lines(answer.entries) if answer.entries else ["Nothing is kept."])
        if answer.next_page_token:
            click.echo("podium: there are more; --limit shows up to 500.", err=True)

    call(home or above[0], work)


@cache.command(epilog=examples("podium cache entry ID", "podium cache entry ID --output json"))
@HOME_OPTION
@_OUTPUT
@click.argument("entry_id", metavar="ID")
@click.pass_obj
def entry(
    above: tuple[Path | None, str], home: Path | None, output: str | None, entry_id: str
) -> None:
    """Show one kept answer, by its ID in the list: headers and body."""

    async def work(clients: Clients) -> None:
        request = edge_pb2.GetCacheEntryRequest(id=entry_id)
        answer = await clients.edge.GetCacheEntry(request, timeout=CALL_SECONDS)
        if (form := output or above[1]) != "text":
            echo_data(whole_document(answer), form)
        else:
            click.echo("\n".join(whole_lines(answer)))

    call(home or above[0], work)


def _document(status: edge_pb2.GetCacheStatusResponse) -> dict[str, Any]:
    return {
        "entries": status.entries,
        "bytes": status.bytes,
        "limitBytes": status.limit_bytes,
        "letOff": status.let_off,
        "underWay": status.under_way,
        "routes": [
            {
                "service": each.service_id,
                "method": each.method,
                "path": each.path,
                "entries": each.entries,
                "bytes": each.bytes,
                "hits": each.hits,
                "misses": each.misses,
                "collapsed": each.collapsed,
                "bypassed": each.bypassed,
            }
            for each in status.routes
        ],
    }
