"""`podium metrics`: what the gateway has answered of late."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.edge.v1 import edge_pb2 as pb
from podium.registry.v1 import registry_pb2
from services.errors import NotFound, PermissionDenied, Unavailable
from services.rpc import raising_ours
from tui.cli.interrupts import while_read
from tui.cli.live import Screen
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, fail
from tui.cli.types import LENGTH
from tui.cli.writing import OUTPUT_OPTION, Stream, echo_data, echo_lines, examples
from tui.clients import metrics_changing
from tui.views import metrics as views, routes

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
DAY = timedelta(hours=24)
_GROUPINGS = {
    "minute": pb.GATEWAY_METRICS_GROUPING_MINUTE,
    "service": pb.GATEWAY_METRICS_GROUPING_SERVICE,
    "route": pb.GATEWAY_METRICS_GROUPING_ROUTE,
    "key": pb.GATEWAY_METRICS_GROUPING_KEY,
}


@click.command(
    epilog=examples(
        "podium metrics --by route",
        "podium metrics shop POST /orders --since 24h --by minute --output json",
        "podium metrics --watch",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--key", help="Only calls of this principal, e.g. key:partners/mobile; '' for none.")
@click.option(
    "--since", type=LENGTH, default=timedelta(hours=1), show_default="1h", help="At most 24h."
)
@click.option("--by", type=click.Choice([*_GROUPINGS]), help="A row for each.")
@click.option("--watch", is_flag=True, help="Go on, and print it again when it changes.")
@click.argument("service", required=False)
@click.argument("method", required=False)
@click.argument("path", required=False)
def metrics(
    home: Path | None, output: str, key: str | None, since: timedelta, by: str | None,
    watch: bool, service: str | None, method: str | None, path: str | None,
) -> None:  # fmt: skip
    """Show what the gateway has answered: of all services, of SERVICE, or of one route of it.

    PATH is the whole path or that below the service's, with its {parameters}. An empty SERVICE
    ('') is what is no route's: what has found none, and the gateway's own pages. With --watch,
    each report is a line of JSON or a YAML document.
    """
    if method is not None and path is None:
        raise click.UsageError("A route is METHOD and PATH.")
    if not timedelta(0) < since <= DAY:
        raise click.BadParameter("must be more than 0 and at most 24h.", param_hint="--since")
    query = pb.GatewayMetricsQuery(
        service_id=service,
        method=method,
        path=path,
        principal=key,
        group_by=_GROUPINGS[by] if by else pb.GATEWAY_METRICS_GROUPING_UNSPECIFIED,
    )

    async def work(clients: Clients) -> None:
        if service and path:
            query.path = await _whole(clients, service, method, path)
        report = await _asked(clients, query, since)
        if not report.total.requests and (missing := await _missing(clients, query)):
            fail(f"{missing} here, and no request of it was answered in that time.")
        if watch:
            await _watched(clients, query, since, output)
        elif output != "text":
            echo_data(views.document(report), output)
        else:
            echo_lines(views.lines(report, _of(query)))

    call(home, work)


def _of(query: pb.GatewayMetricsQuery) -> str:
    """What a report is about, in words."""
    words = (query.service_id, query.method.upper(), query.path, query.principal)
    said = " ".join(filter(None, words))
    return said or ("what is no route's" if query.HasField("service_id") else "all services")


async def _watched(
    clients: Clients, query: pb.GatewayMetricsQuery, since: timedelta, output: str
) -> None:
    """Print each report, for ever."""
    request = pb.WatchGatewayMetricsRequest(query=query)
    request.period.FromTimedelta(since)
    stream, screen = Stream(output), Screen()
    async with while_read():
        async for change in metrics_changing(clients, request):
            if output != "text":
                stream.echo(views.document(change.report))
            else:
                screen.show(list(views.lines(change.report, _of(query))))


async def _asked(
    clients: Clients, query: pb.GatewayMetricsQuery, since: timedelta
) -> pb.GatewayMetricsReport:
    request = pb.GetGatewayMetricsRequest(query=query)
    request.start_time.FromDatetime(datetime.now(UTC) - since)
    answer = await clients.edge.GetGatewayMetrics(request, timeout=CALL_SECONDS)
    return answer.report


async def _missing(clients: Clients, query: pb.GatewayMetricsQuery) -> str:
    """What of a query there is not; empty if all is there, or that cannot be known."""
    try:
        if query.service_id and (said := await _missing_route(clients, query)):
            return said
        return await _missing_key(clients, query.principal) if query.principal else ""
    except (PermissionDenied, Unavailable):
        return ""


async def _missing_route(clients: Clients, query: pb.GatewayMetricsQuery) -> str:
    service = query.service_id
    request = registry_pb2.GetDefinitionRequest(kind="service", name=service)
    try:
        with raising_ours():
            answer = await clients.registry.GetDefinition(request, timeout=CALL_SECONDS)
    except NotFound:
        return f"there is no service {service!r}"
    found = routes.lines([json.loads(answer.definition.document)])
    if not query.path or routes.chosen(found, service, query.method, query.path):
        return ""
    return f"service {service!r} has no route {query.method} {query.path}"


async def _missing_key(clients: Clients, principal: str) -> str:
    said = f"there is no key that calls as {principal!r} (key:AUTH/NAME)"
    kind, _, rest = principal.partition(":")
    auth, slash, _ = rest.partition("/")
    # Everybody, where an auth wants no key, calls as public:AUTH.
    if kind not in ("key", "public") or bool(slash) != (kind == "key"):
        return said
    request = registry_pb2.ListApiKeysRequest(auth_id=auth)
    try:
        with raising_ours():
            answer = await clients.registry.ListApiKeys(request, timeout=CALL_SECONDS)
    except NotFound:
        return said
    known = kind == "public" or any(key.principal == principal for key in answer.api_keys)
    return "" if known else said


async def _whole(clients: Clients, service: str, method: str | None, path: str) -> str:
    """The whole path of a route that may be named by its own part of it.

    One that is not there, or not any more, is taken as it is written.
    """
    request = registry_pb2.GetDefinitionRequest(kind="service", name=service)
    try:
        with raising_ours():
            answer = await clients.registry.GetDefinition(request, timeout=CALL_SECONDS)
    except (NotFound, PermissionDenied, Unavailable):
        return path
    found = routes.lines([json.loads(answer.definition.document)])
    line = routes.chosen(found, service, method or "", path)
    return line.path if line else path
