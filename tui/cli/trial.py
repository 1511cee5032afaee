"""`podium test-route`: a call of a route, with what the gateway did at each stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.edge.v1 import edge_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.session import OUTPUT_OPTION, call, echo_json
from tui.views import trial

if TYPE_CHECKING:
    from tui.clients import Clients

# A route waits for 300 s at most.
CALL_SECONDS = 330.0
KEY_METADATA = "podium-gateway-key-bin"
_PAIR = "NAME=VALUE"


@click.command()
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--path", "values", multiple=True, metavar=_PAIR, help="A parameter of PATH.")
@click.option("--query", multiple=True, metavar=_PAIR, help="A field of the query.")
@click.option("--header", "headers", multiple=True, metavar=_PAIR, help="A header.")
@click.option("--body", default="", metavar="JSON or @FILE", help="Sent as it is.")
@click.option(
    "--key", default="", envvar="PODIUM_GATEWAY_KEY", help="The API key; also PODIUM_GATEWAY_KEY."
)
@click.argument("service")
@click.argument("method")
@click.argument("path")
def test_route(
    home: Path | None,
    output: str,
    values: tuple[str, ...],
    query: tuple[str, ...],
    headers: tuple[str, ...],
    body: str,
    key: str,
    service: str,
    method: str,
    path: str,
) -> None:
    """Call the route METHOD PATH of SERVICE and show what the gateway did at each stage.

    PATH is the route's, whole or below the service's, as a template or with its values. The call
    is a real one: it runs the workflow, and limits count it. Ends with 0 if the answer is a 2xx,
    with 1 if it is another.
    """
    request = pb.TestRouteRequest(
        service_id=service,
        method=method,
        path=path,
        path_parameters=_parameters(values),
        query=[pb.QueryField(name=name, value=value) for name, value in _pairs(query, "--query")],
        headers=[
            pb.HeaderField(name=name, value=value) for name, value in _pairs(headers, "--header")
        ],
        body=_body(body),
    )
    metadata = ((KEY_METADATA, key.encode()),) if key else ()

    async def work(clients: Clients) -> int:
        try:
            with raising_ours():
                answer = await clients.edge.TestRoute(
                    request, timeout=CALL_SECONDS, metadata=metadata
                )
        except InvalidRequest as error:
            missing = error.metadata.get("missing", "").split()
            hint = "".join(f" --path {name}=…" for name in missing)
            click.echo(f"podium: {error.detail}{hint}", err=True)
            return 2
        if output == "json":
            echo_json(trial.fields(answer))
        else:
            click.echo(trial.text(answer, method.upper(), clients.suite.gateway))
        return 0 if 200 <= answer.status < 300 else 1

    call(home, work)


def _parameters(given: Iterable[str]) -> dict[str, str]:
    pairs = list(_pairs(given, "--path"))
    values = dict(pairs)
    if len(values) < len(pairs):
        raise click.BadParameter("A parameter is given twice.", param_hint="--path")
    return values


def _pairs(given: Iterable[str], option: str) -> Iterator[tuple[str, str]]:
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{pair!r} is not {_PAIR}.", param_hint=option)
        yield name, value


def _body(given: str) -> bytes:
    if not given.startswith("@"):
        return given.encode()
    path = Path(given[1:])
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be read: {error.strerror}.", param_hint="--body"
        ) from error
