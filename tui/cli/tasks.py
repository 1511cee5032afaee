"""`podium tasks`: tasks of whichever executions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.executor.v1 import executor_pb2 as pb
from services.query.tasks import TASKS
from tui.cli.finding import LIMIT_OPTION, SORT_OPTION, TEXT_OPTION, checked, listed, say_more
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_rows, examples
from tui.views.found_tasks import as_json
from tui.views.timeline import found_task_cells

if TYPE_CHECKING:
    from tui.clients import Clients


@click.command(
    epilog=examples(
        "podium tasks status:failed kind:HTTP newer:1h",
        "podium tasks 'taskDefName = charge AND status IN (FAILED, TIMED_OUT)' --sort ended:desc",
        "podium tasks execution:ID --output json",
    )
)
@HOME_OPTION
@LIMIT_OPTION
@SORT_OPTION
@TEXT_OPTION
@OUTPUT_OPTION
@click.argument("query", nargs=-1)
def tasks(
    home: Path | None, limit: int, sort: str, words: str, output: str, query: tuple[str, ...]
) -> None:
    """List tasks of all executions: each attempt, those of the newest execution first.

    QUERY is as of `podium executions`, e.g. `status:failed kind:HTTP ref:charge*`, or as Conductor
    has it. Its fields are status, kind, ref, name, wf, execution, corr, id, reason, worker,
    attempt, iteration, polls, older, newer, scheduled, started, updated, ended, dur, text, input
    and output.
    """
    text = checked(" ".join(query), words, TASKS)

    async def work(clients: Clients) -> None:
        request = pb.SearchTasksRequest(query=text, order_by=sort)
        rpc = clients.executor.SearchTasks
        found, total = await listed(rpc, request, lambda page: page.tasks, limit)
        if output == "text":
            echo_rows(map(found_task_cells, found))
        else:
            echo_data([as_json(each) for each in found], output)
        say_more(len(found), total, limit)

    call(home, work)
