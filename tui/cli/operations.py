"""`podium pause`, `resume`, `terminate`, `restart` and `retry`: of one execution or of many."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples
from tui.views.operations import is_refused, preview_line, result_json, result_line

if TYPE_CHECKING:
    from tui.clients import Clients

MOST = 10_000
# Of thousands of executions; each response comes within a fraction of it.
LONGEST_SECONDS = 600.0

_HOW = """

Several IDs may be given, or a query, e.g. `--query 'status:running wf:order*'`: what it finds is
shown, and asked about. What is done already is said to be, so that the command can be given again.
The exit status is 1 if one of them was refused.
"""


def _operation(name: str, help_text: str, operation: Any, *options: click.Option) -> click.Command:
    """A command that does ``operation`` and prints what became of each execution."""

    @click.command(
        name,
        help=help_text + _HOW,
        epilog=examples(
            f"podium {name} ID",
            f"podium {name} --query 'wf:order* older:1h' --yes --output json",
        ),
    )
    @HOME_OPTION
    @click.option("--query", default="", help="Take what matches; `podium executions` shows it.")
    @click.option("--limit", type=click.IntRange(1, MOST), help="The oldest of what matches.")
    @click.option("--yes", is_flag=True, help="Ask nothing before it is done.")
    @OUTPUT_OPTION
    @click.argument("execution_ids", metavar="ID...", nargs=-1)
    def operate(
        home: Path | None, query: str, limit: int | None, yes: bool, output: str,
        execution_ids: tuple[str, ...], **arguments: Any,
    ) -> None:  # fmt: skip
        _check(query, limit, execution_ids)
        request = pb.OperateExecutionsRequest(operation=operation, **arguments)

        async def work(clients: Clients) -> int:
            request.execution_ids.extend(execution_ids)
            if query:
                request.query, request.limit = query, limit or 0
                if not await _agreed(clients, request, name, yes=yes):
                    return 1
            return await _results(clients, request, output)

        call(home, work)

    operate.params.extend(options)
    return operate


def _check(query: str, limit: int | None, execution_ids: Sequence[str]) -> None:
    """Raises click.UsageError where they do not go together."""
    if bool(query) == bool(execution_ids):
        raise click.UsageError("Give one ID or more, or a --query.")
    if limit and not query:
        raise click.UsageError("--limit goes with a --query.")
    if len(set(execution_ids)) > MOST:
        raise click.UsageError(f"There may be {MOST} IDs at most.")


async def _agreed(
    clients: Clients, request: pb.OperateExecutionsRequest, name: str, *, yes: bool
) -> bool:
    """Show what matches and ask; ``request`` names just that then."""
    request.dry_run = True
    preview = pb.OperationPreview()
    async for response in _asked(clients, request):
        preview.MergeFrom(response.preview)
    click.echo(preview_line(preview, name), err=True)
    ids = list(preview.execution_ids)
    for field in ("dry_run", "query", "limit"):
        request.ClearField(field)
    request.execution_ids.extend(ids)
    if ids and not yes:
        if not sys.stdin.isatty():
            fail("Nothing was done; --yes does it without a question.")
        return click.confirm(f"{name} {len(ids)} of them?", err=True)
    return True


async def _results(clients: Clients, request: pb.OperateExecutionsRequest, output: str) -> int:
    """Print what became of each; 1 if one was refused."""
    results: list[pb.OperationResult] = []
    # Of a query that nothing matches there is nothing to ask.
    async for response in _asked(clients, request) if request.execution_ids else _nothing():
        results.extend(response.results)
        for result in response.results if output == "text" else ():
            click.echo(result_line(result), err=is_refused(result))
    if output != "text":
        echo_data([result_json(result) for result in results], output)
    return int(any(map(is_refused, results)))


async def _asked(
    clients: Clients, request: pb.OperateExecutionsRequest
) -> AsyncIterator[pb.OperateExecutionsResponse]:
    call = clients.executor.OperateExecutions(request, timeout=LONGEST_SECONDS)
    async for response in call:
        yield response


async def _nothing() -> AsyncIterator[pb.OperateExecutionsResponse]:
    return
    yield


pause = _operation("pause", "Let running tasks end and start no new ones.", pb.OPERATION_PAUSE)
resume = _operation("resume", "Go on with what is paused.", pb.OPERATION_RESUME)
terminate = _operation(
    "terminate",
    "End executions; their open tasks are cancelled.",
    pb.OPERATION_TERMINATE,
    click.Option(["--reason"], default="", help="Kept with the execution."),
)
retry = _operation("retry", "Run the failed tasks of ended executions again.", pb.OPERATION_RETRY)
restart = _operation(
    "restart",
    "Run ended executions again from their beginning.",
    pb.OPERATION_RESTART,
    click.Option(
        ["--latest", "use_latest_definitions"],
        is_flag=True,
        help="Take the workflow's newest version.",
    ),
)
