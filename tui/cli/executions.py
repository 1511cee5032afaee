"""`podium executions`, and `podium complete-task`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import OUTPUT_OPTION, call, echo_json, object_argument
from tui.views.query import QueryFault, parse
from tui.views.timeline import execution_line, execution_status, task_status

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 200


@click.command()
@HOME_OPTION
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@OUTPUT_OPTION
@click.argument("query", nargs=-1)
def executions(home: Path | None, limit: int, output: str, query: tuple[str, ...]) -> None:
    """List executions, newest first.

    QUERY is e.g. `status:failed wf:order*` or `status = FAILED AND workflowType = order`. Its
    fields are status (one or several, between commas), wf (a name, * for any characters),
    correlation, after and before (2026-01-31T12:00 or epoch milliseconds).
    """
    request = _request(" ".join(query))

    async def work(clients: Clients) -> None:
        found: list[pb.ExecutionState] = []
        while len(found) < limit:
            request.page.page_size = min(PAGE, limit - len(found))
            answer = await clients.executor.ListExecutions(request, timeout=CALL_SECONDS)
            found.extend(answer.executions)
            request.page.page_token = answer.next_page_token
            if not answer.next_page_token:
                break
        if output == "json":
            echo_json([as_json(state) for state in found])
        else:
            for state in found:
                click.echo(execution_line(state))
        if request.page.page_token:
            click.echo(f"more: --limit {2 * limit} shows more", err=True)

    call(home, work)


def _request(text: str) -> pb.ListExecutionsRequest:
    try:
        query = parse(text)
    except QueryFault as fault:
        raise click.BadArgumentUsage(str(fault)) from fault
    request = pb.ListExecutionsRequest(
        page=page_pb2.PageRequest(),
        statuses=[pb.ExecutionStatus.Value(f"EXECUTION_STATUS_{each}") for each in query.statuses],
        workflow_name=query.workflow,
        correlation_id=query.correlation_id,
    )
    if query.started_after:
        request.started_after.FromDatetime(query.started_after)
    if query.started_before:
        request.started_before.FromDatetime(query.started_before)
    return request


def as_json(state: pb.ExecutionState) -> dict[str, object]:
    """The state in Conductor's words; times in epoch milliseconds."""
    return {
        "workflowId": state.execution_id,
        "workflowType": state.workflow_name,
        "version": state.workflow_version,
        "status": execution_status(state.status),
        "startTime": state.created_at.ToMilliseconds(),
        "endTime": state.ended_at.ToMilliseconds() if state.HasField("ended_at") else None,
        "correlationId": state.correlation_id,
        "reasonForIncompletion": state.reason,
    }


STATUSES = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "IN_PROGRESS")


@click.command("complete-task")
@HOME_OPTION
@click.option("--status", type=click.Choice(STATUSES), default="COMPLETED", show_default=True)
@click.option("--result", default="{}", metavar="JSON or @FILE", help="Merged into its output.")
@click.option("--reason", default="", help="Kept with the task.")
@click.argument("execution_id", metavar="ID")
@click.argument("ref")
def complete_task(
    home: Path | None, status: str, result: str, reason: str, execution_id: str, ref: str
) -> None:
    """Say how the waiting task REF of the execution ID ended."""
    output = object_argument(result)

    async def work(clients: Clients) -> None:
        answer = await clients.executor.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=execution_id,
                ref=ref,
                status=task_status(status),
                output=output,
                reason=reason,
            ),
            timeout=CALL_SECONDS,
        )
        click.echo(answer.task_id)

    call(home, work)
