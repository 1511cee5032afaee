"""`podium limits`: how the limits of routes and workflows stand, and some of them begun anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import crowds_pb2
from services.errors import Unavailable
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.views import limits as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
MOST_KEYS = 100
_NONE = "There are no limits."
_HOW_TO_NAME = "A route is named by SERVICE, METHOD and PATH."


class _Limits(click.Group):
    """A group that may have a service's name for its first argument."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "list", self.commands["list"], args


@click.group(
    cls=_Limits,
    invoke_without_command=True,
    # Those of list, where the word is left out.
    context_settings={"ignore_unknown_options": True},
    epilog=examples("podium limits", "podium limits shop", "podium limits reset shop"),
)
@click.pass_context
def limits(context: click.Context) -> None:
    """Show how limits stand, or those of SERVICE: podium limits list --help."""
    if context.invoked_subcommand is None:
        context.invoke(listed)


@limits.command(
    "list",
    epilog=examples(
        "podium limits list shop POST /orders --keys 50", "podium limits --output json"
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--keys",
    type=click.IntRange(1, MOST_KEYS),
    default=10,
    show_default=True,
    help="Of each limit, the busiest so many.",
)
@click.argument("service", default="")
@click.argument("method", default="")
@click.argument("path", default="")
def listed(home: Path | None, output: str, keys: int, service: str, method: str, path: str) -> None:
    """Show each limit of routes, of SERVICE or of one route of it, with its busiest keys.

    Without a SERVICE, the limits of workflows on executions side by side follow. PATH is the
    route's as it is defined, the whole path or that below the service's. The word list may be left
    out.
    """
    if method and not path:
        raise click.UsageError(_HOW_TO_NAME)
    request = pb.ListLimitsRequest(service_id=service, method=method, path=path, keys=keys)

    async def work(clients: Clients) -> None:
        told = await clients.edge.ListLimits(request, timeout=CALL_SECONDS)
        workflows = None if service else await _of_workflows(clients, keys)
        of_workflows = workflows or crowds_pb2.ListWorkflowLimitsResponse()
        if output != "text":
            echo_data([*views.documents(told), *views.workflow_documents(of_workflows)], output)
        elif told.limits or of_workflows.limits:
            between = [""] if told.limits and of_workflows.limits else []
            echo_lines([*views.lines(told), *between, *views.workflow_lines(of_workflows)])
        else:
            click.echo(_NONE)
        if told.executor_away or (workflows is None and not service):
            click.echo("podium: the executor is away: who runs and waits is not told.", err=True)

    call(home, work)


async def _of_workflows(
    clients: Clients, keys: int
) -> crowds_pb2.ListWorkflowLimitsResponse | None:
    """None: the executor is away."""
    request = crowds_pb2.ListWorkflowLimitsRequest(keys=keys)
    try:
        with raising_ours():
            return await clients.executor.ListWorkflowLimits(request, timeout=CALL_SECONDS)
    except Unavailable:
        return None


@limits.command(
    epilog=examples("podium limits reset shop", "podium limits reset shop POST /orders --key ada")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--id", "id_", default="", help="The one key of that id, as podium limits has it.")
@click.option("--name", default="", help="Only the limit of that name.")
@click.option("--key", help="Only that key, as podium limits has it.")
@click.argument("service", default="")
@click.argument("method", default="")
@click.argument("path", default="")
def reset(
    home: Path | None,
    output: str,
    id_: str,
    name: str,
    key: str | None,
    service: str,
    method: str,
    path: str,
) -> None:
    """Have the rateLimits of SERVICE, or of its route METHOD PATH, begin anew; print how many keys.

    Executions side by side are not reset: terminate one, and its slot is free.
    """
    if method and not path:
        raise click.UsageError(_HOW_TO_NAME)
    if not (service or id_):
        raise click.UsageError("Name a SERVICE, or a key by its --id.")
    request = pb.ResetLimitsRequest(
        id=id_, service_id=service, method=method, path=path, name=name, key=key
    )

    async def work(clients: Clients) -> None:
        answer = await clients.edge.ResetLimits(request, timeout=CALL_SECONDS)
        if output != "text":
            echo_data({"reset": answer.reset}, output)
        else:
            click.echo(f"{answer.reset} reset")

    call(home, work)
