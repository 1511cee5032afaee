"""`podium run` and `podium watch`: start an execution, follow one."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from google.protobuf.duration_pb2 import Duration

from podium.executor.v1 import executor_pb2 as pb
from podium.registry.v1 import registry_pb2 as registry_pb
from services.errors import Conflict, PermissionDenied
from services.ids import new_execution_id
from services.rpc import raising_ours
from tui.cli.interrupts import while_read
from tui.cli.live import Timeline
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, object_argument
from tui.cli.types import VERSION
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_json, examples
from tui.clients import execution_changing, persistently
from tui.views.kin import children_of, parent_of
from tui.views.timeline import ended_line, execution_status, webhook_line
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 300
STRATEGIES = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")


@click.command(
    epilog=examples(
        """podium run order --input '{"lines": 3}'""",
        "podium run order --input @order.json --wait 30 --output json",
        "podium run order --follow",
        "podium run order --key 4711 --strategy RETURN_EXISTING",
        "podium run order --definition @order.json --wait 30",
    )
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@click.option("--input", "given", default="{}", metavar="JSON or @FILE", help="An object.")
@click.option("--wait", type=click.FloatRange(0), help="Seconds to wait for its end.")
@click.option("--follow", is_flag=True, help="Show it live until it ends.")
@click.option("--correlation-id", default="", help="Your own name for it.")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="TYPE=DOMAINS",
    help="Whose workers have its tasks of TYPE, or of all: '*=eu'. May be given several times.",
)
@click.option("--key", default="", help="Of starts of WORKFLOW with this key one begins.")
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="FAIL",
    show_default=True,
    help="Where the key is known: refuse, take what is there, or refuse while that runs.",
)
@click.option(
    "--definition",
    metavar="JSON or @FILE",
    help="Run this, which has the name WORKFLOW, too, and is not put.",
)
@OUTPUT_OPTION
@click.argument("workflow")
def run(
    home: Path | None, version: int, given: str, wait: float | None, follow: bool,
    correlation_id: str, key: str, strategy: str, definition: str | None, output: str,
    workflow: str, domains: tuple[str, ...],
) -> None:  # fmt: skip
    """Start WORKFLOW. Prints the execution's id, or with --wait or --follow how it ended.

    Ends with 1 if the execution ends other than COMPLETED, or not within --wait.
    """
    start = pb.Start(
        # Chosen here, so that asking again after a crash is the same start.
        execution_id=new_execution_id(),
        fingerprint=uuid4().bytes,
        workflow_name=workflow,
        workflow_version=version,
        input=object_argument(given),
        correlation_id=correlation_id,
        workflow_key=key,
        idempotency_strategy=pb.IdempotencyStrategy.Value(f"IDEMPOTENCY_STRATEGY_{strategy}"),
        workflow_definition="" if definition is None else object_argument(definition),
        task_to_domain=_domains(domains),
    )

    call(home, lambda clients: _run(clients, start, wait, output, follow=follow))


async def _run(
    clients: Clients, start: pb.Start, wait: float | None, output: str, *, follow: bool
) -> int:
    """Start it and print what was asked for; the exit code."""
    if start.workflow_definition:
        await _judge(clients, start.workflow_name, start.workflow_definition)
    request = pb.StartExecutionRequest(start=start)
    begun = await persistently(
        lambda: clients.executor.StartExecution(request, timeout=CALL_SECONDS)
    )
    start.execution_id = begun.execution_id
    waited = follow or wait is not None
    if follow:
        await _follow(clients, start.execution_id, quiet=output != "text", seconds=wait)
    elif wait is not None:
        await _wait(clients, start.execution_id, wait)
    elif output == "text":
        click.echo(start.execution_id)
        return 0
    return await _print(clients, start.execution_id, output, ended=waited)


@click.command(epilog=examples("podium watch ID", "podium watch ID --output json"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("execution_id", metavar="ID")
def watch(home: Path | None, output: str, execution_id: str) -> None:
    """Follow the execution ID until it ends: its tasks, polls, status and reason.

    Above them stands the execution whose task started it, if one did; below them what its own tasks
    have started.

    With --output json or yaml it prints the execution once it has ended, and nothing before;
    `podium events ID --follow` has each step as it comes.
    """

    async def work(clients: Clients) -> int:
        if output == "text":
            _, document = await _read(clients, execution_id)
            if parent := parent_of(document):
                click.echo(f"parent {parent}")
        await _follow(clients, execution_id, quiet=output != "text")
        return await _print(clients, execution_id, output, ended=True)

    call(home, work)


def _domains(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if any(not kind or not domains for kind, _, domains in pairs):
        raise click.UsageError("--domain is TYPE=DOMAINS, e.g. charge=eu,NO_DOMAIN.")
    return {kind: domains for kind, _, domains in pairs}


async def _judge(clients: Clients, name: str, definition: str) -> None:
    """Have the registry say what is wrong with a definition, if the caller may put one."""
    document = json.loads(definition)
    put = registry_pb.DocumentPut(
        document=json.dumps({**document, "kind": "workflow", "name": document.get("name", name)})
    )
    request = registry_pb.PutDefinitionsRequest(puts=[put], dry_run=True)
    # What is put under that name and version is another matter.
    with suppress(PermissionDenied, Conflict), raising_ours():
        await clients.registry.PutDefinitions(request, timeout=CALL_SECONDS)


async def _wait(clients: Clients, execution_id: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        span = min(max(0.0, until - time.monotonic()), LONGEST_WAIT_SECONDS)
        result = await persistently(partial(_attached, clients, execution_id, span))
        ended = execution_status(result.status) not in ("RUNNING", "PAUSED")
        if ended or time.monotonic() >= until:
            return


async def _attached(clients: Clients, execution_id: str, seconds: float) -> pb.Result:
    wait = Duration()
    wait.FromMilliseconds(int(seconds * 1000))
    answer = await clients.executor.AttachExecution(
        pb.AttachExecutionRequest(attach=pb.Attach(execution_id=execution_id), wait=wait),
        timeout=seconds + CALL_SECONDS,
    )
    return answer.result


async def _follow(
    clients: Clients, execution_id: str, *, quiet: bool, seconds: float | None = None
) -> None:
    with suppress(TimeoutError), Timeline(quiet=quiet) as timeline:
        async with asyncio.timeout(seconds), while_read():
            async for change in execution_changing(clients, execution_id):
                timeline.show(change)


async def _read(
    clients: Clients, execution_id: str
) -> tuple[pb.GetExecutionResponse, dict[str, Any]]:
    """The execution, and its document as a value."""
    answer = await persistently(
        lambda: clients.executor.GetExecution(
            pb.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
        )
    )
    return answer, json.loads(answer.document)


async def _print(clients: Clients, execution_id: str, output: str, *, ended: bool) -> int:
    answer, document = await _read(clients, execution_id)
    status = execution_status(answer.state.status)
    if output != "text":
        echo_data(document, output)
    else:
        running = status in ("RUNNING", "PAUSED")
        click.echo(f"{execution_id}  {status if running else ended_line(answer.state)}")
        if answer.HasField("completion_webhook"):
            click.echo(webhook_line(answer.completion_webhook))
        for ref, child in children_of(document):
            click.echo(f"{in_one_line(ref)} started {child}")
        if not running:
            echo_json(document.get("output"))
    return int(ended and status != "COMPLETED")
