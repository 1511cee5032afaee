"""One simulated life: workflows of a seed run to their end, in an order of that seed.

What the world answers depends on what it is asked, never on when; what may happen next is read
from the store. So the same life with faults must come to the same end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from services.executor import queries
from services.executor.core.events import (
    Event,
    Interrupted,
    Paused,
    Performed,
    Rerun,
    Restarted,
    Resumed,
    Retried,
    Skipped,
    TaskUpdated,
    Terminated,
    TimerKey,
)
from services.executor.core.http import HttpOutcome
from services.executor.core.identity import derived_id, fraction
from services.executor.core.model import Json, TaskStatus
from services.executor.snapshots import Snapshots
from tests.executor.core.flows import judged
from tests.executor.core.simulator import answer, failure
from tests.executor.rig import replica_of
from tests.simulation.checker import check, check_end
from tests.simulation.shell import Call, Shell
from tests.simulation.workflows import definitions

_MOST_STEPS = 3_000
_CHOSEN_STEPS = 40
OUTCOMES: tuple[HttpOutcome, ...] = (
    answer({"n": 1, "done": True}),
    answer({"n": 1, "done": True}),
    answer({"n": 0, "done": False}, 202),
    answer({"error": "busy"}, 503, retry_after="20"),
    answer({"error": "no"}, 404),
    failure("Refused.", unknown=False),
    failure("Timed out."),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, in parts of one, before or after each step."""

    die: float = 0.0
    die_writing: float = 0.0
    repeat: float = 0.0
    forget: float = 0.0


CALM = Faults()
STORMY = Faults(die=0.08, die_writing=0.05, repeat=0.1, forget=0.1)

_ENDED_BADLY: tuple[Event, ...] = (
    Retried(),
    Retried(resume=True),
    Retried(resume=True),
    Restarted(),
    Terminated("for good"),
)
_ASKED: Mapping[str, tuple[Event, ...]] = {
    "RUNNING": (Paused(), Paused(), Terminated("enough")),
    "PAUSED": (Resumed(), Resumed(), Terminated("enough")),
    "FAILED": _ENDED_BADLY,
    "TIMED_OUT": _ENDED_BADLY,
    "TERMINATED": _ENDED_BADLY,
}
_GOING_ON: Mapping[str, tuple[Event, ...]] = {"PAUSED": (Resumed(),)}

Act = tuple[str, Callable[[], None]]
"""Something that may happen: what it is called, and how it is done."""


