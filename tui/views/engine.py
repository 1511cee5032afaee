"""What the engine did, as charts, and how it stands, as lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from tui.views.amounts import amount
from tui.views.plot import Chart, Series
from tui.views.statuses import look_of_execution

MOST_KINDS = 5
OTHER = "other"
_KIND_TONES = ("primary", "success", "accent", "warning", "error", "muted")

TITLES: Mapping[str, str] = {
    "executions": "Executions",
    "tasks": "Tasks by kind",
    "commits": "Commit time",
    "decisions": "Decisions and commits",
    "lag": "Event loop late by",
    "ended": "Ended by status",
}


class Span(NamedTuple):
    """What the engine did from ``at`` (epoch seconds) for ``seconds``.

    Attributes:
        ended: Counts by status, ``tasks`` by kind.
        p50: Of commits, in milliseconds, as are the others; of seconds added up, the highest.
    """

    id: str
    at: int
    seconds: int
    started: int
    ended: Mapping[str, int]
    tasks: Mapping[str, int]
    decisions: int
    commits: int
    units: int
    p50: float
    p95: float
    p99: float
    longest: float
    lag_p95: float
    lag_longest: float

    @property
    def ends(self) -> int:
        """How many executions ended."""
        return sum(self.ended.values())


def span_of(told: pb.EngineFigures) -> Span:
    """The span of figures."""
    return Span(
        str(told.start.seconds), told.start.seconds, told.seconds, told.started,
        {look_of_execution(each.status).word: each.count for each in told.ended},
        {each.kind: each.count for each in told.tasks},
        told.decisions, told.commits, told.units, told.commit_p50_ms, told.commit_p95_ms,
        told.commit_p99_ms, told.commit_max_ms, told.lag_p95_ms, told.lag_max_ms,
    )  # fmt: skip


def merged(one: Span, other: Span) -> Span:
    """Both as one, under the first one's id."""
    return Span(
        one.id, one.at, one.seconds + other.seconds, one.started + other.started,
        _sum(one.ended, other.ended), _sum(one.tasks, other.tasks),
        one.decisions + other.decisions, one.commits + other.commits, one.units + other.units,
        max(one.p50, other.p50), max(one.p95, other.p95), max(one.p99, other.p99),
        max(one.longest, other.longest), max(one.lag_p95, other.lag_p95),
        max(one.lag_longest, other.lag_longest),
    )  # fmt: skip


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def taken_in(
    known: Mapping[str, Span], second: Span, step: int, length: int
) -> tuple[Span, list[str]]:
    """A second that has passed, in its span; and the ids of those that are to go.

    Args:
        step: How many seconds a span is, ``length`` how many are kept.
    """
    begin = second.at - second.at % step
    whole = second._replace(id=str(begin), at=begin)
    span = merged(known[whole.id], whole) if whole.id in known else whole
    # What comes later than now was told before the executor's clock was put back.
    kept = range(begin - length, begin + 1)
    return span, [each.id for each in known.values() if each.at not in kept]


def in_line(spans: Mapping[str, Span], now: float, step: int, count: int) -> list[Span | None]:
    """The newest ``count`` spans up to ``now``; None where nothing was told."""
    last = int(now) // step * step
    return [spans.get(str(last - step * back)) for back in range(count - 1, -1, -1)]


def rates(spans: Sequence[Span | None], counts: Iterable[int]) -> list[float | None]:
    """Per second; None where nothing was told."""
    return [
        None if span is None else count / max(1, span.seconds)
        for span, count in zip(spans, counts, strict=True)
    ]


