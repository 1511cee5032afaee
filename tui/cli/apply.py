"""`podium apply` and `podium diff`: what files say, put, or held against what is there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict, Fault, InvalidDefinition
from services.rpc import raising_ours
from tui.cli.execution_diff import compare_executions
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import call, fail
from tui.cli.sources import Sources, read
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples
from tui.views.differences import OUTCOMES, change_data, count, data, lines, title
from tui.views.faults import PlacedFault, nearer, placed

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 60.0
# Of podium diff, as diff(1) has it: 1 says that something differs.
TROUBLE = 2
# Names that are no plain words are looked for among all.
_MOST_NEARER = 1000
_NOT_COMPARED = "nothing was compared: podium apply would put nothing."

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
_COLOURS = {"-": "red", "+": "green", "@": "cyan"}


def _prune_options(command: Callable[..., Any]) -> Callable[..., Any]:
    access = click.option(
        "--prune-access",
        is_flag=True,
        help="As --prune, auth definitions (with their keys) and applications too.",
    )
    prune = click.option(
        "--prune",
        is_flag=True,
        help="Delete what is of a kind that the folder manages and is not in it.",
    )
    return prune(access(command))


@click.command(
    epilog=examples(
        "podium apply order.yaml shop.json",
        "podium apply definitions --prune --dry-run",
        "podium get wf order --output yaml | podium apply -",
    )
)
@HOME_OPTION
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@_prune_options
@click.option("--yes", is_flag=True, help="Delete without asking.")
@OUTPUT_OPTION
@_FILES
def apply(
    home: Path | None,
    dry_run: bool,
    prune: bool,
    prune_access: bool,
    yes: bool,
    output: str,
    files: Sequence[Path],
) -> None:
    """Put the definitions in FILES: all or none.

    A file is JSON or YAML, several documents a file; of a folder all files below it count.
    """
    prunes = _prune(files, prune, prune_access)
    sources = read(files)
    if sources.faults:
        sys.exit(_refused(sources.faults, output))

    async def work(clients: Clients) -> int:
        request = _request(sources, dry_run=dry_run, prune=prunes)
        try:
            with raising_ours():
                if prunes is not None and not dry_run:
                    request = await _confirmed(clients, sources, prunes, yes=yes, output=output)
                answer = await clients.registry.PutDefinitions(request, timeout=CALL_SECONDS)
        except (InvalidDefinition, Conflict) as error:
            return _refused(_placed(error, sources), output)
        _print(answer, dry_run=dry_run, output=output)
        if not dry_run:
            await live(clients, answer.revision)
        return 0

    call(home, work)


class _FileOrId(click.Path):
    """A file that there is; with --executions the id of an execution."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if ctx is not None and ctx.params.get("executions"):
            return Path(value)
        return super().convert(value, param, ctx)


@click.command(
    epilog=examples(
        "podium diff definitions --prune", "podium diff --executions ID ID --output json"
    )
)
@HOME_OPTION
@click.option(
    "--executions",
    is_flag=True,
    # Known before what follows is read: files have to be there.
    is_eager=True,
    help="Compare two executions instead: their ids follow.",
)
@_prune_options
@OUTPUT_OPTION
@click.argument(
    "files", nargs=-1, required=True, type=_FileOrId(exists=True, allow_dash=True, path_type=Path)
)
def diff(
    home: Path | None,
    executions: bool,
    prune: bool,
    prune_access: bool,
    output: str,
    files: Sequence[Path],
) -> None:
    """Show what `podium apply` would do with FILES, and do nothing.

    Ends with 0 if it would change nothing, with 1 if it would, with 2 if that cannot be said.

    With --executions, FILES are the ids of two executions: how they ended, which tasks ran how
    often and how long, and what differs in what each got and gave. Times alone are no difference.
    """
    if executions:
        if prune or prune_access:
            raise click.UsageError("--executions compares executions: nothing is deleted.")
        compare_executions(home, [str(file) for file in files], output)
    prunes = _prune(files, prune, prune_access)
    sources = read(files)
    if sources.faults:
        _refused(sources.faults, output, _NOT_COMPARED)
        sys.exit(TROUBLE)

    async def work(clients: Clients) -> int:
        request = _request(sources, dry_run=True, prune=prunes)
        request.with_documents = True
        try:
            with raising_ours():
                answer = await clients.registry.PutDefinitions(request, timeout=CALL_SECONDS)
        except (InvalidDefinition, Conflict) as error:
            _refused(_placed(error, sources), output, _NOT_COMPARED)
            return TROUBLE
        _print_differences(answer, sources.origins, output)
        unchanged = all(each.outcome == pb.OUTCOME_UNCHANGED for each in answer.results)
        return 0 if unchanged and not answer.deleted else 1

    call(home, work, failure=TROUBLE)


