"""`podium diff --executions`: two executions compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from podium.executor.v1 import executor_pb2 as pb
from services.rpc import raising_ours
from tui.cli.session import call
from tui.cli.writing import echo_data
from tui.views.execution_diff import difference_data, difference_lines, execution_difference

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
# As diff(1) has it: 1 says that something differs.
_DIFFERENT, _TROUBLE = 1, 2
_COLOURS = {"-": "red", "+": "green", "~": "yellow"}


def compare_executions(home: Path | None, ids: Sequence[str], output: str) -> NoReturn:
    """Show how two executions differ and end: 0 if they do not, 1 if they do, 2 for trouble.

    Raises:
        click.UsageError: They are not two.
    """
    if len(ids) != 2:
        raise click.UsageError("--executions takes the ids of two executions.")

    async def work(clients: Clients) -> int:
        with raising_ours():
            one, two = await asyncio.gather(*(_document(clients, each) for each in ids))
        difference = execution_difference(one, two)
        if output == "text":
            for line in _coloured(difference_lines(difference)):
                click.echo(line)
        else:
            echo_data(difference_data(difference), output)
        return _DIFFERENT if difference.differs else 0

    call(home, work, failure=_TROUBLE)


async def _document(clients: Clients, execution_id: str) -> Any:
    answer = await clients.executor.GetExecution(
        pb.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
    )
    return json.loads(answer.document)


def _coloured(lines: Iterator[str]) -> Iterator[str]:
    return (click.style(line, fg=_COLOURS.get(line[:1])) for line in lines)
