"""The pulse as lines and as data: what runs and fails, what is answered, who is away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from tui.views import engine_report, metrics
from tui.views.pulse import Failing
from tui.views.timeline import execution_status
from tui.views.visible import in_one_line

MOST_FAILING = 10


@dataclass(frozen=True, slots=True)
class Known:
    """What was told; None: its service is away, or does not tell this caller.

    Attributes:
        failing: Of the executions that were started within the last hour, those that fail most
            first.
        away: Services that do not answer.
    """

    engine: executor_pb2.GetEngineMetricsResponse | None
    gateway: edge_pb2.GatewayMetricsReport | None
    failing: Sequence[Failing] | None
    away: Sequence[str] = ()


def failing(states: Iterable[executor_pb2.ExecutionState]) -> list[Failing]:
    """By workflow, from executions that failed or were too late."""
    rows: dict[str, Failing] = {}
    for state in states:
        name, at = state.workflow_name, state.ended_at.ToMilliseconds() / 1000
        row = rows.get(name, Failing(name, 0, 0, 0.0, ""))
        late = execution_status(state.status) == "TIMED_OUT"
        if at >= row.at:
            row = row._replace(at=at, reason=state.reason)
        rows[name] = row._replace(failed=row.failed + (not late), timed_out=row.timed_out + late)
    return sorted(rows.values(), key=lambda row: (-row.all, row.id))


def lines(known: Known) -> Iterator[str]:
    """For people."""
    if known.away:
        yield f"away        {', '.join(known.away)}"
    if known.engine is not None:
        yield from engine_report.lines(known.engine.state, known.engine.recent)
    if known.gateway is not None:
        yield from metrics.lines(known.gateway, "gateway")
    if known.failing is None:
        return
    yield f"failing     {len(known.failing):,} workflows, of what was started within an hour"
    for row in known.failing[:MOST_FAILING]:
        parts = (in_one_line(row.id), f"{row.failed:,} failed", f"{row.timed_out:,} timed out")
        yield f"  {'  '.join(parts)}  {in_one_line(row.reason)}".rstrip()


def data(known: Known) -> dict[str, Any]:
    """For programs: what `podium engine` and `podium metrics` give, and what fails."""
    engine, gateway = known.engine, known.gateway
    return {
        "away": list(known.away),
        "engine": engine_report.data(engine.state, engine.recent) if engine is not None else None,
        "gateway": metrics.document(gateway) if gateway is not None else None,
        "failing": None if known.failing is None else [
            {"workflow": row.id, "failed": row.failed, "timedOut": row.timed_out,
             "reason": row.reason or None}
            for row in known.failing
        ],
    }  # fmt: skip
