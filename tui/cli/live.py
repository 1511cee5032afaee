"""What moves: a timeline, or a report, rewritten in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.writing import fitted
from tui.views.timeline import ended_line, task_line

Change = pb.WatchExecutionResponse | pb.ExecutionChange


class Timeline:
    """Shows the tasks of one execution as they change.

    Args:
        quiet: Show nothing (the caller prints the outcome as data).
        indent: Stands before every line.
    """

    def __init__(
        self, *, quiet: bool = False, indent: str = "", stream: TextIO | None = None
    ) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self._indent = indent
        self._moving = self._stream.isatty()
        self._tasks: dict[str, pb.TaskState] = {}
        self._shown = 0
        self._last: dict[str, str] = {}

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def show(self, change: Change) -> None:
        """What changed."""
        if self._quiet:
            return
        for task in change.tasks:
            self._tasks[task.task_id] = task
        if self._moving:
            self._redraw()
        else:
            self._append(change)

    def say(self, text: str) -> None:
        """A line of its own, above the tasks where they move."""
        if self._moving:
            self._rewind()
        click.echo(f"{self._indent}{text}", file=self._stream)
        if self._moving:
            self._redraw()

    def _rewind(self) -> None:
        if self._shown:
            self._stream.write(f"\x1b[{self._shown}A\x1b[J")
        self._shown = 0

    def _lines(self) -> list[tuple[str, str]]:
        ordered = sorted(self._tasks.values(), key=lambda task: task.sequence)
        return [(task.task_id, self._indent + task_line(task)) for task in ordered]

    def _redraw(self) -> None:
        width = shutil.get_terminal_size().columns
        self._rewind()
        lines = [line[: width - 1] for _, line in self._lines()]
        for line in lines:
            self._stream.write(f"{line}\n")
        self._shown = len(lines)
        self._stream.flush()

    def _append(self, change: Change) -> None:
        for task_id, line in self._lines():
            if self._last.get(task_id) != line:
                self._last[task_id] = line
                click.echo(line, file=self._stream)
        if change.execution.HasField("ended_at"):
            click.echo(self._indent + ended_line(change.execution), file=self._stream)
        self._stream.flush()


class Screen:
    """Reports in place of each other on a terminal, one below the other elsewhere."""

    def __init__(self) -> None:
        self._moving = sys.stdout.isatty()
        self._shown = 0

    def show(self, lines: Sequence[str]) -> None:
        """The next report."""
        if self._moving:
            # What has left the screen cannot be written over.
            columns, rows = shutil.get_terminal_size()
            lines = [fitted(line, columns - 1) for line in lines[: rows - 1]]
            if self._shown:
                sys.stdout.write(f"\x1b[{self._shown}A\x1b[J")
        elif self._shown:
            sys.stdout.write("\n")
        self._shown = len(lines)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
