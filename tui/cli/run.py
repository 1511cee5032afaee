"""`podium run` and `podium watch`: start an execution, follow one."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click
from google.protobuf.duration_pb2 import Duration

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.interrupts import while_read
from tui.cli.live import Timeline
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, object_argument
from tui.cli.types import VERSION
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_json, examples
from tui.clients import execution_changing, persistently
from tui.views.timeline import ended_line, execution_status, webhook_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 300


@click.command(
    epilog=examples(
        """podium run order --input '{"lines": 3}'""",
        "podium run order --input @order.json --wait 30 --output json",
        "podium run order --follow",
    )
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@click.option("--input", "given", default="{}", metavar="JSON or @FILE", help="An object.")
@click.option("--wait", type=click.FloatRange(0), help="Seconds to wait for its end.")
@click.option("--follow", is_flag=True, help="Show it live until it ends.")
@click.option("--correlation-id", default="", help="Your own name for it.")
@OUTPUT_OPTION
@click.argument("workflow")
def run(
    home: Path | None, version: int, given: str, wait: float | None, follow: bool,
    correlation_id: str, output: str, workflow: str,
) -> None:  # fmt: skip
    """Start WORKFLOW. Prints the execution's id, or with --wait or --follow how it ended.

    Ends with 1 if the execution ends other than COMPLETED, or not within --wait.
    """
    start = pb.Start(
        # Chosen here, so that asking again after a crash is the same start.
        execution_id=str(uuid4()),
        fingerprint=uuid4().bytes,
        workflow_name=workflow,
        workflow_version=version,
        input=object_argument(given),
        correlation_id=correlation_id,
    )

    async def work(clients: Clients) -> int:
        request = pb.StartExecutionRequest(start=start)
        await persistently(lambda: clients.executor.StartExecution(request, timeout=CALL_SECONDS))
        waited = follow or wait is not None
        if follow:
            await _follow(clients, start.execution_id, quiet=output != "text", seconds=wait)
        elif wait is not None:
            await _wait(clients, start.execution_id, wait)
        elif output == "text":
            click.echo(start.execution_id)
            return 0
        return await _print(clients, start.execution_id, output, ended=waited)

    call(home, work)


@click.command(epilog=examples("podium watch ID", "podium watch ID --output json"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("execution_id", metavar="ID")
def watch(home: Path | None, output: str, execution_id: str) -> None:
    """Follow the execution ID until it ends: its tasks, polls, status and reason.

    With --output json or yaml it prints the execution once it has ended, and nothing before;
    `podium events ID --follow` has each step as it comes.
    """

    async def work(clients: Clients) -> int:
        await _follow(clients, execution_id, quiet=output != "text")
        return await _print(clients, execution_id, output, ended=True)

    call(home, work)


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


async def _print(clients: Clients, execution_id: str, output: str, *, ended: bool) -> int:
    answer = await persistently(
        lambda: clients.executor.GetExecution(
            pb.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
        )
    )
    document = json.loads(answer.document)
    status = execution_status(answer.state.status)
    if output != "text":
        echo_data(document, output)
    else:
        running = status in ("RUNNING", "PAUSED")
        click.echo(f"{execution_id}  {status if running else ended_line(answer.state)}")
        if answer.HasField("completion_webhook"):
            click.echo(webhook_line(answer.completion_webhook))
        if not running:
            echo_json(document.get("output"))
    return int(ended and status != "COMPLETED")
