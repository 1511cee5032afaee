"""An executor without threads, sockets or clocks: the real core, store and recovery, step by step.

What may happen next is asked of the store alone: so a crash, which leaves nothing else, makes no
difference to it. What the process has in memory beside is checked against that.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from services.errors import ConcurrencyLimited, NotFound, ServiceError
from services.executor import finding, kinship, loading, queries, statements, turn_rows
from services.executor.actors import Actor, Letter, Reply, Told
from services.executor.answers import answer, refusal
from services.executor.commits import begun, unit_of
from services.executor.core.commands import Listen, Recall
from services.executor.core.crowds import has_begun
from services.executor.core.decide import start
from services.executor.core.events import (
    Computed,
    Event,
    Performed,
    Recalled,
    Started,
    Terminated,
    TimerFired,
    TimerKey,
)
from services.executor.core.model import Execution, Json, Refused
from services.executor.crowds import Crowds
from services.executor.definitions import Definitions
from services.executor.documents import value_of
from services.executor.kin import Kin
from services.executor.kinds import KINDS
from services.executor.migrations import migrations
from services.executor.queues import Queues
from services.executor.rows import Origin, micros, moment
from services.executor.snapshots import Snapshots
from services.executor.unfolding import Unfolded
from services.executor.units import Unit
from services.executor.writer import transaction
from tests.simulation.post import REPEATABLE, Clock, Post

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


@cache
def _new_store() -> bytes:
    """A database that nothing is in, made once: lives are short, and many."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.db")
        with closing(sqlite3.connect(path)) as db:
            migrations.apply(Database(db))
        return path.read_bytes()


