"""What the engine does, and how it stands: as lines and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from tui.views.amounts import amount
from tui.views.timeline import execution_status
from tui.views.visible import in_one_line


def lines(state: pb.EngineState, now: pb.EngineFigures) -> Iterator[str]:
    """How it stands, and what it did in the span ``now``."""
    seconds = max(1, now.seconds)
    counts = ", ".join(f"{many:,} {name.lower()}" for name, many in _counts(state).items() if many)
    yield f"executions  {counts or 'none'}"
    ended = _rates({name: many for name, many in _ended(now).items() if many}, seconds)
    yield f"in {seconds:>2} s     started {now.started / seconds:,.1f}/s, ended {ended or '0.0/s'}"
    tasks = _rates({each.kind: each.count for each in now.tasks}, seconds)
    yield f"tasks       {tasks or 'none ended'}"
    yield (
        f"commits     {now.commits / seconds:,.1f}/s, p50 {_ms(now.commit_p50_ms)}, "
        f"p95 {_ms(now.commit_p95_ms)}, p99 {_ms(now.commit_p99_ms)}, "
        f"longest {_ms(now.commit_max_ms)}"
    )
    yield (
        f"decisions   {now.decisions / seconds:,.1f}/s, {now.units / max(1, now.commits):.1f} units"
        f" a commit, {state.units_waiting:,} to be written"
    )
    yield f"event loop  late by {_ms(now.lag_p95_ms)} (p95), {_ms(now.lag_max_ms)} (longest)"
    yield f"calls       {state.calls_under_way:,} under way, {state.calls_waiting:,} waiting"
    for host in state.hosts:
        name = in_one_line(host.host)
        yield f"  {name}  {host.under_way:,} under way, {host.waiting:,} waiting"
    yield (
        f"scripts     {state.scripts_running:,} running, {state.scripts_waiting:,} waiting, "
        f"{state.script_workers:,} workers, {state.script_workers_replaced:,} replaced"
    )
    yield f"timers      {state.timers:,}"
    yield f"database    {amount(state.database_bytes, 'B')}, log {amount(state.log_bytes, 'B')}"


def history_line(span: pb.EngineFigures) -> str:
    """A span of a history: when, rates, and how long commits took."""
    seconds = max(1, span.seconds)
    return (
        f"{_moment(span.start)}  {span.seconds:>3} s  started {span.started / seconds:,.1f}/s  "
        f"ended {sum(_ended(span).values()) / seconds:,.1f}/s  "
        f"commits {span.commits / seconds:,.1f}/s  p99 {_ms(span.commit_p99_ms)}"
    )


def data(state: pb.EngineState, now: pb.EngineFigures) -> dict[str, Any]:
    """As JSON; ``last`` is the span that has just passed."""
    return {
        "at": _moment(state.at),
        "executions": _counts(state),
        "active": state.active,
        "unitsWaiting": state.units_waiting,
        "callsUnderWay": state.calls_under_way,
        "callsWaiting": state.calls_waiting,
        "hosts": [
            {"host": host.host, "underWay": host.under_way, "waiting": host.waiting}
            for host in state.hosts
        ],
        "timers": state.timers,
        "scriptWorkers": state.script_workers,
        "scriptsRunning": state.scripts_running,
        "scriptsWaiting": state.scripts_waiting,
        "scriptWorkersReplaced": state.script_workers_replaced,
        "databaseBytes": state.database_bytes,
        "logBytes": state.log_bytes,
        "last": span_data(now),
    }


def span_data(span: pb.EngineFigures) -> dict[str, Any]:
    """A span as JSON: counts, and milliseconds."""
    return {
        "start": _moment(span.start),
        "seconds": span.seconds,
        "started": span.started,
        "ended": _ended(span),
        "tasks": {each.kind: each.count for each in span.tasks},
        "decisions": span.decisions,
        "commits": span.commits,
        "units": span.units,
        "commitMs": {
            "p50": span.commit_p50_ms,
            "p95": span.commit_p95_ms,
            "p99": span.commit_p99_ms,
            "max": span.commit_max_ms,
        },
        "lagMs": {"p95": span.lag_p95_ms, "max": span.lag_max_ms},
    }


def _counts(state: pb.EngineState) -> dict[str, int]:
    return {execution_status(each.status): each.count for each in state.counts}


def _ended(span: pb.EngineFigures) -> dict[str, int]:
    return {execution_status(each.status): each.count for each in span.ended}


def _rates(counts: Mapping[str, int], seconds: int) -> str:
    return ", ".join(
        f"{in_one_line(name)} {many / seconds:,.1f}/s" for name, many in counts.items()
    )


def _ms(value: float) -> str:
    return amount(value, "ms")


def _moment(at: Timestamp) -> str:
    """RFC 3339, UTC."""
    return at.ToDatetime(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
