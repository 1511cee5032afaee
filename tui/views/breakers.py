"""Circuit breakers, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import breakers_pb2 as pb
from tui.views.durations import age, iso
from tui.views.statuses import Look
from tui.views.tables import table
from tui.views.visible import in_one_line

LOOKS: Mapping[str, Look] = {
    "CLOSED": Look("●", "CLOSED", "success", "*"),
    "OPEN": Look("✗", "OPEN", "error", "x"),
    "HALF_OPEN": Look("◐", "HALF OPEN", "warning", "~"),
}
_HEAD = ("HOST", "STATE", "FAILED", "CALLS", "SINCE", "TRIALS IN", "SET BY")


class Breaker(NamedTuple):
    """A host's. Times are epoch seconds.

    Attributes:
        id: The host and its port.
        automatic: Nobody has set it.
        trials: When calls go out on trial; None: it is not open, or stays open.
    """

    id: str
    state: str
    automatic: bool
    since: float
    trials: float | None
    calls: int
    failed: int
    set_by: str
    document: Mapping[str, Any]


def breakers(told: pb.ListBreakersResponse) -> list[Breaker]:
    """A row for each, as they were told."""
    return [row(each) for each in told.breakers]


def none_of(host: str) -> str:
    """That there is no breaker of a host, or none at all where ``host`` is empty."""
    if host:
        return (
            f"There is none of '{in_one_line(host)}': no task has called it of late, and it was "
            "not set. A host is written HOST:PORT."
        )
    return "There are none: no task has called a host of late, and none was set."


def row(each: pb.Breaker) -> Breaker:
    """A breaker as a row."""
    return Breaker(
        id=each.host,
        state=pb.BreakerState.Name(each.state).removeprefix("BREAKER_STATE_"),
        automatic=each.mode == pb.BREAKER_MODE_AUTOMATIC,
        since=_at(each.since),
        trials=_at(each.trials_at) if each.HasField("trials_at") else None,
        calls=each.calls,
        failed=each.failed,
        set_by=each.set_by,
        document=document(each),
    )


def document(each: pb.Breaker) -> dict[str, Any]:
    """A breaker as data."""
    told: dict[str, Any] = {
        "host": each.host,
        "state": pb.BreakerState.Name(each.state).removeprefix("BREAKER_STATE_"),
        "mode": pb.BreakerMode.Name(each.mode).removeprefix("BREAKER_MODE_"),
        "since": iso(each.since.ToDatetime(UTC)),
        "trialsAt": iso(each.trials_at.ToDatetime(UTC)) if each.HasField("trials_at") else None,
        "calls": each.calls,
        "failed": each.failed,
        "setBy": each.set_by or None,
        "setAt": iso(each.set_at.ToDatetime(UTC)) if each.HasField("set_at") else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def lines(rows: Iterable[Breaker], now: float) -> Iterator[str]:
    """A head, and a line for each."""
    yield from table([_HEAD, *(_cells(row, now) for row in rows)])


def _cells(row: Breaker, now: float) -> Sequence[str]:
    trials = age(max(0.0, row.trials - now)) if row.trials is not None else "-"
    return (
        in_one_line(row.id),
        LOOKS[row.state].word,
        f"{row.failed:,}",
        f"{row.calls:,}",
        age(max(0.0, now - row.since)),
        trials,
        in_one_line(row.set_by) or "-",
    )


def _at(stamp: Timestamp) -> float:
    return stamp.ToNanoseconds() / 1e9
