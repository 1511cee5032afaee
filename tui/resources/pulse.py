"""The pulse: how the suite does, in a few figures, and what fails."""

from __future__ import annotations

from tui.resources.execution_row import Execution
from tui.resources.model import Cell, Column, Resource
from tui.views.pulse import Failing
from tui.views.standing import left
from tui.views.statuses import look_of_execution


def _status(row: Execution, now: float) -> Cell:
    look = look_of_execution(row.status)
    return Cell(f"{look.glyph} {look.label}", look.tone)


FAILURE_COLUMNS: tuple[Column[Execution], ...] = (
    Column("ended", "AGO", 6,
           lambda row, now: Cell(left(now - (row.ended_at or row.updated_at)), "muted"),
           lambda row: row.ended_at or row.updated_at, priority=9, right=True, ticks=True),
    Column("status", "STATUS", 11, _status, lambda row: row.status, priority=7),
    Column("workflow", "WORKFLOW", 14, lambda row, _: Cell(row.workflow), lambda row: row.workflow,
           flex=2, priority=9),
    Column("reason", "REASON", 12, lambda row, _: Cell(row.why, "error"),
           lambda row: row.why or None, flex=3, priority=6),
)  # fmt: skip

FAILING_COLUMNS: tuple[Column[Failing], ...] = (
    Column("workflow", "WORKFLOW", 14, lambda row, _: Cell(row.id), lambda row: row.id, flex=2,
           priority=9),
    Column("failed", "FAILED", 6, lambda row, _: Cell(f"{row.failed:,}", "error"),
           lambda row: row.failed, priority=9, right=True),
    Column("timed_out", "TIMED OUT", 9, lambda row, _: Cell(f"{row.timed_out:,}", "error"),
           lambda row: row.timed_out, priority=8, right=True),
    Column("all", "BOTH", 5, lambda row, _: Cell(f"{row.all:,}", "muted"), lambda row: row.all,
           priority=3, right=True),
    Column("ago", "AGO", 6, lambda row, now: Cell(left(now - row.at), "muted"),
           lambda row: -row.at, priority=7, right=True, ticks=True),
    Column("reason", "LAST REASON", 12, lambda row, _: Cell(row.reason), lambda row: row.reason,
           flex=2, priority=5),
)  # fmt: skip

RESOURCE: Resource[Failing] = Resource(
    name="pulse",
    aliases=("home", "overview"),
    title="Pulse",
    help="""\
## Pulse

How the suite does: what runs and fails, what the gateway answers, how long commits take, and what
waits. `Enter` on a tile opens what it is about. `start = "pulse"` in the settings opens it first.
""",
    columns=FAILING_COLUMNS,
    pane="pulse",
)
