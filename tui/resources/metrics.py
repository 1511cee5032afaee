"""Metrics: what the gateway has answered in the last 24 hours, as charts and by route."""

from __future__ import annotations

from tui.live.traffic import Group
from tui.resources.model import Cell, Column, Resource
from tui.views.amounts import amount


def _success(row: Group, now: float) -> Cell:
    if row.success is None:
        return Cell("-", "muted")
    tone = "success" if row.success >= 0.99 else "warning" if row.success >= 0.9 else "error"
    return Cell(f"{100 * row.success:.1f} %", tone)


def _latency(name: str, priority: int) -> Column[Group]:
    def cell(row: Group, now: float) -> Cell:
        value = getattr(row, name)
        return Cell(amount(value, "ms"), "text" if value is not None else "muted")

    return Column(name, name.upper(), 8, cell, lambda row: getattr(row, name), priority=priority,
                  right=True)  # fmt: skip


def _count(name: str, title: str, width: int, priority: int, tone: str = "text") -> Column[Group]:
    def cell(row: Group, now: float) -> Cell:
        count = getattr(row, name)
        return Cell(amount(count), tone if count else "muted")

    return Column(name, title, width, cell, lambda row: getattr(row, name), priority=priority,
                  right=True)  # fmt: skip


COLUMNS: tuple[Column[Group], ...] = (
    Column("name", "OF", 16, lambda row, _: Cell(str(row.scope)), lambda row: str(row.scope),
           flex=4, priority=9),
    _count("requests", "REQS", 6, 9),
    Column("rate", "/S", 6, lambda row, _: Cell(amount(row.rate)), lambda row: row.rate,
           priority=6, right=True),
    Column("success", "SUCCESS", 8, _success, lambda row: row.success, priority=7, right=True),
    _latency("p50", 4),
    _latency("p95", 8),
    _latency("p99", 3),
    _count("errors", "ERRORS", 6, 7, "error"),
    _count("hits", "HITS", 6, 2, "accent"),
    _count("limited", "LIMITED", 7, 2, "warning"),
)  # fmt: skip


def _nothing(row: Group) -> str | None:
    return None


RESOURCE: Resource[Group] = Resource(
    name="metrics",
    aliases=("traffic", "gateway"),
    title="Metrics",
    help="""\
## Metrics

What the gateway has answered in the last 24 hours: requests, how executions ended, latencies,
errors, cache and limits. `b` tells apart by route, service or key; `Enter` on a row shows its
charts. Words behind the name: `by:key zoom:24h service:orders`.
""",
    columns=COLUMNS,
    pane="metrics",
    fields={
        "by": _nothing, "zoom": _nothing, "service": _nothing, "method": _nothing,
        "path": _nothing, "key": _nothing,
    },
)  # fmt: skip