def _prune(files: Sequence[Path], prune: bool, access: bool) -> pb.Prune | None:
    if not (prune or access):
        return None
    if not all(str(file) != "-" and file.is_dir() for file in files):
        raise click.UsageError("--prune goes with folders: what is not in them is deleted.")
    return pb.Prune(access=access)


def _request(
    sources: Sources, *, dry_run: bool, prune: pb.Prune | None = None
) -> pb.PutDefinitionsRequest:
    if prune is not None:
        prune = pb.Prune(access=prune.access, kinds=sorted(sources.kinds))
    return pb.PutDefinitionsRequest(
        puts=sources.puts,
        dry_run=dry_run,
        prune=prune,
        # An exported folder has no values.
        secrets_may_lack_values=sources.folders,
    )


async def _confirmed(
    clients: Clients, sources: Sources, prune: pb.Prune, *, yes: bool, output: str
) -> pb.PutDefinitionsRequest:
    """The request that does what was shown and agreed to, whatever comes between."""
    plan = await clients.registry.PutDefinitions(
        _request(sources, dry_run=True, prune=prune), timeout=CALL_SECONDS
    )
    if plan.deleted and not yes:
        _ask(plan)
    request = _request(sources, dry_run=False)
    request.deletes.extend(
        pb.DefinitionDelete(kind=d.kind, name=d.name, version=d.version, etag=d.etag)
        for d in plan.deleted
    )
    return request


def _ask(plan: pb.PutDefinitionsResponse) -> None:
    """Show what is to be done, and end the command if it is not to be."""
    for result in plan.results:
        if result.outcome != pb.OUTCOME_UNCHANGED:
            click.echo(f"{title(result.definition)}  to be {OUTCOMES[result.outcome]}", err=True)
    for each in plan.deleted:
        click.echo(f"{title(each)}  to be deleted", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("--prune asks before it deletes; --yes answers where nobody can.")
    many = len(plan.deleted)
    if not click.confirm(f"Delete {many} definition{'s' if many > 1 else ''}?", err=True):
        fail("nothing was put or deleted.")


def _refused(faults: Sequence[PlacedFault], output: str, end: str = "nothing was put.") -> int:
    """Say every fault and what comes of them; the exit code."""
    if output == "text":
        for fault in faults:
            click.echo(str(fault), err=True)
    else:
        echo_data({"faults": [asdict(fault) for fault in faults]}, output)
    click.echo(f"podium: {end}", err=True)
    return 1


def _placed(error: InvalidDefinition | Conflict, sources: Sources) -> list[PlacedFault]:
    """The faults by file and line, which the documents' parts tell better than their beginnings."""
    known = sources.parts()
    found = [placed(f, sources.origins) for f in error.faults or (Fault("", error.detail),)]
    first, others = found[:_MOST_NEARER], found[_MOST_NEARER:]
    near = [nearer(f, *known[f.origin]) if f.origin in known else f for f in first]
    return near + others


def _print(answer: pb.PutDefinitionsResponse, *, dry_run: bool, output: str) -> None:
    if output != "text":
        deleted = [data(each, "deleted") for each in answer.deleted]
        echo_data([*map(_result, answer.results), *deleted], output)
        return
    tail = " (dry run)" if dry_run else ""
    for result in answer.results:
        click.echo(f"{title(result.definition)}  {OUTCOMES[result.outcome]}{tail}")
        for warning in result.warnings:
            click.echo(f"  warning: {warning}", err=True)
        print_keys(result)
    for each in answer.deleted:
        click.echo(f"{title(each)}  deleted{tail}")


def print_keys(result: pb.PutResult) -> None:
    """The keys that were generated, which nobody can read again."""
    for key in result.generated_keys:
        click.echo(f"  key {key.name}: {key.key}  (shown this once)")


def _result(result: pb.PutResult) -> dict[str, object]:
    return data(result.definition, OUTCOMES[result.outcome]) | {
        "warnings": list(result.warnings),
        "generatedKeys": [{"name": key.name, "key": key.key} for key in result.generated_keys],
    }


def _print_differences(
    answer: pb.PutDefinitionsResponse, origins: Sequence[str], output: str
) -> None:
    both = list(zip(answer.results, origins, strict=True))
    if output != "text":
        changed = [change_data(result, origin) for result, origin in both]
        echo_data([*changed, *(data(each, "deleted") for each in answer.deleted)], output)
        return
    for result, origin in both:
        for line in lines(result, origin):
            echo_diff(line)
        for warning in result.warnings:
            click.echo(f"warning: {title(result.definition)}: {warning}", err=True)
    for each in answer.deleted:
        click.echo(f"{title(each)}  deleted")
    click.echo(count(answer), err=True)


def echo_diff(line: str) -> None:
    """One line of a diff; in colour on a terminal."""
    click.secho(line, fg=_COLOURS.get(line[:1]))
