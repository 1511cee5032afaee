"""Which workflows fail, of the executions started within the last hour: counted as it happens."""

from __future__ import annotations

from collections.abc import Collection as Many
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

from tui.live.collection import Collection
from tui.views.pulse import HOUR_SECONDS, Failing

BAD = frozenset(("FAILED", "TIMED_OUT"))


class Run(Protocol):
    """What is to be known of an execution; times are epoch seconds."""

    @property
    def workflow(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> float: ...
    @property
    def updated_at(self) -> float: ...
    @property
    def why(self) -> str: ...


class _Counted(NamedTuple):
    workflow: str
    timed_out: bool
    created_at: float


class Failures:
    """Counts by workflow; a change costs the same however many there are."""

    def __init__(self, executions: Collection[Any]) -> None:
        self._executions = executions
        self._counted: dict[str, _Counted] = {}
        self._oldest: list[tuple[float, str]] = []
        self._rows: dict[str, Failing] = {}
        self._heard(executions.records.keys())
        executions.listen(self._heard)

    def close(self) -> None:
        """Hear of no more changes."""
        self._executions.forget(self._heard)

    def rows(self, now: float) -> list[Failing]:
        """Those that fail most first; ``now`` is in epoch seconds."""
        while self._oldest and self._oldest[0][0] < now - HOUR_SECONDS:
            created_at, id_ = heappop(self._oldest)
            counted = self._counted.get(id_)
            if counted is not None and counted.created_at == created_at:
                self._forget(id_)
        return sorted(self._rows.values(), key=lambda row: (-row.all, row.id))

    def _heard(self, ids: Many[str]) -> None:
        for id_ in ids:
            run: Run | None = self._executions.get(id_)
            now = _counted(run) if run is not None and run.status in BAD else None
            if now == self._counted.get(id_):
                continue
            self._forget(id_)
            if run is not None and now is not None:
                self._count(id_, run, now)

    def _count(self, id_: str, run: Run, counted: _Counted) -> None:
        timed_out = counted.timed_out
        self._counted[id_] = counted
        heappush(self._oldest, (run.created_at, id_))
        row = self._rows.get(run.workflow, Failing(run.workflow, 0, 0, 0.0, ""))
        row = row._replace(failed=row.failed + (not timed_out), timed_out=row.timed_out + timed_out)
        if run.updated_at >= row.at:
            row = row._replace(at=run.updated_at, reason=run.why)
        self._rows[run.workflow] = row

    def _forget(self, id_: str) -> None:
        counted = self._counted.pop(id_, None)
        if counted is None:
            return
        row = self._rows[counted.workflow]
        row = row._replace(
            failed=row.failed - (not counted.timed_out), timed_out=row.timed_out - counted.timed_out
        )
        if row.all:
            self._rows[counted.workflow] = row
        else:
            del self._rows[counted.workflow]


def _counted(run: Run) -> _Counted:
    return _Counted(run.workflow, run.status == "TIMED_OUT", run.created_at)
