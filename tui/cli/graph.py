"""`podium graph`: a workflow as a drawing, with where an execution stands drawn over it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len

from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from tui.cli import sources
from tui.cli.main import HOME_OPTION
from tui.cli.session import call, fail
from tui.cli.types import VERSION
from tui.cli.writing import echo_data, examples, output_option
from tui.views.graph.drawing import Drawing, lay_out, text_of
from tui.views.graph.lines import plain as in_ascii
from tui.views.graph.listing import as_json, summary
from tui.views.graph.overlay import Overlay, of_document
from tui.views.graph.painting import Run
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
# Many branches beside many tasks are mostly blanks: no terminal and few files have room for more.
MOST_CELLS = 50_000_000
_COLORS: dict[str, dict[str, Any]] = {
    "muted": {"dim": True},
    "primary": {"fg": "blue"},
    "accent": {"fg": "magenta"},
    "success": {"fg": "green"},
    "warning": {"fg": "yellow"},
    "error": {"fg": "red"},
}
_SIGNS = "│▼╲╔✔✘●⧖⊘↷↻→…"


@click.command(
    epilog=examples(
        "podium graph order",
        "podium graph --execution ID --fold each_line",
        "podium graph workflows.yaml --output json",
    )
)
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@click.option("--execution", "execution_id", metavar="ID", help="What it ran, and where it stands.")
@click.option("--fold", multiple=True, metavar="REF", help="Draw it and all in it as one box.")
@click.option("--ascii", "plain", is_flag=True, help="Draw with + - | and letters.")
@output_option("json and yaml tell where each task is drawn, in cells; of a FILE in a list.")
@click.argument("workflow", required=False, metavar="[WORKFLOW or FILE]")
def graph(
    home: Path | None,
    version: int,
    execution_id: str | None,
    fold: tuple[str, ...],
    plain: bool,
    output: str,
    workflow: str | None,
) -> None:
    """Draw a workflow of the registry, those of a FILE, or what an execution runs.

    A FILE ends in .json, .yaml or .yml, or is there under that name; - is standard input. What of
    a workflow cannot be read is left out of its drawing, and told on standard error.
    """
    if bool(workflow) == bool(execution_id):
        raise click.UsageError("Say what to draw: WORKFLOW, FILE or --execution ID.")
    if version and (execution_id or _is_file(workflow or "")):
        raise click.UsageError("--version goes with a WORKFLOW of the registry.")
    printing = _Printing(output, plain or not _can_show(_SIGNS), fold)
    if workflow and _is_file(workflow):
        sys.exit(_draw_files(Path(workflow), printing))

    async def work(clients: Clients) -> None:
        if execution_id:
            overlay, document = await _execution(clients, execution_id)
            printing.one(document, overlay)
        else:
            printing.one(await _definition(clients, workflow or "", version))

    call(home, work)


def _is_file(name: str) -> bool:
    """Whether a file is meant, rather than a workflow of that name."""
    return name == "-" or name.endswith(sources.SUFFIXES) or Path(name).exists()


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _draw_files(path: Path, printing: _Printing) -> int:
    """Draw the workflows of a file, or those of a folder; 1 where some of it cannot be read."""
    found = sources.read([path])
    for fault in found.faults:
        click.echo(f"podium: {in_one_line(str(fault))}", err=True)
    workflows = [each for each in found.documents if _is_workflow(each)]
    if workflows:
        printing.several(workflows)
    elif not found.faults:
        fail(f"{path} has no workflow.")
    return int(bool(found.faults))


def _is_workflow(document: object) -> bool:
    if not isinstance(document, dict):
        return False
    kind = document.get("kind", "workflow" if "tasks" in document else "")
    return bool(kind == "workflow")


async def _definition(clients: Clients, name: str, version: int) -> object:
    answer = await clients.registry.GetDefinition(
        registry_pb2.GetDefinitionRequest(kind="workflow", name=name, version=version),
        timeout=CALL_SECONDS,
    )
    return json.loads(answer.definition.document)


async def _execution(clients: Clients, execution_id: str) -> tuple[Overlay, object]:
    answer = await clients.executor.GetExecution(
        executor_pb2.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
    )
    document = json.loads(answer.document)
    return of_document(document), document.get("workflowDefinition")


class _Printing:
    """Writes drawings to standard output."""

    def __init__(self, output: str, plain: bool, fold: tuple[str, ...]) -> None:
        self._output = output
        self._plain = plain
        self._fold = fold
        self._colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def one(self, document: object, overlay: Overlay | None = None) -> None:
        drawing = self._drawing(document, overlay)
        if self._output == "text":
            self._text(drawing, overlay)
        else:
            self._data(as_json(drawing, overlay))

    def several(self, documents: Iterable[object]) -> None:
        drawings = [self._drawing(document) for document in documents]
        if self._output != "text":
            self._data([as_json(drawing) for drawing in drawings])
            return
        for index, drawing in enumerate(drawings):
            if index:
                click.echo()
            self._text(drawing)

    def _drawing(self, document: object, overlay: Overlay | None = None) -> Drawing:
        drawing = lay_out(document, overlay, folded=self._fold, ascii=self._plain)
        for ref in self._fold:
            if ref not in drawing.plan.foldable:
                click.echo(f"podium: {in_one_line(ref)} is nothing that can be folded.", err=True)
        return drawing

    def _data(self, value: object) -> None:
        echo_data(value, self._output)

    def _text(self, drawing: Drawing, overlay: Overlay | None = None) -> None:
        plan = drawing.plan
        for fault in plan.faults:
            click.echo(f"podium: {in_one_line(fault)}", err=True)
        if drawing.width * drawing.height > MOST_CELLS:
            fail(
                f"The drawing has {drawing.width:,} columns and {drawing.height:,} rows;"
                " --fold REF makes it smaller, --output json tells its places."
            )
        click.echo(f"{self._title(drawing, overlay)}\n")
        for y in range(drawing.height):
            click.echo(self._row(drawing.row(y, overlay)))
        columns = shutil.get_terminal_size().columns
        if sys.stdout.isatty() and drawing.width > columns:
            hint = f"The drawing has {drawing.width:,} columns: podium graph … | less -S shows them"
            click.echo(f"podium: {hint}.", err=True)

    def _title(self, drawing: Drawing, overlay: Overlay | None) -> str:
        plan = drawing.plan
        name = f"{plan.name} v{plan.version}" if plan.version else plan.name
        parts = [name, overlay.status if overlay else "", summary(drawing, overlay)]
        return "  ".join(self._shown(part) for part in parts if part)

    def _row(self, runs: list[Run]) -> str:
        if not self._colored:
            return text_of(runs)
        parts: list[str] = []
        at = 0
        for run in runs:
            look = _COLORS.get(run.tone, {}) | ({"bold": True} if run.role == "title" else {})
            parts += (" " * (run.x - at), click.style(run.text, **look))
            at = run.x + cell_len(run.text)
        return "".join(parts)

    def _shown(self, text: str) -> str:
        return in_ascii(text) if self._plain else text
