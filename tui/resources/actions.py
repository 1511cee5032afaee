"""What was done from this console, each with the command that does the same."""

from __future__ import annotations

from tui.live.actions import ActionEntry, ActionState
from tui.resources.model import Cell, Column, Resource, Tab

_TONES = {
    ActionState.SENT: ("⋯ sent", "primary"),
    ActionState.ACCEPTED: ("⋯ accepted", "primary"),
    ActionState.DONE: ("✔ done", "success"),
    ActionState.FAILED: ("✘ failed", "error"),
}

RESOURCE: Resource[ActionEntry] = Resource(
    name="actions",
    aliases=("act", "done"),
    title="Actions",
    help="""\
## Actions

What was done from this console since it was opened, with the command line that does the same.
What was *accepted* is done once the stream says so. `Enter` shows what came of each record: of up
to 10,000, those that failed first.
""",
    columns=(
        Column("at", "AT", 8, lambda row, _: Cell(f"{row.at:%H:%M:%S}", "muted"),
               lambda row: row.id, priority=9),
        Column("state", "STATE", 10, lambda row, _: Cell(*_TONES[row.state]),
               lambda row: row.state, priority=9),
        Column("title", "ACTION", 20, lambda row, _: Cell(row.title), lambda row: row.title,
               flex=2, priority=9),
        Column("detail", "RESULT", 12, lambda row, _: Cell(row.detail), lambda row: row.detail,
               flex=2, priority=4),
        Column("command", "COMMAND", 20, lambda row, _: Cell(row.command, "muted"),
               lambda row: row.command, flex=3, priority=5),
    ),
    tabs=(Tab("results", "Results", "action-results"),),
    text=lambda row: f"{row.title} {row.command} {row.detail}",
    label=lambda row: row.title,
    sort="at",
    reverse=True,
)  # fmt: skip
