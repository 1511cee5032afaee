"""One simulated life: workflows of a seed run to their end, in an order of that seed.

What the world answers depends on what it is asked, never on when; what may happen next is read
from the store. So the same life with faults must come to the same end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import cast

from services.executor import queries
from services.executor.core.events import Event, Interrupted
from services.executor.core.identity import derived_id, fraction
from services.executor.core.model import Json
from services.executor.snapshots import Snapshots
from tests.executor.core.flows import judged
from tests.executor.rig import replica_of
from tests.simulation.acts import Act, Acts
from tests.simulation.broken import nothing_broken
from tests.simulation.checker import check, check_end
from tests.simulation.office import DEFINITION, KEEPING, Died, Office
from tests.simulation.operators import ASKED, GOING_ON, asked, asked_besides
from tests.simulation.shell import Shell
from tests.simulation.wider import wider_definitions
from tests.simulation.workers import Workers, streamed
from tests.simulation.workflows import definitions

_MOST_STEPS = 3_000
_CHOSEN_STEPS = 40


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, in parts of one, before or after each step.

    Attributes:
        die, die_writing: The process, between commits and within one.
        repeat: Something that was said comes again, or is said by who has no say in it.
        forget: Memory is short.
        delay: Something happens while letters are on their way; they overtake each other.
        disorder: The clock jumps, or streams of workers break.
    """

    die: float = 0.0
    die_writing: float = 0.0
    repeat: float = 0.0
    forget: float = 0.0
    delay: float = 0.0
    disorder: float = 0.0


CALM = Faults()
STORMY = Faults(die=0.08, die_writing=0.05, repeat=0.1, forget=0.1)