@dataclass
class World:
    """The life of a seed.

    Attributes:
        operators: Whether somebody pauses, ends, retries and restarts executions besides.
        past: What may come twice.
    """

    seed: int
    path: Path
    faults: Faults
    operators: bool = False
    past: list[tuple[str, Event]] = field(default_factory=list)

    def outcome(self) -> dict[str, Json]:
        """What it all came to.

        Raises:
            AssertionError: Something that must hold did not.
        """
        drawing = Random(f"workflows {self.seed}")
        snapshots = Snapshots(replica_of(*definitions(drawing)))
        shell = Shell(self.path, snapshots, judged)
        luck = Random(f"faults {self.seed}")
        for number in range(2):
            execution_id = derived_id("simulated", self.seed, number)
            shell.begin("root", execution_id, {"n": number})
        for step in range(_MOST_STEPS):
            self._settle(shell, luck)
            check(shell)
            act = self._chosen(shell, step)
            if act is None:
                check_end(shell)
                result = _came_to(shell)
                shell.db.close()
                return result
            self._happens(shell, luck, act)
        raise AssertionError("it never ends")

    def _chosen(self, shell: Shell, step: int) -> Act | None:
        """What happens next; None: nothing can."""
        acts = self._acts(shell)
        if step >= _CHOSEN_STEPS:
            # Nobody asks for more any more, and what is paused goes on.
            acts = acts or self._asked(shell, _GOING_ON)
            return acts[0] if acts else None
        if self.operators and (not acts or fraction(self.seed, step, "asked") < 0.15):
            acts = self._asked(shell, _ASKED) or acts
        return acts[int(fraction(self.seed, step) * len(acts) * 0.999)] if acts else None

    def _asked(self, shell: Shell, words: Mapping[str, tuple[Event, ...]]) -> list[Act]:
        """What an operator may ask for."""
        stand = shell.db.execute("SELECT id, status FROM executions ORDER BY id").fetchall()
        found = [
            (f"asked {execution_id} {number}", self._asking(shell, execution_id, event))
            for execution_id, status in stand
            for number, event in enumerate(words.get(status, ()))
        ]
        if words is _ASKED:
            found += [
                (f"asked {execution_id} {event}", self._asking(shell, execution_id, event))
                for execution_id, status in stand
                for event in self._of_tasks(shell, execution_id, status)
            ]
        return found

    def _of_tasks(self, shell: Shell, execution_id: str, status: str) -> list[Event]:
        """A rerun from any of its tasks; while it runs, one of them is to be skipped."""
        refs = [
            ref
            for (ref,) in shell.db.execute(
                "SELECT DISTINCT ref FROM tasks WHERE execution_id = ? ORDER BY ref",
                (execution_id,),
            )
        ]
        if not refs or status == "PAUSED":
            return []
        ref = refs[int(fraction(self.seed, execution_id, len(refs)) * len(refs) * 0.999)]
        if status == "RUNNING":
            # In a loop the next round's; any other one is there already.
            base, _, number = ref.rpartition("__")
            return [Skipped(f"{base}__{int(number) + 1}")] if base and number.isdigit() else []
        return [Rerun(ref)]

    def _asking(self, shell: Shell, execution_id: str, event: Event) -> Callable[[], None]:
        def ask() -> None:
            shell.tell(execution_id, event)

        return ask

    def _happens(self, shell: Shell, luck: Random, act: Act) -> None:
        if luck.random() < self.faults.forget:
            shell.forget()
        if luck.random() < self.faults.repeat and self.past:
            self._repeats(shell, luck)
        torn = luck.random() < self.faults.die_writing
        if torn and shell.die_writing(act[1], luck.randrange(1 << 20)):
            # It never happened: it is still to be done, and the world says the same.
            self._interrupt(shell)
            self._settle(shell, luck)
            possible = [*self._acts(shell), *self._asked(shell, _ASKED)]
            again = [each for each in possible if each[0] == act[0]]
            # With operators, what is heard first may have made it void.
            assert again or self.operators, f"{act[0]} was lost with the commit"
            for each in again[:1]:
                each[1]()
        elif not torn:
            act[1]()
        if luck.random() < self.faults.die:
            shell.die()
            self._interrupt(shell)

    def _repeats(self, shell: Shell, luck: Random) -> None:
        """Something comes again: nothing is stored."""
        execution_id, event = luck.choice(self.past)
        commits = shell.commits
        shell.tell(execution_id, event)
        assert shell.commits == commits, f"{event} came twice and changed something"

    def _interrupt(self, shell: Shell) -> None:
        for execution_id, task_id, number in queries.interrupted(shell.db):
            shell.tell(execution_id, Interrupted(task_id, number))

    def _settle(self, shell: Shell, luck: Random) -> None:
        """What executions have to say to each other arrives."""
        while shell.letters:
            if luck.random() < self.faults.die:
                shell.die()
                self._interrupt(shell)
                continue
            shell.deliver()

    def _acts(self, shell: Shell) -> list[Act]:
        """What may happen now, in an order that no fault changes."""
        return sorted(self._possible(shell), key=lambda act: act[0])

    def _possible(self, shell: Shell) -> Iterator[Act]:
        for _, task_id, number, kind, polls in _under_way(shell):
            call = shell.calls.get(task_id)
            assert call is not None, f"{kind} {task_id} waits for a call that was not begun"
            assert call.number == number
            yield f"call {task_id} {polls}", self._ending(shell, call, polls)
        for execution_id, task_id in _awaiting_a_word(shell):
            yield f"word {task_id}", self._word(shell, execution_id, task_id)
        for execution_id, task_id, name, at in queries.timers(shell.db, 1 << 62, 10_000):
            key = TimerKey(task_id, name)
            named = f"timer {execution_id} {task_id} {name.partition(' ')[0]}"
            yield named, self._firing(shell, execution_id, key, at)

    def _ending(self, shell: Shell, call: Call, polls: int) -> Callable[[], None]:
        chance = fraction(self.seed, call.task_id, polls)
        outcome = OUTCOMES[int(chance * len(OUTCOMES) * 0.999)]

        def end() -> None:
            shell.end_call(call, outcome)
            self._note(call.execution_id, Performed(call.task_id, call.number, outcome))

        return end

    def _word(self, shell: Shell, execution_id: str, task_id: str) -> Callable[[], None]:
        status = "COMPLETED" if fraction(self.seed, task_id, "word") < 0.7 else "FAILED"
        event = TaskUpdated(TaskStatus(status), {"word": 1}, task_id=task_id, exact=True)

        def say() -> None:
            shell.tell(execution_id, event)

        return say

    def _firing(
        self, shell: Shell, execution_id: str, key: TimerKey, at: int
    ) -> Callable[[], None]:
        return lambda: shell.fire(execution_id, key, at)

    def _note(self, execution_id: str, event: Event) -> None:
        self.past.append((execution_id, event))


