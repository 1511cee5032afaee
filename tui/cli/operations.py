"""What is done to executions, from `podium pause` to `podium remove`: to one or to many."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, fail, object_argument
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples
from tui.views.operations import is_refused, preview_line, result_json, result_line
from tui.views.timeline import task_status

if TYPE_CHECKING:
    from tui.clients import Clients

MOST = 10_000
STATUSES = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED", "IN_PROGRESS")
# Of thousands of executions; each response comes within a fraction of it.
LONGEST_SECONDS = 600.0

_HOW = """

Several IDs may be given, or a query, e.g. `--query 'status:running wf:order*'`: what it finds is
shown, and asked about. What is done already is said to be, so that the command can be given again.
The exit status is 1 if one of them was refused.
"""


def _operation(
    name: str,
    help_text: str,
    operation: Any,
    *options: click.Option,
    example: str = "",
    prepared: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> click.Command:
    """A command that does ``operation`` and prints what became of each execution.

    Args:
        example: Options that it is never without.
        prepared: Makes fields of the request of the values of ``options``; may raise
            click.UsageError.
    """

    @click.command(
        name,
        help=help_text + _HOW,
        epilog=_examples(name, f" {example}" if example else ""),
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
        asked = pb.OperateExecutionsRequest(
            operation=operation, execution_ids=execution_ids, query=query,
            limit=limit or 0, **prepared(arguments),
        )  # fmt: skip
        call(home, lambda clients: _operated(clients, asked, name, output, yes=yes))

    operate.params.extend(options)
    return operate


def _examples(name: str, more: str) -> str:
    return examples(
        f"podium {name} ID{more}",
        f"podium {name} --query 'wf:order* older:1h'{more} --yes --output json",
    )


async def _operated(
    clients: Clients, asked: pb.OperateExecutionsRequest, name: str, output: str, *, yes: bool
) -> int:
    if asked.query and not await _agreed(clients, asked, name, yes=yes):
        return 1
    return await _results(clients, asked, output)


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
    """Print what became of each; 1 if one was refused.

    Raises:
        BrokenPipeError: All is done, and nobody reads any more what became of it.
    """
    results: list[pb.OperationResult] = []
    left: BrokenPipeError | None = None
    # Of a query that nothing matches there is nothing to ask.
    async for response in _asked(clients, request) if request.execution_ids else _nothing():
        results.extend(response.results)
        if output != "text" or left:
            continue
        try:
            _echo(response.results, removed=request.operation == pb.OPERATION_DELETE)
        except BrokenPipeError as error:
            # Who leaves now would end the call, and with it what is still to be done.
            left = error
    if left:
        raise left
    if output != "text":
        echo_data([result_json(result) for result in results], output)
    return int(any(map(is_refused, results)))


def _echo(results: Iterable[pb.OperationResult], *, removed: bool) -> None:
    for result in results:
        gone = removed and not is_refused(result)
        line = f"{result.execution_id}  removed" if gone else result_line(result)
        click.echo(line, err=is_refused(result))


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
retry = _operation(
    "retry",
    "Run the failed tasks of ended executions again.",
    pb.OPERATION_RETRY,
    click.Option(
        ["--resume", "resume_sub_workflows"],
        is_flag=True,
        help="Retry sub-workflows that failed in their place, instead of beginning them anew.",
    ),
)
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


def _json(*names: str, **more: Any) -> click.Option:
    return click.Option([*names], metavar="JSON or @FILE", **more)


def _objects(arguments: dict[str, Any]) -> dict[str, Any]:
    """The fields that are given, documents as JSON text."""
    found = {name: value for name, value in arguments.items() if value not in (None, "")}
    if "result" in found:
        found["output"] = found.pop("result")
    for name in ("input", "output", "variables"):
        if name in found:
            found[name] = object_argument(found[name])
    if "status" in found:
        found["status"] = task_status(found["status"])
    return found


def _rerun(arguments: dict[str, Any]) -> dict[str, Any]:
    fields = _objects(arguments)
    # An empty one takes away what it had.
    if arguments["correlation_id"] is not None:
        fields["correlation_id"] = arguments["correlation_id"]
    of_task = fields.keys() & {"ref", "task_id"}
    if len(of_task) > 1:
        raise click.UsageError("Give --from or --task, not both.")
    if of_task and "correlation_id" in fields:
        raise click.UsageError("--correlation-id goes with no task.")
    return fields


rerun = _operation(
    "rerun",
    "Run ended executions again from one of their tasks, or with other input.\n\n"
    "The task begins anew, and so does what comes after it; what stands beside it in other "
    "branches stays as it is. Without a task all of it begins anew.",
    pb.OPERATION_RERUN,
    click.Option(["--from", "ref"], metavar="REF", help="The task to begin from."),
    click.Option(
        ["--task", "task_id"],
        metavar="TASK_ID",
        help="The task by its id; it may be of a sub-workflow. With one ID.",
    ),
    _json("--input", help="The task's input, or that of all of it. Default: as it was."),
    click.Option(["--correlation-id"], help="Another name for all of it."),
    prepared=_rerun,
)
skip_task = _operation(
    "skip-task",
    "Have a task that is not reached yet not done; what is behind it goes on at once.",
    pb.OPERATION_SKIP_TASK,
    click.Option(
        ["--ref"],
        required=True,
        help="Which; in a loop REF__2 is that of round 2, REF that of this round.",
    ),
    _json("--input", help="Shown as its input."),
    _json("--result", help="Its output, for what is behind it."),
    example="--ref approve",
    prepared=_objects,
)
signal = _operation(
    "signal",
    "Complete the first task that waits for somebody, in running sub-workflows too.\n\n"
    "It is a HUMAN task or a WAIT without a time: of several the one that began first.",
    pb.OPERATION_SIGNAL,
    click.Option(
        ["--status"],
        type=click.Choice(STATUSES),
        default="COMPLETED",
        show_default=True,
        help="How it ended; IN_PROGRESS adds to its output only.",
    ),
    _json("--result", help="Merged into its output."),
    click.Option(["--reason"], default="", help="Kept with the task."),
    prepared=_objects,
)
set_variables = _operation(
    "set-variables",
    "Set variables of executions that have not ended: all that are given, or none.",
    pb.OPERATION_UPDATE_VARIABLES,
    _json("--set", "variables", required=True, help="An object; others stay as they are."),
    example="""--set '{"region": "eu"}'""",
    prepared=_objects,
)
reset_callbacks = _operation(
    "reset-callbacks",
    "Begin now what waits for a delay, of its start or of a retry.",
    pb.OPERATION_RESET_CALLBACKS,
)
decide = _operation(
    "decide",
    "Look at where executions stand; what happens to them is decided without being asked.",
    pb.OPERATION_DECIDE,
)
remove = _operation(
    "remove",
    "Delete ended executions, with all that is stored of them.",
    pb.OPERATION_DELETE,
    click.Option(["--terminate"], is_flag=True, help="End those that have not ended before."),
    click.Option(
        ["--with-children"], is_flag=True, help="Delete the sub-workflows that they started, too."
    ),
    click.Option(["--reason"], default="", help="Of an end; sub-workflows that stay keep it."),
)
