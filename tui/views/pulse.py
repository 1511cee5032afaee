"""How the suite does, in a few figures: what each tile shows, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from tui.views.amounts import amount
from tui.views.engine import Span, count_of, in_line, rates
from tui.views.standing import left
from tui.views.traffic import MINUTE, Minute

STEP_SECONDS, STEPS = 5, 120
MINUTES = 60
HOUR_SECONDS = 3600.0
# A rate is that of so many steps: of one alone it would flicker.
RECENT_STEPS = 2

TITLES: Mapping[str, str] = {
    "running": "Running",
    "failed": "Failed",
    "paused": "Paused",
    "timed_out": "Timed out",
    "starts": "Starts",
    "ends": "Ends",
    "requests": "Requests",
    "success": "Success",
    "latency": "Latency p95",
    "errors": "Errors",
    "commits": "Commit p95",
    "waits": "Open waits",
    "oldest": "Oldest running",
    "services": "Services",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What a tile shows; ``opens`` is the place that it leads to."""

    figure: str = "-"
    unit: str = ""
    note: str = ""
    values: tuple[float | None, ...] = ()
    tone: str = "text"
    opens: str = ""


class Traffic(NamedTuple):
    """What the gateway answered in the last minutes; None: nothing, or it is not known."""

    rate: float
    success: float | None
    p95: float | None
    errors: int
    codes: Sequence[tuple[str, int]]


class Failing(NamedTuple):
    """A workflow whose executions fail; ``at`` is when the last one did, in epoch seconds."""

    id: str
    failed: int
    timed_out: int
    at: float
    reason: str

    @property
    def all(self) -> int:
        """Both together."""
        return self.failed + self.timed_out


@dataclass(frozen=True, slots=True)
class Known:
    """All that the figures are made of; what is not known (yet) is empty.

    Attributes:
        states: How the engine stood, second by second.
        engine_at: The executor's clock, ``edge_at`` the edge's, in epoch seconds.
        spans: What the engine did, by id; ``minutes`` what the gateway answered.
        failing: Of the executions that were started within the last hour.
        oldest: Id, workflow and beginning of the oldest execution that runs.
        services: Whether each of the three serves.
    """

    now: float
    states: Sequence[pb.EngineState] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)
    engine_at: float = 0.0
    traffic: Traffic | None = None
    minutes: Mapping[str, Minute] = field(default_factory=dict)
    edge_at: float = 0.0
    failing: Sequence[Failing] = ()
    oldest: tuple[str, str, float] | None = None
    services: Mapping[str, bool] = field(default_factory=dict)


def figures(known: Known) -> dict[str, Figure]:
    """The figures of :data:`TITLES`."""
    return {
        **_executions(known),
        **_engine(known),
        **_gateway(known),
        "oldest": _oldest(known),
        "services": _services(known),
    }


def _executions(known: Known) -> dict[str, Figure]:
    running = _stood(known, pb.EXECUTION_STATUS_RUNNING)
    paused = _stood(known, pb.EXECUTION_STATUS_PAUSED)
    failed = sum(row.failed for row in known.failing)
    late = sum(row.timed_out for row in known.failing)
    return {
        "running": _count(running, "executions status:running", "primary"),
        "failed": Figure(
            f"{failed:,}", note="last hour", values=_ended(known, "FAILED"),
            tone="error" if failed else "success", opens="executions status:failed newer:1h",
        ),
        "paused": _count(paused, "executions status:paused", "warning"),
        "timed_out": Figure(
            f"{late:,}", note="last hour", values=_ended(known, "TIMED_OUT"),
            tone="error" if late else "success", opens="executions status:timed_out newer:1h",
        ),
    }  # fmt: skip


def _count(values: tuple[float, ...], opens: str, tone: str) -> Figure:
    if not values:
        return Figure(opens=opens)
    return Figure(
        f"{int(values[-1]):,}", values=values, tone=tone if values[-1] else "muted", opens=opens
    )


def _stood(known: Known, status: int) -> tuple[float, ...]:
    return tuple(float(count_of(state, status)) for state in known.states)


def _steps(known: Known) -> list[Span | None]:
    return in_line(known.spans, known.engine_at, STEP_SECONDS, STEPS)


def _ended(known: Known, status: str) -> tuple[float | None, ...]:
    steps = _steps(known)
    return tuple(rates(steps, (step.ended.get(status, 0) if step else 0 for step in steps)))