class Shell:
    """One database, and the process that owns it for the moment.

    Args:
        judge: Evaluates scripts; raises ArithmeticError where one throws.

    Attributes:
        calls: What is under way outside: gone with the process.
        post: What is to be delivered: gone with it, too.
        ended_calls: Effects whose end was stored.
        writing: Called before each commit; it may raise.
        recovered: Called when another process has begun to go on.
        listens: Told who has begun to wait for what is sent to a webhook.
    """

    def __init__(self, path: Path, snapshots: Snapshots, judge: Judge) -> None:
        self.path = path
        path.write_bytes(_new_store())
        self.clock = Clock(EPOCH)
        self.snapshots = snapshots
        self.judge = judge
        self._stored: set[str] = set()
        self._actors: dict[str, Actor] = {}
        self.ended_calls: set[tuple[str, int]] = set()
        self.commits = 0
        self.writing: Callable[[], None] = lambda: None
        self.recovered: Callable[[], None] = lambda: None
        self.listens: Callable[[str, Listen], None] = lambda *_: None
        self.db = self._open()
        self._begin_memory()

    def _begin_memory(self) -> None:
        self._actors.clear()
        self._stored.clear()
        self.clock.forget()
        self.calls: dict[str, Call] = {}
        self.post = Post()
        self.kin = Kin(self.post.send)
        clocks = self.clock.elapsed, self.clock.time
        self.queues = Queues(self.clock, self.post.send, *clocks)  # type: ignore[arg-type]
        self.crowds = Crowds(queries.crowds(self.db), self.started)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        # The machine itself does not die here: what is lost is said by cutting the log.
        db.execute("PRAGMA synchronous=OFF")
        finding.prepare(db)
        return db

    @property
    def now(self) -> datetime:
        return self.clock.now

    # What happens.

    def trace(self, execution_id: str) -> None:
        """Executions of a simulation belong to no trace."""

    def begin(self, name: str, execution_id: str, inputs: Mapping[str, Json], **more: Any) -> None:
        """A start is accepted; ``more`` is as of :func:`start`."""
        snapshot = self.snapshots.of(name, 0)
        assert snapshot is not None
        execution = start(execution_id, snapshot.workflow, inputs, self.now, **more)
        actor = Actor(execution_id, snapshot=snapshot, origin=Origin(started_by="tester"))
        self._actors[execution_id] = actor
        self._decided(actor, Letter(Started()), execution)

    def started(self, execution_id: str) -> None:
        """An execution is stored that has not begun."""
        self.post.send(execution_id, Letter(Started()))

    def tell(self, execution_id: str, event: Event | None, reply: Reply | None = None) -> None:
        """An event reaches an execution; None asks how it stands."""
        self._arrives(execution_id, Letter(event, reply))

    def asked(self, execution_id: str, event: Event | None) -> Told:
        """As :meth:`tell`; raises :class:`ServiceError` where it is refused."""
        answers: list[Told | ServiceError] = []
        self.tell(execution_id, event, answers.append)
        (told,) = answers
        if isinstance(told, ServiceError):
            raise told
        return told

    def deliver(self, *, twice: bool = False) -> None:
        """One of the letters that are on their way arrives, the first by its words."""
        execution_id, letter = self.post.following()
        self._arrives(execution_id, letter)
        if twice and isinstance(letter.event, REPEATABLE):
            commits = self.commits
            self._arrives(execution_id, Letter(letter.event))
            assert self.commits == commits, f"{letter.event} came twice and changed something"

    def arrives(self, execution_id: str, letter: Letter, *more: Letter) -> None:
        """A letter arrives; so do those that have come for the same meanwhile."""
        letter.more = [*more]
        self._arrives(execution_id, letter)

    def fire(self, execution_id: str, key: TimerKey, at: int, late: timedelta) -> None:
        """A timer comes due, so much after its time or later."""
        self.clock.now = max(self.now, moment(at) + late)
        self.tell(execution_id, TimerFired(key))

    def end_call(self, call: Call, outcome: object) -> None:
        """What is under way outside ends."""
        if self.calls.get(call.task_id) is call:
            del self.calls[call.task_id]
        self.tell(call.execution_id, Performed(call.task_id, call.number, outcome))

    # One execution, as the engine does it.

    def _arrives(self, execution_id: str, letter: Letter) -> None:
        actor = self._loaded(execution_id)
        if actor is None or actor.execution is None:
            for each in letter.all:
                answer(each, NotFound(f"There is no execution {execution_id!r}."))
            return
        if letter.event is None:
            answer(letter, Told(actor.execution, actor.execution, actor.origin))
            return
        try:
            self._decided(actor, letter, actor.execution)
        except (Refused, ServiceError) as error:
            if letter.more:
                letters, letter.more = letter.all, []
                for each in letters:
                    self._arrives(execution_id, each)
                return
            answer(letter, refusal(error) if isinstance(error, Refused) else error)

    def _decided(self, actor: Actor, letter: Letter, execution: Execution) -> None:
        definitions = Definitions(self.snapshots, actor.snapshot, self.queues.choose, actor.held)
        unfolded = Unfolded(execution, definitions)
        try:
            for each in letter.all:
                event = self._admitted(each.event, execution, new=actor.execution is None)
                unfolded.decide(event, KINDS, self.now)
            self._unfold(unfolded)
            children = begun(actor, unfolded, self.now)
        except Exception:
            self.queues.not_written(unfolded)
            self.crowds.let_go(actor.id)
            raise
        fired = any(isinstance(each.event, TimerFired) for each in letter.all)
        if unfolded.nothing and unfolded.before is actor.execution and not fired:
            self.crowds.let_go(actor.id)
            for each in letter.all:
                answer(each, Told(execution, execution, actor.origin))
            return
        unit = unit_of(actor, letter, unfolded, children, lambda _: None)
        self.write(unit)
        if unit.held:
            # It would start what others have the key of: with that known it is decided again.
            self.queues.not_written(unfolded)
            actor.held = {**(actor.held or {}), **unit.held}
            self._decided(actor, letter, execution)
        else:
            self._committed(actor, letter, unfolded, unit)

    def _admitted(self, event: Event | None, execution: Execution, *, new: bool) -> Event:
        assert event is not None
        if not isinstance(event, Started) or has_begun(execution) or execution.status.final:
            return event
        if execution.workflow.rate_limit is None:
            return event
        try:
            return Started(admitted=self.crowds.let_in(execution))
        except ConcurrencyLimited as full:
            if new:
                raise
            return Terminated(full.detail)

    def _unfold(self, unfolded: Unfolded) -> None:
        while unfolded.computes or unfolded.offers:
            self.queues.hand_out(unfolded, KINDS, self.now)
            if unfolded.computes:
                computed = self._computed(unfolded.computes.popleft())
                unfolded.decide(computed, KINDS, self.now)

    def _computed(self, compute: Any) -> Event:
        if isinstance(compute, Recall):
            text = queries.kept_output(self.db, compute.key, micros(self.now))
            output = None if text is None else value_of(text)
            return Recalled(compute.task_id, compute.label, output)
        json.dumps(compute.scope)
        try:
            value = self.judge(compute.source, compute.scope)
        except ArithmeticError as error:
            return Computed(compute.task_id, compute.label, error=str(error))
        return Computed(compute.task_id, compute.label, value)

    def write(self, unit: Unit) -> None:
        """Commit it alone."""
        self.writing()
        with transaction(self.db):
            statements.write(self.db, [unit], self._stored)
        self.commits += 1
        self.clock.now += _MOMENT

    def _committed(self, actor: Actor, letter: Letter, unfolded: Unfolded, unit: Unit) -> None:
        actor.held = None
        before, after = unfolded.before, unfolded.execution
        actor.execution = after
        if before.workflow.rate_limit is not None:
            self.crowds.committed(before, after)
        for each in letter.all:
            if isinstance(each.event, Performed):
                self.ended_calls.add((each.event.task_id, each.event.number))
        self.queues.committed(unfolded)
        for task in (*unfolded.changed.values(), *unfolded.left):
            if task.status.final:
                self.calls.pop(task.id, None)
        for perform in unfolded.performs:
            if unfolded.changed[perform.task_id].pending == perform.number:
                call = Call(actor.id, perform.task_id, perform.number, perform.request)
                # What was recorded as done is not begun again.
                assert (call.task_id, call.number) not in self.ended_calls, f"begun again: {call}"
                self.calls[perform.task_id] = call
        for listen in unfolded.listens:
            self.listens(actor.id, listen)
        for row in unit.children:
            self.started(row[0])
        self.kin.committed(letter.event, unfolded)
        for each in letter.all:
            if each.reply is not None:
                each.reply(Told(before, after, actor.origin))

    def _loaded(self, execution_id: str) -> Actor | None:
        actor = self._actors.get(execution_id)
        if actor is None or actor.execution is None:
            (loaded,) = loading.load(self.db, [execution_id], self.snapshots)
            if loaded is None:
                return None
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
        self.db.close()
        self.db = self._open()
        self._recover()

    def die_writing(self, act: Callable[[], None], cut: int) -> bool:
        """The process dies within the commit that ``act`` leads to: its last bytes are not there.

        Returns:
            Whether there was a commit; without one nothing is lost.
        """
        before, ended, now = self.commits, set(self.ended_calls), self.now
        log = self.path.with_name(f"{self.path.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        act()
        written = (log.stat().st_size if log.exists() else 0) - size
        if self.commits == before or written <= 0:
            return False
        self.ended_calls, self.clock.now = ended, now
        self._tear(log, size + written - 1 - cut % written)
        self.db = self._open()
        self._recover()
        return True

    def _tear(self, log: Path, size: int) -> None:
        torn = self.path.with_name(f"{self.path.name}.torn")
        torn_log = torn.with_name(f"{torn.name}-wal")
        shutil.copy(self.path, torn)
        shutil.copy(log, torn_log)
        with torn_log.open("r+b") as file:
            file.truncate(size)
        self.db.close()
        log.unlink(missing_ok=True)
        torn.replace(self.path)
        torn_log.replace(log)
        self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)

    def _recover(self) -> None:
        """In the order of :func:`runtime.running`."""
        self._begin_memory()
        self.queues.recover(turn_rows.turns(self.db))
        for execution_id in queries.not_begun(self.db):
            self.started(execution_id)
        self.kin.recover(kinship.unheard(self.db))
        self.queues.go_on()
        self.recovered()
