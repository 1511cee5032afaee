"""`podium executions`, and `podium complete-task`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.executor.v1 import executor_pb2 as pb
from services.query.executions import EXECUTIONS
from tui.cli.finding import (
    CALL_SECONDS,
    LIMIT_OPTION,
    SORT_OPTION,
    TEXT_OPTION,
    checked,
    listed,
    say_more,
)
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, object_argument
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_rows, examples
from tui.views.timeline import execution_cells, execution_status, task_status

if TYPE_CHECKING:
    from tui.clients import Clients


@click.command(
    epilog=examples(
        "podium executions status:running",
        "podium executions 'status:failed wf:order* older:10m' --limit 200",
        "podium executions input.order.id=7 --output json",
        "podium executions 'status:completed newer:1d' --sort dur:desc",
        "podium executions status:failed --text 'card declined'",
    )
)
@HOME_OPTION
@LIMIT_OPTION
@SORT_OPTION
@TEXT_OPTION
@OUTPUT_OPTION
@click.argument("query", nargs=-1)
def executions(
    home: Path | None, limit: int, sort: str, words: str, output: str, query: tuple[str, ...]
) -> None:
    """List executions, newest first.

    QUERY is e.g. `status:failed wf:order* older:10m`, `input.order.id=7 dur>5m`, or, as Conductor
    has it, `status = FAILED AND workflowType = order`. Its fields are status, wf, v, corr, id,
    parent, reason, older, newer, started, updated, ended, dur, by, text, input and output; a word
    alone is looked for in ids, workflows, correlation ids and reasons. Join by a space (and), OR,
    NOT or !, and parentheses; put it in quotes before the shell.
    """
    text = checked(" ".join(query), words, EXECUTIONS)

    async def work(clients: Clients) -> None:
        request = pb.ListExecutionsRequest(query=text, order_by=sort)
        rpc = clients.executor.ListExecutions
        found, total = await listed(rpc, request, lambda page: page.executions, limit)
        if output == "text":
            echo_rows(map(execution_cells, found))
        else:
            echo_data([as_json(state) for state in found], output)
        say_more(len(found), total, limit)

    call(home, work)


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


STATUSES = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS")


@click.command(
    "complete-task",
    epilog=examples(
        """podium complete-task ID approve --result '{"approved": true}'""",
        "podium complete-task ID approve --status FAILED --reason 'too late'",
    ),
)
@HOME_OPTION
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    default="COMPLETED",
    show_default=True,
    help="How it ended; IN_PROGRESS adds to its output only.",
)
@click.option("--result", default="{}", metavar="JSON or @FILE", help="Merged into its output.")
@click.option("--reason", default="", help="Kept with the task.")
@click.option("--task", "task_id", metavar="TASK_ID", help="The attempt, instead of REF.")
@OUTPUT_OPTION
@click.argument("execution_id", metavar="ID")
@click.argument("ref", required=False)
def complete_task(
    home: Path | None,
    status: str,
    result: str,
    reason: str,
    task_id: str | None,
    output: str,
    execution_id: str,
    ref: str | None,
) -> None:
    """Say how the waiting task REF of the execution ID ended; print the task's id.

    Of a task in a loop REF__2 is that of round 2, REF the first that is open.
    """
    if bool(ref) == bool(task_id):
        raise click.UsageError("Give REF or --task.")
    given = object_argument(result)

    async def work(clients: Clients) -> None:
        answer = await clients.executor.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=execution_id,
                ref=ref or "",
                task_id=task_id or "",
                status=task_status(status),
                output=given,
                reason=reason,
            ),
            timeout=CALL_SECONDS,
        )
        if output != "text":
            echo_data({"taskId": answer.task_id, "already": answer.already}, output)
            return
        click.echo(answer.task_id)
        if answer.already:
            click.echo(f"It had ended {status} already: nothing has changed.", err=True)

    call(home, work)
