"""`podium routes`: what the gateway serves, and how to call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import page_pb2
from podium.edge.v1 import edge_pb2
from podium.registry.v1 import registry_pb2
from tui.cli.main import HOME_OPTION
from tui.cli.queries import keeps
from tui.cli.session import call, fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples, output_option
from tui.resources.catalog import Definition
from tui.resources.routes import routes_of
from tui.views.routes import RouteLine, body_of, chosen, curl, lines, proof_of, tools
from tui.views.visible import visible

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0
PAGE = 500
_MOST_TOLD = 10
_FORMATS = {"json": edge_pb2.DOCUMENT_FORMAT_JSON}


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "podium routes",
        "podium routes --service shop --query 'method:POST auth:partners'",
        "podium routes curl shop POST /orders",
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--service", help="Only the routes of this one.")
@click.option(
    "--query", default="", help="Only those that match, e.g. 'method:POST workflow:order*'."
)
@click.pass_context
def routes(
    context: click.Context, home: Path | None, output: str, service: str | None, query: str
) -> None:
    """List the routes of all services: method, path, workflow, service and auth.

    Fields of a --query are method, path, workflow, service, auth and enabled.
    """
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    wanted = keeps("routes", query) if query else None

    async def work(clients: Clients) -> None:
        services = await _services(clients)
        if service is not None:
            services = [_named(services, service)]
        found = lines(services)
        if wanted is not None:
            found = list(matching(found, wanted))
        if output != "text":
            echo_data([line.fields() for line in found], output)
        else:
            echo_lines(line.text() for line in found)

    call(home, work)


def matching(found: Sequence[RouteLine], wanted: Callable[[Any], bool]) -> Iterator[RouteLine]:
    """Those of which ``wanted`` takes the console's row."""
    services = {line.service["id"]: line.service for line in found}
    rows = (row for service in services.values() for row in routes_of(_row(service)))
    kept = {(row.service_id, row.method, row.path) for row in rows if wanted(row)}
    return (line for line in found if (line.service["id"], line.method, line.path) in kept)


def _row(service: Mapping[str, Any]) -> Definition:
    """The console's row of a service, as far as its routes are made of it."""
    return Definition(service["id"], "service", 0, (0,), 0, "", "", service, 0.0, "", 0.0)


@routes.command("curl", epilog=examples("podium routes curl shop POST /orders"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("service")
@click.argument("method")
@click.argument("path")
@click.pass_obj
def print_curl(
    above: Path | None, home: Path | None, output: str, service: str, method: str, path: str
) -> None:
    """Print the curl command that calls the route METHOD PATH of SERVICE.

    PATH is the whole path or that below the service's; what stands in capitals is yours to fill in.
    """

    async def work(clients: Clients) -> None:
        found = lines([_named(await _services(clients), service)])
        line = chosen(found, service, method, path)
        if line is None:
            hint = "".join(f"\n  {each.method} {each.path}" for each in found)
            fail(f"service {service!r} has no route {method.upper()} {path}.{hint}")
        auth = await _document(clients, "auth", line.service["authConfigId"])
        body = body_of(line, await _schema(clients, line))
        command = curl(line, clients.suite.gateway, proof_of(auth), body)
        faults = body.faults[:_MOST_TOLD] if body else ()
        if output != "text":
            told = [{"path": pointer, "message": detail} for pointer, detail in faults]
            echo_data({"command": command, "toFillIn": told}, output)
            return
        click.echo(command)
        for pointer, detail in faults:
            where = f"{visible(pointer)} of the body" if pointer else "the body"
            click.echo(f"podium: {where} is to be filled in: {visible(detail)}", err=True)

    call(home or above, work)


@routes.command("mcp", epilog=examples("podium routes mcp shop"))
@HOME_OPTION
@output_option("text is JSON, as clients want it; yaml for who reads it.")
@click.argument("service")
@click.pass_obj
def print_mcp(above: Path | None, home: Path | None, output: str, service: str) -> None:
    """Print how a client of MCP is configured to have the routes of SERVICE as tools."""

    async def work(clients: Clients) -> None:
        document = await _document(clients, "service", service)
        if document.get("mcpEnabled") is False:
            fail(f"service {service!r} says mcpEnabled: false.")
        auth = await _document(clients, "auth", document["authConfigId"])
        echo_data(tools(document, clients.suite.gateway, proof_of(auth)), output)

    call(home or above, work)


@routes.command(
    "openapi",
    epilog=examples(
        "podium routes openapi shop", "podium routes openapi shop POST /orders --output json"
    ),
)
@HOME_OPTION
@output_option("text is YAML.", "yaml")
@click.argument("service")
@click.argument("method", required=False, default="")
@click.argument("path", required=False, default="")
@click.pass_obj
def print_openapi(
    above: Path | None, home: Path | None, output: str, service: str, method: str, path: str
) -> None:
    """Print the OpenAPI document of SERVICE, or its part about the route METHOD PATH."""
    request = edge_pb2.GetOpenApiRequest(
        service_id=service,
        method=method,
        path=path,
        format=_FORMATS.get(output, edge_pb2.DOCUMENT_FORMAT_YAML),
    )

    async def work(clients: Clients) -> None:
        answer = await clients.edge.GetOpenApi(request, timeout=CALL_SECONDS)
        click.echo(answer.document.rstrip("\n"))

    call(home or above, work)


def _named(services: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    by_id = {service["id"]: service for service in services}
    if name not in by_id:
        close = get_close_matches(name, by_id, n=1)
        fail(f"there is no service {name!r}" + (f"; did you mean {close[0]!r}?" if close else "."))
    return by_id[name]


async def _services(clients: Clients) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = []
    token = ""
    while True:
        page = page_pb2.PageRequest(page_size=PAGE, page_token=token)
        answer = await clients.registry.ListDefinitions(
            registry_pb2.ListDefinitionsRequest(kind="service", page=page), timeout=CALL_SECONDS
        )
        services.extend(json.loads(each.document) for each in answer.definitions)
        token = answer.next_page_token
        if not token:
            return services


async def _schema(clients: Clients, line: RouteLine) -> dict[str, Any] | None:
    reference = line.document.get("inputSchemaRef")
    if not reference:
        own: dict[str, Any] | None = line.document.get("inputSchema")
        return own
    document = await _document(clients, "schema", reference["name"], reference.get("version") or 0)
    named: dict[str, Any] = document["data"]
    return named


async def _document(clients: Clients, kind: str, name: str, version: int = 0) -> dict[str, Any]:
    answer = await clients.registry.GetDefinition(
        registry_pb2.GetDefinitionRequest(kind=kind, name=name, version=version),
        timeout=CALL_SECONDS,
    )
    document: dict[str, Any] = json.loads(answer.definition.document)
    return document