def _engine(known: Known) -> dict[str, Figure]:
    steps = _steps(known)
    recent = [step for step in steps[-RECENT_STEPS:] if step is not None]
    seconds = sum(step.seconds for step in recent)
    starts = sum(step.started for step in recent) / seconds if seconds else None
    ends = sum(step.ends for step in recent) / seconds if seconds else None
    waits = tuple(
        float(max(0, count_of(state, pb.EXECUTION_STATUS_RUNNING) - state.active))
        for state in known.states
    )
    timers = known.states[-1].timers if known.states else 0
    armed = "1 timer" if timers == 1 else f"{timers:,} timers"
    return {
        "starts": Figure(
            amount(starts), "/s" if starts is not None else "", "10 s",
            tuple(rates(steps, (step.started if step else 0 for step in steps))), "primary",
            "executions newer:10m",
        ),
        "ends": Figure(
            amount(ends), "/s" if ends is not None else "", "10 s",
            tuple(rates(steps, (step.ends if step else 0 for step in steps))), "success",
            "engine",
        ),
        "commits": _commits(steps),
        "waits": Figure(
            f"{int(waits[-1]):,}" if waits else "-", note=armed if waits else "", values=waits,
            tone="accent", opens="executions status:running",
        ),
    }  # fmt: skip


def _commits(steps: Sequence[Span | None]) -> Figure:
    """Of the newest steps in which something was written."""
    wrote = [step for step in steps if step is not None and step.commits]
    newest = wrote[-RECENT_STEPS:]
    told = amount(max((step.p95 for step in newest), default=None), "ms")
    note = f"p99 {amount(max(step.p99 for step in newest), 'ms')}" if newest else ""
    values = tuple(step.p95 if step is not None and step.commits else None for step in steps)
    return Figure(told, note=note, values=values, opens="engine")


def _gateway(known: Known) -> dict[str, Figure]:
    last = int(known.edge_at) // MINUTE * MINUTE
    minutes = [known.minutes.get(str(last - MINUTE * back)) for back in range(MINUTES - 1, -1, -1)]
    counts = tuple(float(each.requests) if each else 0.0 for each in minutes)
    wrong = tuple(float(sum(n for _, n in each.errors)) if each else 0.0 for each in minutes)
    good = tuple(each.success if each else None for each in minutes)
    slow = tuple(each.p95 if each else None for each in minutes)
    told = known.traffic
    errors = told.errors if told else 0
    return {
        "requests": Figure(
            amount(told.rate if told else None), "/s" if told else "", "5 min", counts, "primary",
            "metrics zoom:5m",
        ),
        "success": _success(told.success if told else None, good),
        "latency": Figure(
            amount(told.p95 if told else None, "ms"), note="5 min", values=slow,
            opens="metrics zoom:5m",
        ),
        "errors": Figure(
            f"{errors:,}" if told else "-", note=_codes(told) or "5 min", values=wrong,
            tone="error" if errors else "success", opens="metrics by:route zoom:5m",
        ),
    }  # fmt: skip


def _success(ratio: float | None, values: tuple[float | None, ...]) -> Figure:
    tone = "muted" if ratio is None else "success" if ratio >= 0.99 else "warning"
    if ratio is not None and ratio < 0.9:
        tone = "error"
    told = "-" if ratio is None else f"{100 * ratio:.1f}"
    unit = "" if ratio is None else "%"
    return Figure(told, unit, "5 min", values, tone, "metrics zoom:5m")


def _codes(told: Traffic | None) -> str:
    return " ".join(f"{code}:{count:,}" for code, count in (told.codes if told else ())[:3])


def _oldest(known: Known) -> Figure:
    if known.oldest is None:
        return Figure(tone="muted", opens="executions status:running")
    id_, workflow, at = known.oldest
    return Figure(left(known.now - at), note=workflow, opens=f"executions/{id_}")


def _services(known: Known) -> Figure:
    if not known.services:
        return Figure(tone="muted", opens="suite")
    away = [name for name, serves in known.services.items() if not serves]
    count = f"{len(known.services) - len(away)}/{len(known.services)}"
    note = f"{', '.join(away)} away" if away else "serving"
    return Figure(count, note=note, tone="error" if away else "success", opens="suite")
