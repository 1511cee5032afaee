"""What commands print: text for people, JSON and YAML for programs, streams piece by piece."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

OUTPUTS = ("text", "json", "yaml")


def output_option(
    help: str = "text for people, json and yaml for programs.", default: str | None = "text"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--output``, as each command that shows something has it; without a default: None."""
    return click.option(
        "--output", type=click.Choice(OUTPUTS), default=default, show_default=bool(default),
        help=help,
    )  # fmt: skip


OUTPUT_OPTION = output_option()
STREAM_OPTION = output_option("text for people; json: a line for each; yaml: a document for each.")


def examples(*lines: str) -> str:
    """The end of a command's help: command lines that can be typed as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def echo_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_data(value: Any, output: str) -> None:
    """``value`` on standard output, as ``json`` or as ``yaml``."""
    if output == "yaml":
        click.echo(_yaml(value))
    else:
        echo_json(value)


def echo_all(documents: Iterable[Any], output: str) -> None:
    """Documents on standard output, as files have them: a JSON list, or YAML documents."""
    if output == "yaml":
        click.echo("\n---\n".join(map(_yaml, documents)))
    else:
        echo_json(list(documents))


def echo_more(limit: int, most: int) -> None:
    """Tell, beside a list, that it shows the first ``limit`` only; a call tells ``most``."""
    way = f"--limit {min(2 * limit, most)} shows more" if limit < most else "no more are told"
    click.echo(f"more: {way}", err=True)


def echo_lines(lines: Iterable[str]) -> None:
    """A list's lines: on a terminal none is wider than it, elsewhere all are whole."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines:
        click.echo(fitted(line, width) if width else line)


def echo_rows(rows: Iterable[Sequence[str]]) -> None:
    """A list's rows, whose columns stand below each other on a terminal.

    Elsewhere two blanks part what is there.
    """
    if not sys.stdout.isatty():
        echo_lines("  ".join(filter(None, row)) for row in rows)
        return
    # Late: only who writes on a terminal measures cells.
    from rich.cells import cell_len

    every = list(rows)
    widths = [max(map(cell_len, column)) for column in zip(*every, strict=True)]
    for row in every:
        padded = (
            cell + " " * (width - cell_len(cell))
            for cell, width in zip(row, widths, strict=True)
            if width
        )
        echo_lines(["  ".join(padded).rstrip()])


def fitted(line: str, width: int) -> str:
    """``line`` in ``width`` cells of a terminal at most, with an ellipsis where it is cut."""
    if len(line) * 2 <= width:
        return line
    # Late: only who writes on a terminal measures cells.
    from rich.cells import cell_len, set_cell_size

    return line if cell_len(line) <= width else f"{set_cell_size(line, width - 1)}…"


class Stream:
    """Data that comes piece by piece: a JSON line for each, or a YAML document for each."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._begun = False

    def echo(self, value: Any) -> None:
        """Write one, and have it read at once."""
        if self._output == "yaml":
            click.echo(f"---\n{_yaml(value)}" if self._begun else _yaml(value))
        else:
            click.echo(json.dumps(value, ensure_ascii=False))
        self._begun = True


def _yaml(value: Any) -> str:
    # It takes a while to import, and nobody else waits for it.
    from tui.views.yaml_text import yaml_text

    return yaml_text(value).rstrip()