@dataclass
class World:
    """The life of a seed.

    Attributes:
        operators: Whether somebody pauses, ends, retries and restarts executions besides.
        narrow: Whether its workflows hold nothing that goes on beside executions.
        past: What may come twice.
    """

    seed: int
    path: Path
    faults: Faults
    operators: bool = False
    narrow: bool = False
    past: list[tuple[str, Event]] = field(default_factory=list)

    def outcome(self) -> dict[str, Json]:
        """What it all came to.

        Raises:
            AssertionError: Something that must hold did not.
        """
        loop = asyncio.new_event_loop()
        try:
            with nothing_broken():
                self._begin(loop)
                return self._lived()
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        drawing = Random(f"workflows {self.seed}")
        found = (
            definitions(drawing)
            if self.narrow
            else [*wider_definitions(drawing, loose=self.operators), self._webhook]
        )
        replica = replica_of(*found)
        self._luck = Random(f"faults {self.seed}")
        self._shell = Shell(self.path, Snapshots(replica), judged)
        self._workers = Workers(self._shell, self.seed, replica, loop, streamed(self.seed))
        self._office = Office(self._shell, loop)
        self._shell.recovered = self._recovered
        self._acts = Acts(
            self.seed, self._shell, self._workers, self._office,
            lambda execution_id, event: self.past.append((execution_id, event)),
        )  # fmt: skip

    @property
    def _webhook(self) -> Mapping[str, Json]:
        return KEEPING if fraction(self.seed, "keeping") < 0.8 else DEFINITION

    def _recovered(self) -> None:
        self._office.begin()
        self._workers.connect()
        for execution_id, task_id, number in queries.interrupted(self._shell.db):
            self._shell.tell(execution_id, Interrupted(task_id, number))

    def _lived(self) -> dict[str, Json]:
        for number in range(2):
            self._start(number)
        for step in range(_MOST_STEPS):
            self._arrive(step)
            act = self._chosen(step)
            if act is None and not self._at_rest:
                self._settle()
            elif act is None:
                check_end(self._shell)
                result = _came_to(self._shell)
                self._shell.db.close()
                return result
            else:
                self._happens(act)
        raise AssertionError("it never ends")

    def _start(self, number: int) -> None:
        more: dict[str, object] = {}
        if not self.narrow:
            more["task_to_domain"] = self._domains(number)
            if self.operators:
                more["priority"] = self._luck.choice((0, 0, 5))
        execution_id = derived_id("simulated", self.seed, number)
        self._shell.begin("root", execution_id, {"n": number}, **more)

    def _domains(self, number: int) -> dict[str, str]:
        """Of those with a choice the first has workers at any time, or it is left to chance."""
        chance = fraction(self.seed, number, "domains")
        if chance < 0.5:
            return {}
        always = "fast:charge" in streamed(self.seed) or self.operators
        return {"charge": "fast,NO_DOMAIN" if always else "fast"}

    # What happens.

    def _chosen(self, step: int) -> Act | None:
        """What happens next; None: nothing can."""
        acts = self._acts.possible()
        if step >= _CHOSEN_STEPS:
            # Nobody asks for more any more, and what is paused goes on.
            acts = acts or asked(self._shell, self.seed, GOING_ON)
            return acts[0] if acts else None
        if self.operators and (not acts or fraction(self.seed, step, "asked") < 0.15):
            acts = self._asked(step) or acts
        return acts[int(fraction(self.seed, step) * len(acts) * 0.999)] if acts else None

    def _asked(self, step: int) -> list[Act]:
        besides = not self.narrow and fraction(self.seed, step, "besides") < 0.2
        return (besides and asked_besides(self._shell)) or asked(self._shell, self.seed, ASKED)

    def _happens(self, act: Act) -> None:
        luck, shell = self._luck, self._shell
        if luck.random() < self.faults.forget:
            shell.forget()
        if luck.random() < self.faults.repeat:
            self._repeats()
        torn = luck.random() < self.faults.die_writing
        if torn and shell.die_writing(act[1], luck.randrange(1 << 20)):
            self._happens_after_all(act[0])
        elif not torn:
            act[1]()
        if luck.random() < self.faults.die:
            shell.die()

    def _happens_after_all(self, name: str) -> None:
        """It never happened: it is still to be done, and the world says the same."""
        self._settle()
        possible = [*self._acts.possible(), *asked(self._shell, self.seed, ASKED),
                    *asked_besides(self._shell)]  # fmt: skip
        again = [each for each in possible if each[0] == name]
        # With operators, what is heard first may have made it void.
        assert again or self.operators, f"{name} was lost with the commit"
        for each in again[:1]:
            each[1]()

    def _repeats(self) -> None:
        """Something comes again, or from who has no say in it: nothing is stored."""
        self._workers.babble(self._luck)
        if self.past:
            execution_id, event = self._luck.choice(self.past)
            self._unheard(lambda: self._shell.tell(execution_id, event), event)

    def _unheard(self, act: Callable[[], None], what: object) -> None:
        commits = self._shell.commits
        act()
        assert self._shell.commits == commits, f"{what} came twice and changed something"

    # What executions have to say to each other, and to handlers.

    @property
    def _at_rest(self) -> bool:
        self._workers.listen()
        office = self._office
        return not self._shell.post and office.waiting() is None and not office.listening

    def _arrive(self, step: int) -> None:
        """All letters arrive, or where there are delays some of them do."""
        luck, shell = self._luck, self._shell
        if step < _CHOSEN_STEPS and luck.random() < self.faults.disorder:
            luck.choice(self._acts.disorder())[1]()
        if step >= _CHOSEN_STEPS and self._workers.session is None:
            self._workers.connect()
        if step >= _CHOSEN_STEPS or luck.random() >= self.faults.delay:
            self._settle()
            check(shell, self._workers)
            return
        while shell.post and luck.random() < 0.5:
            execution_id, letter = shell.post.any(luck)
            # Who only asks is answered at once.
            more = shell.post.joining(execution_id) if letter.event is not None else ()
            shell.arrives(execution_id, letter, *more)
        if luck.random() < 0.3 and (message := self._office.waiting()):
            self._office.hand_on(message)
        if self._office.listening and luck.random() < 0.3:
            self._office.give()

    def _settle(self) -> None:
        while not self._at_rest:
            if self._luck.random() < self.faults.die:
                self._shell.die()
            elif self._shell.post:
                self._shell.deliver(twice=self._luck.random() < self.faults.repeat)
            elif message := self._office.waiting():
                self._see_to(partial(self._office.hand_on, message))
            elif self._office.listening:
                self._see_to(self._office.give)

    def _all_arrive(self) -> None:
        """As after a crash: what follows from an action is there before the next one."""
        self._workers.listen()
        while self._shell.post:
            self._shell.deliver()
            self._workers.listen()

    def _see_to(self, do: Callable[[Callable[[], None]], None]) -> None:
        def may_die() -> None:
            if self._luck.random() < self.faults.die:
                raise Died

        self._shell.writing = may_die
        try:
            do(self._all_arrive)
        except Died:
            self._shell.writing = lambda: None
            self._shell.die()
        finally:
            self._shell.writing = lambda: None


