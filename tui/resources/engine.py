"""The engine: how much the executor does, how long its commits take, and what waits in it."""

from __future__ import annotations

from collections.abc import Callable

from tui.resources.model import Cell, Column, Resource
from tui.views.engine import Gauge
from tui.views.sparks import spark

SPARK_CELLS = 20


def columns(*, ascii: bool = False) -> tuple[Column[Gauge], ...]:
    """Those of the list; ``ascii``: what was before is drawn of ASCII signs."""
    return (*_COLUMNS, Column("before", "LAST 10 MIN", SPARK_CELLS, _before(ascii), priority=3))


def _before(ascii: bool) -> Callable[[Gauge, float], Cell]:
    def cell(row: Gauge, now: float) -> Cell:
        told = spark(row.values, SPARK_CELLS, ascii=ascii) if row.values else ""
        return Cell(told, row.tone)

    return cell


_COLUMNS: tuple[Column[Gauge], ...] = (
    Column("name", "NOW", 20, lambda row, _: Cell(row.name), lambda row: row.id, flex=2,
           priority=9),
    Column("value", "", 12, lambda row, _: Cell(row.value, row.tone), flex=1, priority=9,
           right=True),
)  # fmt: skip

RESOURCE: Resource[Gauge] = Resource(
    name="engine",
    aliases=("executor",),
    title="Engine",
    help="""\
## Engine

How many executions start and end, which tasks end, how long commits take and how late the event
loop is: over 10 minutes, or by the minute over a day (`d`). The list beside it says what runs and
waits this moment, and how the HTTP lanes of hosts stand.
""",
    columns=columns(),
    pane="engine",
)