def _under_way(shell: Shell) -> list[Any]:
    return shell.db.execute(
        "SELECT execution_id, id, pending, kind, poll_count FROM tasks WHERE pending > 0"
    ).fetchall()


def _awaiting_a_word(shell: Shell) -> list[Any]:
    """Open tasks that only somebody outside can end."""
    return shell.db.execute(
        "SELECT execution_id, tasks.id FROM tasks JOIN executions ON executions.id = execution_id "
        "WHERE tasks.status = 'IN_PROGRESS' AND executions.status = 'RUNNING' AND pending = 0 AND "
        "(kind = 'HUMAN' OR (kind = 'HTTP' AND json_extract(tasks.input, "
        "'$.http_request.body') = '${task.callbackUrl}'))"
    ).fetchall()


def _came_to(shell: Shell) -> dict[str, Json]:
    executions: Mapping[str, Json] = {
        row[0]: [row[1], _timeless(row[2]), _timeless(row[3]), row[4]]
        for row in shell.db.execute(
            "SELECT id, status, output, reason, variables FROM executions ORDER BY id"
        )
    }
    tasks: list[Json] = [
        [row[0], row[1], _timeless(row[2]), row[3], row[4]]
        for row in shell.db.execute(
            "SELECT id, status, reason, poll_count, generation FROM tasks "
            "ORDER BY execution_id, sequence"
        )
    ]
    return {"executions": dict(executions), "tasks": tasks}


def _timeless(text: str) -> str:
    """A call that is made again is given its time again: then a time-out comes later."""
    return re.sub(r"(after|elapsed) \d+ seconds", r"\1 some seconds", text)


def life(seed: int, folder: Path, faults: Faults = STORMY) -> None:
    """A calm life and one with faults come to the same; one with operators comes to an end.

    What operators ask for while executions speak to each other depends on who is heard first, so
    of such a life only what must always hold is looked at.

    Raises:
        AssertionError: They do not; its text has the seed.
    """
    try:
        calm = World(seed, folder / f"{seed}-calm.db", CALM).outcome()
        stormy = World(seed, folder / f"{seed}-stormy.db", faults).outcome()
        assert calm == stormy, _difference(calm, stormy)
        World(seed, folder / f"{seed}-asked.db", faults, operators=True).outcome()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def _difference(calm: dict[str, Json], stormy: dict[str, Json]) -> str:
    for name in calm:
        if calm[name] != stormy[name]:
            return f"{name}: {json.dumps(calm[name])[:2000]} | {json.dumps(stormy[name])[:2000]}"
    return "they differ"