def charts(
    known: Mapping[str, Span], now: float, step: int, count: int, zone: tzinfo
) -> dict[str, Chart]:
    """The charts of :data:`TITLES` over ``count`` steps of so many seconds before ``now``."""
    spans = in_line(known, now, step, count)
    start = datetime.fromtimestamp(int(now) // step * step - step * (count - 1), zone)
    length = timedelta(seconds=step)

    def rate(name: str) -> list[float | None]:
        return rates(spans, (getattr(span, name) if span else 0 for span in spans))

    def held(name: str) -> list[float | None]:
        return [getattr(span, name) if span and span.commits else None for span in spans]

    def late(name: str) -> list[float | None]:
        return [getattr(span, name) if span else None for span in spans]

    def chart(series: Iterable[Series], unit: str, kind: str = "lines") -> Chart:
        return Chart(tuple(series), start, length, unit, kind)  # type: ignore[arg-type]

    return {
        "executions": chart(
            (Series("started", rate("started"), "primary"),
             Series("ended", rate("ends"), "success")), "/s"),
        "tasks": chart(_kinds(spans, "tasks"), "/s", "bars"),
        "commits": chart(
            (Series("p50", held("p50"), "success"), Series("p95", held("p95"), "warning"),
             Series("p99", held("p99"), "error")), "ms"),
        "decisions": chart(
            (Series("decisions", rate("decisions"), "primary"),
             Series("commits", rate("commits"), "accent")), "/s"),
        "lag": chart(
            (Series("p95", late("lag_p95"), "warning"),
             Series("longest", late("lag_longest"), "error")), "ms"),
        "ended": chart(_kinds(spans, "ended"), "/s", "bars"),
    }  # fmt: skip


def _kinds(spans: Sequence[Span | None], name: str) -> tuple[Series, ...]:
    """A series a kind, those with the most first; rare ones are told together."""
    counts: list[Mapping[str, int]] = [getattr(span, name) if span else {} for span in spans]
    totals: dict[str, int] = {}
    for each in counts:
        totals = _sum(totals, each)
    ranked = sorted(totals, key=lambda kind: (-totals[kind], kind))
    shown = ranked if len(ranked) <= MOST_KINDS + 1 else ranked[:MOST_KINDS]
    names = [*shown, OTHER] if len(shown) < len(ranked) else shown or ["none"]
    rest = set(ranked).difference(shown)
    return tuple(
        Series(
            _word(kind),
            rates(spans, (
                sum(each.get(one, 0) for one in (rest if kind == OTHER else (kind,)))
                for each in counts
            )),
            _tone(kind, number),
        )
        for number, kind in enumerate(names)
    )  # fmt: skip


def _word(kind: str) -> str:
    look = look_of_execution(kind)
    return look.label if look.word == kind else kind


def _tone(kind: str, number: int) -> str:
    look = look_of_execution(kind)
    return look.tone if look.word == kind else _KIND_TONES[number % len(_KIND_TONES)]


# How it stands


class Gauge(NamedTuple):
    """One figure of how the engine stands.

    Attributes:
        id: Sorts it.
        values: Those before, in order.
    """

    id: str
    name: str
    value: str
    tone: str = "text"
    values: tuple[float, ...] = ()


def count_of(state: pb.EngineState, status: int) -> int:
    """How many executions stand at ``status``."""
    return sum(each.count for each in state.counts if each.status == status)


def gauges(states: Sequence[pb.EngineState]) -> list[Gauge]:
    """How the engine stands by the last of ``states``, with how it stood before."""
    if not states:
        return []
    now = states[-1]
    rows = [
        _gauge("running", states, lambda s: count_of(s, pb.EXECUTION_STATUS_RUNNING)),
        _gauge("paused", states, lambda s: count_of(s, pb.EXECUTION_STATUS_PAUSED)),
        _gauge("at work this moment", states, lambda s: s.active),
        _gauge("waiting to be written", states, lambda s: s.units_waiting),
        _gauge("calls under way", states, lambda s: s.calls_under_way),
        _gauge("calls waiting", states, lambda s: s.calls_waiting, "warning"),
        _gauge("timers armed", states, lambda s: s.timers),
        _gauge("scripts running", states, lambda s: s.scripts_running),
        _gauge("scripts waiting", states, lambda s: s.scripts_waiting, "warning"),
        _gauge("script workers", states, lambda s: s.script_workers),
        _gauge("workers replaced", states, lambda s: s.script_workers_replaced, "warning"),
        _gauge("executor.db", states, lambda s: s.database_bytes, unit="B"),
        _gauge("write-ahead log", states, lambda s: s.log_bytes, unit="B"),
    ]
    rows += [
        Gauge("", f"→ {host.host}", f"{host.under_way:,} under way, {host.waiting:,} waiting",
              "warning" if host.waiting else "text")
        for host in now.hosts
    ]  # fmt: skip
    return [row._replace(id=f"{number:02}") for number, row in enumerate(rows)]


def _gauge(
    name: str,
    states: Sequence[pb.EngineState],
    value: Callable[[pb.EngineState], int],
    tone: str = "text",
    unit: str = "",
) -> Gauge:
    """``tone`` is that of a figure that is not zero."""
    values = tuple(float(value(each)) for each in states)
    last = values[-1]
    told = amount(last, unit) if unit else f"{int(last):,}"
    return Gauge("", name, told, tone if last else "muted", values)
