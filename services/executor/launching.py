"""Executions that the executor itself starts: by a schedule, by an event.

Each is written in one transaction with the note of who has started it, so that after a crash
there are both or neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.errors import NotFound, Unavailable
from services.executor.core.decide import start
from services.executor.core.model import Json
from services.executor.documents import text_of
from services.executor.rows import Origin, Row, execution_row
from services.executor.snapshots import Snapshot, Snapshots
from services.executor.store import Store
from services.executor.timers import now as utc_now
from services.executor.units import Unit
from services.tracing import Trace

Note = tuple[str, Row]
"""A statement, and the row that goes with it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A start.

    Attributes:
        id: Derived from what asks for it: an execution that is there already is left alone.
        version: 0 means the latest.
        started_by: Who does, in words: ``schedule:nightly``.
    """

    id: str
    workflow: str
    version: int
    input: Mapping[str, Json]
    started_by: str
    correlation_id: str = ""
    priority: int = 0
    task_to_domain: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A start as it will be written."""

    row: Row
    snapshot: Snapshot


class Launching:
    """Writes starts and notes.

    Args:
        begun: Called with the id and the workflow of each execution that was written.
        check: Called with the workflow of each that is to be; raises where there is too much to do.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        begun: Callable[[str, str], None],
        check: Callable[[str], None] = lambda workflow: None,
        now: Callable[[], datetime] = utc_now,
        new_trace: Callable[[str], Trace | None] = lambda execution_id: None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._begun = begun
        self._check = check
        self._now = now
        self._new_trace = new_trace
        self._loop = asyncio.get_running_loop()

    def prepared(self, launch: Launch) -> Prepared:
        """What is to be written of ``launch``. Raises :class:`NotFound`: it cannot be run."""
        name, version = launch.workflow, launch.version
        try:
            snapshot = self._snapshots.of(name, version)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise NotFound(f"The workflow {name!r} cannot be run: {error}.") from error
        if snapshot is None:
            what = f"version {version} of the workflow" if version else "workflow"
            raise NotFound(f"There is no {what} {name!r}.", workflow=name)
        execution = start(
            launch.id,
            snapshot.workflow,
            launch.input,
            self._now(),
            correlation_id=launch.correlation_id,
            priority=launch.priority,
            task_to_domain=launch.task_to_domain,
        )
        origin = Origin(started_by=launch.started_by, trace=self._new_trace(launch.id))
        return Prepared(execution_row(execution, snapshot.hash, origin, text_of), snapshot)

    async def write(self, notes: Sequence[Note], *starts: Prepared) -> None:
        """Store ``notes`` and ``starts`` together, and have the latter begin.

        Raises:
            Unavailable, Overloaded: Nothing was written.
        """
        for each in starts:
            self._check(each.snapshot.workflow.name)
        written: asyncio.Future[None] = self._loop.create_future()

        def done(unit: Unit) -> None:
            if unit.error is None:
                # Whether anybody still waits for it or not.
                for each in starts:
                    self._begun(each.row[0], each.snapshot.workflow.name)
            if written.cancelled():
                return
            if unit.error is None:
                written.set_result(None)
            else:
                written.set_exception(Unavailable(f"It was not written: {unit.error}."))

        unit = Unit(done, also=list(notes))
        for each in starts:
            unit.children.append(each.row)
            unit.snapshots.append((each.snapshot.hash, each.snapshot.text))
        self._store.writer.submit(unit)
        await written
