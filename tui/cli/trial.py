"""`podium test-route`: a call of a route, with what the gateway did at each stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from podium.edge.v1 import edge_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples
from tui.live.trying import CALL_SECONDS, KEY_METADATA
from tui.views import trial
from tui.views.route_call import CaseUnreadable, Pairs, RouteCall, read_case

if TYPE_CHECKING:
    from tui.clients import Clients

_PAIR = "NAME=VALUE"


@click.command(
    epilog=examples(
        """podium test-route shop POST /orders --body '{"lines": 3}' --key "$KEY\"""",
        "podium test-route shop GET '/prices/{id}' --path id=7 --query currency=EUR",
        "podium test-route --case order.json --output json",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--case",
    "case_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A call that the console kept in a file; arguments and options go before what it has.",
)
@click.option("--path", "values", multiple=True, metavar=_PAIR, help="A parameter of PATH.")
@click.option("--query", multiple=True, metavar=_PAIR, help="A field of the query.")
@click.option("--header", "headers", multiple=True, metavar=_PAIR, help="A header.")
@click.option("--body", default=None, metavar="JSON or @FILE", help="Sent as it is.")
@click.option(
    "--key", default="", envvar="PODIUM_GATEWAY_KEY", help="The API key; also PODIUM_GATEWAY_KEY."
)
@click.argument("service", required=False)
@click.argument("method", required=False)
@click.argument("path", required=False)
def test_route(
    home: Path | None, output: str, case_file: Path | None, values: tuple[str, ...],
    query: tuple[str, ...], headers: tuple[str, ...], body: str | None, key: str,
    service: str | None, method: str | None, path: str | None,
) -> None:  # fmt: skip
    """Call the route METHOD PATH of SERVICE and show what the gateway did at each stage.

    PATH is the route's, whole or below the service's, as a template or with its values. The call
    is a real one: it runs the workflow, and limits count it. Ends with 0 if the answer is a 2xx,
    with 1 if it is another.
    """
    kept = _case(case_file) if case_file else RouteCall("", "", "")
    named = _named(kept, service, method, path)
    request = pb.TestRouteRequest(
        service_id=named[0],
        method=named[1],
        path=named[2],
        path_parameters=dict(kept.parameters) | _parameters(values),
        query=_fields(pb.QueryField, kept.query, query, "--query"),
        headers=_fields(pb.HeaderField, kept.headers, headers, "--header"),
        body=kept.body.encode() if body is None else _body(body),
    )
    metadata = ((KEY_METADATA, key.encode()),) if key else ()
    call(home, lambda clients: _try(clients, request, metadata, output))


async def _try(
    clients: Clients, request: pb.TestRouteRequest, metadata: Sequence[Any], output: str
) -> int:
    """Send the call and tell what came of it: the exit code."""
    try:
        with raising_ours():
            answer = await clients.edge.TestRoute(request, timeout=CALL_SECONDS, metadata=metadata)
    except InvalidRequest as error:
        missing = error.metadata.get("missing", "").split()
        hint = "".join(f" --path {name}=…" for name in missing)
        click.echo(f"podium: {error.detail}{hint}", err=True)
        return 2
    _tell(answer, output, request.method, clients.suite.gateway)
    return 0 if 200 <= answer.status < 300 else 1


_Field = TypeVar("_Field", pb.QueryField, pb.HeaderField)


def _fields(kind: type[_Field], kept: Pairs, given: Iterable[str], option: str) -> list[_Field]:
    pairs = _merged(kept, _pairs(given, option))
    return [kind(name=name, value=value) for name, value in pairs]


def _tell(answer: pb.TestRouteResponse, output: str, method: str, gateway: str) -> None:
    if output == "text":
        click.echo(trial.text(answer, method.upper(), gateway))
    else:
        echo_data(trial.fields(answer), output)


def _case(path: Path) -> RouteCall:
    try:
        return read_case(path.read_text("utf-8"))
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be read: {error.strerror}.", param_hint="--case"
        ) from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{path} is no UTF-8 text.", param_hint="--case") from error
    except CaseUnreadable as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--case") from error


def _named(kept: RouteCall, *given: str | None) -> tuple[str, str, str]:
    """Service, method and path: as given, else as the case has them."""
    of_case = (kept.service, kept.method, kept.path)
    service, method, path = (mine or its for mine, its in zip(given, of_case, strict=True))
    if service and method and path:
        return service, method, path
    raise click.UsageError("Name SERVICE, METHOD and PATH, or a --case that does.")


def _merged(kept: Pairs, given: Iterable[tuple[str, str]]) -> Pairs:
    """Those of a case and those that are given, which take the place of others of their name."""
    mine = tuple(given)
    names = {name.lower() for name, _ in mine}
    return (*(pair for pair in kept if pair[0].lower() not in names), *mine)


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