def _came_to(shell: Shell) -> dict[str, Json]:
    executions: Mapping[str, Json] = {
        row[0]: [row[1], _timeless(row[2]), _timeless(row[3]), row[4]]
        for row in shell.db.execute(
            "SELECT id, status, output, reason, variables FROM executions ORDER BY id"
        )
    }
    tasks: list[Json] = [
        [row[0], row[1], _timeless(row[2]), *row[3:]]
        for row in shell.db.execute(
            "SELECT id, status, reason, poll_count, generation, worker_id FROM tasks "
            "ORDER BY execution_id, sequence"
        )
    ]
    logs = shell.db.execute("SELECT task_id, number, line FROM task_logs ORDER BY 1, 2")
    told = shell.db.execute("SELECT id, event, payload FROM event_messages ORDER BY 1")
    done = shell.db.execute(
        # A task that is gone when it is to be ended once more was ended before, or by others.
        "SELECT message_id, handler, action, name, target, CASE WHEN reason LIKE 'There is no "
        "task %' THEN 'COMPLETED' ELSE outcome || reason END FROM event_runs ORDER BY 1, 2, 3"
    )
    beside = {"logs": logs, "told": told, "done": done}
    return {
        "executions": dict(executions),
        "tasks": tasks,
        **{name: [[*row] for row in found] for name, found in beside.items()},
    }


def _timeless(text: str) -> str:
    """A call that is made again is given its time again: then a time-out comes later."""
    return re.sub(r"(after|elapsed) \d+ seconds", r"\1 some seconds", text)


def life(seed: int, folder: Path, faults: Faults = STORMY, *, narrow: bool = False) -> None:
    """A calm life and one with faults come to the same; one with operators comes to an end.

    What operators ask for while executions speak to each other depends on who is heard first, so
    of such a life only what must always hold is looked at.

    Raises:
        AssertionError: They do not; its text has the seed.
    """
    try:
        calm = World(seed, folder / f"{seed}-calm.db", CALM, narrow=narrow).outcome()
        stormy = World(seed, folder / f"{seed}-stormy.db", faults, narrow=narrow).outcome()
        assert calm == stormy, _difference(calm, stormy)
        if not narrow:
            faults = replace(faults, delay=0.5, disorder=0.1)
        path = folder / f"{seed}-asked.db"
        World(seed, path, faults, operators=True, narrow=narrow).outcome()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def _difference(calm: Mapping[str, Json], stormy: Mapping[str, Json]) -> str:
    """The first that is otherwise, of what there is most of last."""
    for name, before in calm.items():
        after = stormy[name]
        if before != after:
            first, second = _rows(before), _rows(after)
            lost = [each for each in first if each not in second][:3]
            new = [each for each in second if each not in first][:3]
            return f"{name}: {' '.join(lost)} | {' '.join(new)}"
    return "they differ"


def _rows(found: Json) -> list[str]:
    pairs = found.items() if isinstance(found, dict) else enumerate(cast("list[Json]", found))
    return [f"{key} {json.dumps(value)}" for key, value in pairs]
