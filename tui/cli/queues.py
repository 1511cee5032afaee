"""`podium queues`, `workers`, `requeue` and `task-logs`: who waits for workers, and who works."""

from __future__ import annotations

import time
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.worker.v1 import worker_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.views import queues as views
from tui.views.durations import iso
from tui.views.task_log import KEPT, counted
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0


@click.command(epilog=examples("podium queues", "podium queues charge --output json"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("type_", metavar="[TYPE]", default="")
def queues(home: Path | None, output: str, type_: str) -> None:
    """Show the queues of workers, or those of the task type TYPE: who waits, and who works.

    A queue is named by its type, with its domain before it: eu:charge. WORKERS are those that are
    connected or have polled within ten seconds; RUNNING are the tasks that workers have.
    """

    async def work(clients: Clients) -> None:
        told = await clients.workers.ListQueues(pb.ListQueuesRequest(), timeout=CALL_SECONDS)
        rows = [row for row in views.queues(told) if type_ in ("", row.type, row.id)]
        if output != "text":
            echo_data([row.document for row in rows], output)
        elif rows:
            echo_lines(views.queue_lines(rows, time.time()))
        else:
            click.echo(views.no_queue(type_))

    call(home, work)


@click.command(epilog=examples("podium workers", "podium workers --output json"))
@HOME_OPTION
@OUTPUT_OPTION
def workers(home: Path | None, output: str) -> None:
    """Show the workers that were seen: what they do, and how much they have."""

    async def work(clients: Clients) -> None:
        told = await clients.workers.ListQueues(pb.ListQueuesRequest(), timeout=CALL_SECONDS)
        rows = views.workers(told)
        if output != "text":
            echo_data([row.document for row in rows], output)
        elif rows:
            echo_lines(views.worker_lines(rows, time.time()))
        else:
            click.echo("No worker was seen.")

    call(home, work)


@click.command(epilog=examples("podium requeue charge", "podium requeue charge --worker host-7"))
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--domain", default="", help="That of the queue.")
@click.option("--worker", default="", help="Take what this worker has, connected or not.")
@click.argument("type_", metavar="TYPE")
def requeue(home: Path | None, output: str, domain: str, worker: str, type_: str) -> None:
    """Put tasks of TYPE back into their queue that workers have which are gone; print how many.

    Else they come back when their response time-out is over, as another attempt.
    """
    request = pb.RequeueTasksRequest(task_type=type_, domain=domain, worker_id=worker)

    async def work(clients: Clients) -> None:
        told = await clients.workers.RequeueTasks(request, timeout=CALL_SECONDS)
        if output == "text":
            click.echo(f"{told.count:,} put back")
        else:
            echo_data({"count": told.count}, output)

    call(home, work)


@click.command(
    "task-logs", epilog=examples("podium task-logs ID charge", "podium task-logs ID --attempt TASK")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--attempt", default="", metavar="TASK", help="The attempt of this task id instead.")
@click.argument("execution_id", metavar="ID")
@click.argument("ref", metavar="[REF]", default="")
def task_logs(home: Path | None, output: str, attempt: str, execution_id: str, ref: str) -> None:
    """Show what workers have logged for the task REF of the execution ID; its latest attempt."""
    if not ref and not attempt:
        raise click.UsageError("Say which task: REF, or --attempt with a task id.")
    request = pb.ListTaskLogsRequest(execution_id=execution_id, ref=ref, task_id=attempt)

    async def work(clients: Clients) -> None:
        told = await clients.workers.ListTaskLogs(request, timeout=CALL_SECONDS)
        rows = [{"at": iso(each.at.ToDatetime(UTC)), "line": each.line} for each in told.lines]
        if output == "text":
            echo_lines(f"{row['at']}  {in_one_line(row['line'])}" for row in rows)
        else:
            echo_data(rows, output)
        if len(rows) >= KEPT:
            click.echo(counted(len(rows)), err=True)

    call(home, work)
