"""An executor without threads, sockets or clocks: the real core, store and recovery, step by step.

What may happen next is asked of the store alone: so a crash, which leaves nothing else, makes no
difference to it. What the process has in memory beside is checked against that.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from services.executor import finding, kinship, loading, queries, statements
from services.executor.actors import Actor, Letter, Told
from services.executor.answers import refusal
from services.executor.commits import begun, unit_of
from services.executor.core.decide import start
from services.executor.core.events import (
    ChildEnded,
    ChildReopened,
    Computed,
    Event,
    Performed,
    Retried,
    Started,
    Terminated,
    TimerFired,
    TimerKey,
)
from services.executor.core.model import Execution, Json, Refused
from services.executor.definitions import Definitions
from services.executor.kin import Kin
from services.executor.kinds import KINDS
from services.executor.migrations import migrations
from services.executor.rows import Origin, moment
from services.executor.snapshots import Snapshots
from services.executor.unfolding import Unfolded
from services.executor.units import Unit
from services.executor.writer import transaction

EPOCH = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)

# From one commit to the next.
_MOMENT = timedelta(milliseconds=1)

Judge = Callable[[str, Mapping[str, Json]], Json]


@dataclass(frozen=True, slots=True)
class Call:
    """An effect that was begun after its commit."""

    execution_id: str
    task_id: str
    number: int
    request: object


class Shell:
    """One database, and the process that owns it for the moment.

    Args:
        judge: Evaluates scripts; raises ArithmeticError where one throws.
    """

    def __init__(self, path: Path, snapshots: Snapshots, judge: Judge) -> None:
        self.path = path
        self.now = EPOCH
        self._snapshots = snapshots
        self._judge = judge
        self._stored: set[str] = set()
        self._actors: dict[str, Actor] = {}
        # What is under way outside, and what is to be delivered: gone with the process.
        self.calls: dict[str, Call] = {}
        self.letters: deque[tuple[str, Letter]] = deque()
        # Effects whose end was stored.
        self.ended_calls: set[tuple[str, int]] = set()
        self.commits = 0
        self.kin = Kin(lambda to, letter: self.letters.append((to, letter)))
        self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        # The machine itself does not die here: what is lost is said by cutting the log.
        db.execute("PRAGMA synchronous=OFF")
        migrations.apply(Database(db))
        finding.prepare(db)
        return db

    # What happens.

    def begin(self, name: str, execution_id: str, inputs: Mapping[str, Json]) -> None:
        """A start is accepted."""
        snapshot = self._snapshots.of(name, 0)
        assert snapshot is not None
        execution = start(execution_id, snapshot.workflow, inputs, self.now)
        actor = Actor(execution_id, snapshot=snapshot, origin=Origin(started_by="tester"))
        self._actors[execution_id] = actor
        self._decided(actor, Letter(Started()), execution)

    def tell(self, execution_id: str, event: Event) -> bool:
        """An event reaches an execution; whether it was taken."""
        return self._deliver(execution_id, Letter(event))

    def deliver(self) -> None:
        """One of the letters that are on their way arrives: whichever it is, after a crash too.

        Of those for one execution it is the first that was sent.
        """
        first: dict[str, tuple[str, Letter]] = {}
        for letter in self.letters:
            first.setdefault(letter[0], letter)
        following = min(first.values(), key=_order)
        self.letters.remove(following)
        self._deliver(*following)

    def fire(self, execution_id: str, key: TimerKey, at: int) -> None:
        """A timer comes due, at its time or later."""
        self.now = max(self.now, moment(at))
        self.tell(execution_id, TimerFired(key))

    def end_call(self, call: Call, outcome: object) -> None:
        """What is under way outside ends."""
        if self.calls.get(call.task_id) is call:
            del self.calls[call.task_id]
        self.tell(call.execution_id, Performed(call.task_id, call.number, outcome))

    def _deliver(self, execution_id: str, letter: Letter) -> bool:
        actor = self._loaded(execution_id)
        assert actor.execution is not None
        if letter.event is None:
            if letter.heard is not None:
                letter.heard(Told(actor.execution, actor.execution, actor.origin))
            return True
        try:
            self._decided(actor, letter, actor.execution)
        except Refused as error:
            if letter.heard is not None:
                letter.heard(refusal(error))
            return False
        return True

    def _decided(self, actor: Actor, letter: Letter, execution: Execution) -> None:
        event = letter.event
        assert event is not None
        unfolded = Unfolded(execution, Definitions(self._snapshots, actor.snapshot))
        unfolded.decide(event, KINDS, self.now)
        while unfolded.computes:
            compute = unfolded.computes.popleft()
            unfolded.decide(self._computed(compute), KINDS, self.now)
        new = unfolded.before is not actor.execution
        if unfolded.nothing and not new and not isinstance(event, TimerFired):
            return
        unit = unit_of(actor, letter, unfolded, begun(actor, unfolded, self.now), lambda _: None)
        with transaction(self.db):
            statements.write(self.db, [unit], self._stored)
        self.commits += 1
        self.now += _MOMENT
        self._committed(actor, event, unfolded, unit)

    def _computed(self, compute: Any) -> Computed:
        json.dumps(compute.scope)
        try:
            value = self._judge(compute.source, compute.scope)
        except ArithmeticError as error:
            return Computed(compute.task_id, compute.label, error=str(error))
        return Computed(compute.task_id, compute.label, value)

    def _committed(self, actor: Actor, event: Event, unfolded: Unfolded, unit: Unit) -> None:
        actor.execution = unfolded.execution
        if isinstance(event, Performed):
            self.ended_calls.add((event.task_id, event.number))
        for task in unfolded.changed.values():
            if task.status.final:
                self.calls.pop(task.id, None)
        for perform in unfolded.performs:
            if unfolded.changed[perform.task_id].pending == perform.number:
                call = Call(actor.id, perform.task_id, perform.number, perform.request)
                # What was recorded as done is not begun again.
                assert (call.task_id, call.number) not in self.ended_calls, f"begun again: {call}"
                self.calls[perform.task_id] = call
        self.letters.extend((row[0], Letter(Started())) for row in unit.children)
        self.kin.committed(event, unfolded)

    def _loaded(self, execution_id: str) -> Actor:
        actor = self._actors.get(execution_id)
        if actor is None or actor.execution is None:
            (loaded,) = loading.load(self.db, [execution_id], self._snapshots)
            assert isinstance(loaded, loading.Loaded), loaded
            actor = Actor(execution_id, loaded.execution, loaded.origin, loaded.snapshot)
            self._actors[execution_id] = actor
        return actor

    # What goes wrong.

    def forget(self) -> None:
        """Memory is short: executions are read again when they are needed."""
        self._actors.clear()

    def die(self) -> None:
        """The process dies; another one reads what was committed, and goes on."""
        self._lose_memory()
        self.db.close()
        self.db = self._open()
        self._recover()

    def die_writing(self, act: Callable[[], None], cut: int) -> bool:
        """The process dies within the commit that ``act`` leads to: its last bytes are not there.

        Returns:
            Whether there was a commit; without one nothing is lost.
        """
        before, ended = self.commits, set(self.ended_calls)
        log = self.path.with_name(f"{self.path.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        act()
        written = (log.stat().st_size if log.exists() else 0) - size
        if self.commits == before or written <= 0:
            return False
        self._lose_memory()
        self.ended_calls = ended
        torn = self.path.with_name(f"{self.path.name}.torn")
        shutil.copy(self.path, torn)
        shutil.copy(log, torn.with_name(f"{torn.name}-wal"))
        with torn.with_name(f"{torn.name}-wal").open("r+b") as file:
            file.truncate(size + written - 1 - cut % written)
        self.db.close()
        log.unlink(missing_ok=True)
        torn.replace(self.path)
        torn.with_name(f"{torn.name}-wal").replace(log)
        self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
        self.db = self._open()
        self._recover()
        return True

    def _recover(self) -> None:
        """In the order of :func:`runtime.running`."""
        self.letters.extend((each, Letter(Started())) for each in queries.not_begun(self.db))
        self.kin.recover(kinship.unheard(self.db))

    def _lose_memory(self) -> None:
        self._actors.clear()
        self._stored.clear()
        self.calls.clear()
        self.letters.clear()
        self.kin = Kin(lambda to, letter: self.letters.append((to, letter)))


def _order(letter: tuple[str, Letter]) -> tuple[int, str, str]:
    """By what it says and to whom, not by when it was sent."""
    execution_id, event = letter[0], letter[1].event
    return _RANKS[type(event)], execution_id, getattr(event, "task_id", "")


_RANKS: Mapping[type, int] = {
    kind: rank
    for rank, kind in enumerate(
        (type(None), Started, ChildEnded, Terminated, ChildReopened, Retried)
    )
}
