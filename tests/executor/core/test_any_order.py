"""Random workflows: whatever may happen in any order, doubled, with crashes after any commit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from hypothesis import HealthCheck, given, settings, strategies as st

from services.executor.core.copies import changed
from services.executor.core.counts import is_ahead, is_settled
from services.executor.core.events import (
    CallbacksReset,
    Event,
    Interrupted,
    LetGo,
    Paused,
    Performed,
    Rerun,
    Restarted,
    Resumed,
    Retried,
    Skipped,
    Taken,
    TaskUpdated,
    Terminated,
    TimerFired,
    TimerKey,
    VariablesSet,
)
from services.executor.core.http import HttpOutcome
from services.executor.core.identity import fraction
from services.executor.core.model import ExecutionStatus, Json, Refused, Task, TaskStatus
from services.executor.core.spawning import step_of
from services.executor.core.workflow import Workflow
from tests.executor.core.flows import flows, judged
from tests.executor.core.simulator import Simulator, answer, failure, workflow
from tests.executor.kinds.test_fork_join import forked

NEVER = datetime.max.replace(tzinfo=UTC)
# What the world says depends on what it is asked, never on when: so an outcome can be compared.
OUTCOMES: tuple[HttpOutcome, ...] = (
    answer({"n": 1, "done": True}),
    answer({"n": 2, "done": False}, 202),
    answer({"n": 0, "done": True}, 200, retry_after="3"),
    answer({"error": "busy"}, 503, retry_after="120"),
    answer({"error": "no"}, 404),
    failure("Refused.", unknown=False),
    failure("Timed out."),
)


@dataclass
class World:
    """Runs an execution to its end: what happens next is chosen among all that can.

    Attributes:
        seed: Chooses it, and what the world answers.
        choices: How many events are chosen; then the first that can happen does, without an
            operator, until there is none.
        disturbances: Numbers that choose what happens besides and must make no difference.
    """

    flow: Workflow
    seed: int
    choices: int
    disturbances: list[int] = field(default_factory=list)
    past: list[Event] = field(default_factory=list)

    def outcome(self) -> dict[str, Json]:
        run = Simulator(self.flow, {"order": 1}, judge=judged)
        run.definitions = dict(cast("dict[str, Json]", self.flow.snapshot["tasks"]))
        run.begin()
        for number in range(2_000):
            _check(run)
            self._disturb(run)
            event = self._next(run, number)
            if event is None:
                return _outcome(run)
            _happens(run, event)
            self.past.append(event)
        raise AssertionError("it never ends")

    def _next(self, run: Simulator, number: int) -> Event | None:
        events = _events(run, self.seed)
        assert events or run.status is not ExecutionStatus.RUNNING, "nothing is pending"
        if number >= self.choices:
            events += [Resumed()] if run.status is ExecutionStatus.PAUSED else []
            return events[0] if events else None
        if not events or fraction(self.seed, number, "asked") < 0.2:
            events = _asked(run, fraction(self.seed, number, "of"))
        return events[int(fraction(self.seed, number) * len(events) * 0.999)] if events else None

    def _disturb(self, run: Simulator) -> None:
        match self.disturbances.pop() if self.disturbances else 0:
            case 1 if not any(_has_word(row) for row in run.rows.values() if row.pending):
                # With a word the call would not be made again: its answer makes a difference.
                for event in run.crash():
                    _again(run, event)
                _check(run)
            case 2 if self.past:
                _again(run, self.past[-1])
            case 3 if self.past:
                _again(run, self.past[len(self.past) // 2])
            case 4:
                before = changed(run.execution, workflow=self.flow)
                run.reread()
                assert changed(run.execution, workflow=self.flow) == before


def _events(run: Simulator, seed: int) -> list[Event]:
    """What the world may do now, in an order that a crash does not change."""
    rows = sorted(run.execution.tasks.values(), key=lambda row: row.sequence)
    events: list[Event] = []
    for row in rows:
        if row.pending:
            events.append(_answer(row, _chance(seed, row)))
        if _is_awaited(row):
            status = "COMPLETED" if _chance(seed, row) < 0.7 else "FAILED"
            word = TaskUpdated(TaskStatus(status), {"word": row.ref}, task_id=row.id, exact=True)
            events.append(word)
        if row.queue:
            events.extend(_of_a_turn(row, seed))
        events.extend(TimerFired(TimerKey(row.id, name)) for name in sorted(row.timers))
    if TimerKey("", "timeout") in run.timers:
        events.append(TimerFired(TimerKey("", "timeout")))
    return events


def _of_a_turn(row: Task, seed: int) -> list[Event]:
    """What somebody says who gives turns, or the worker that has the task."""
    if row.status is TaskStatus.SCHEDULED:
        return [] if row.next_at else [Taken(row.id, f"w{row.poll_count}")]
    if row.status.final or row.kind != "SIMPLE":
        return []
    said = partial(TaskUpdated, task_id=row.id, worker_id=row.worker_id, by_worker=True)
    status = "COMPLETED" if _chance(seed, row) < 0.7 else "FAILED"
    words: list[Event] = [said(TaskStatus(status), {"word": row.ref})]
    if row.poll_count < 3:
        words.append(said(TaskStatus.IN_PROGRESS, {"half": 1}, back_after=timedelta(seconds=5)))
        words.append(LetGo(row.id, row.worker_id))
    return words


def _answer(row: Task, chance: float) -> Performed:
    return Performed(row.id, row.pending, OUTCOMES[int(chance * len(OUTCOMES) * 0.999)])


def _chance(seed: int, row: Task) -> float:
    return fraction(seed, row.id, row.poll_count)


def _is_awaited(row: Task) -> bool:
    """Whether somebody may call back: to a call under way, too."""
    called = row.kind == "HTTP" and row.status is TaskStatus.IN_PROGRESS
    return called and not _has_word(row) and (not row.pending or _is_async(row))


def _is_async(row: Task) -> bool:
    asked = row.input.get("http_request") if isinstance(row.input, dict) else None
    return isinstance(asked, dict) and "callbackUrl" in str(asked.get("body"))


def _has_word(row: Task) -> bool:
    return "word" in row.memory


def _asked(run: Simulator, chance: float) -> list[Event]:
    """What an operator may ask for, of a task by ``chance``."""
    match run.status:
        case ExecutionStatus.RUNNING:
            skipped = Skipped(_one_of(run.execution.workflow.steps, chance), {}, {"skipped": 1})
            more: list[Event] = [skipped, CallbacksReset(), VariablesSet({"mine": chance})]
            return [Paused(), Paused(), Terminated("enough"), *more]
        case ExecutionStatus.PAUSED:
            return [Resumed(), Resumed(), Terminated("enough")]
    reached = [ref for ref, row in run.execution.tasks.items() if not is_ahead(row)]
    again: list[Event] = [Rerun(_one_of(reached, chance))] if reached else []
    if run.status is ExecutionStatus.COMPLETED:
        return again
    return [Retried(), Retried(), Retried(), Restarted(), Terminated("for good"), *again, *again]


def _one_of(refs: Iterable[str], chance: float) -> str:
    known = sorted(refs)
    return known[int(chance * len(known) * 0.999)]


def _happens(run: Simulator, event: Event) -> None:
    if isinstance(event, TimerFired):
        # Those that are overdue come in any order.
        run.now = max(run.now, run.timers.pop(event.key))
    if isinstance(event, Performed):
        assert run.performs.pop(event.task_id).number == event.number
    try:
        run.happens(event)
    except Refused:
        # What ended by its own rule has nothing that could be tried again; what was reached is not
        # skipped any more.
        assert isinstance(event, Retried | Skipped)


_TOLD_AGAIN = (Performed, Interrupted, TimerFired, TaskUpdated)


def _again(run: Simulator, event: Event) -> None:
    """An event comes again: nothing changes."""
    if not isinstance(event, _TOLD_AGAIN) or _is_due(run, event):
        return
    before, timers, performs = run.execution, dict(run.timers), dict(run.performs)
    try:
        run.happens(event)
    except Refused:
        # The call that it was about failed afterwards, or all of it began anew.
        assert isinstance(event, TaskUpdated)
        row, given_back = run.rows.get(event.task_id), event.back_after is not None
        assert given_back or row is None or not _has_word(row)
    assert (run.execution, run.timers, run.performs) == (before, timers, performs)


def _is_due(run: Simulator, event: Event) -> bool:
    """Whether it is the execution's timer, set anew, whose time has come since."""
    return isinstance(event, TimerFired) and run.timers.get(event.key, NEVER) <= run.now


def _check(run: Simulator) -> None:
    """What holds after every commit."""
    _check_counts(run)
    for row in run.execution.tasks.values():
        assert {key.name for key in run.timers if key.task_id == row.id} == set(row.timers)
        assert not row.pending or run.performs[row.id].number == row.pending
    for row in run.rows.values():
        if _has_word(row) and row.status.final:
            assert row.status in _ends_of(row.memory["word"])
    if run.status.final:
        assert run.timers == {}
        assert all(row.status.final and not row.pending for row in run.rows.values())
    if run.status is ExecutionStatus.COMPLETED and not _was_terminated(run):
        assert all(_ended_well(run, row) for row in run.execution.tasks.values())


def _ended_well(run: Simulator, row: Task) -> bool:
    """Whether it did, or the loop around it that need not."""
    while row.parent and not row.status.successful:
        row = run.execution.tasks[row.parent]
    return row.status.successful


def _check_counts(run: Simulator) -> None:
    rows = run.execution.tasks
    counts = Counter(
        row.parent for row in rows.values() if not is_settled(row) and not is_ahead(row)
    )
    assert run.execution.open == (0 if run.status.final else counts[""])
    for ref, row in rows.items() if not run.status.final else ():
        assert row.open == (_awaited(run, row) if _awaits(row) else counts[ref])


def _awaits(row: Task) -> bool:
    return "awaits" in row.memory


def _awaited(run: Simulator, row: Task) -> int:
    """How many tasks a JOIN still waits for: of none, once the branches before it have ended."""
    refs = row.memory["awaits"]
    assert isinstance(refs, list)
    step = step_of(run.execution, row)
    fork = run.execution.tasks.get(step.previous + row.suffix) if step else None
    if row.status.final or (fork is not None and "FORK" in fork.kind and not fork.open):
        return 0
    tasks = [run.execution.tasks.get(str(ref)) for ref in refs]
    return sum(1 for task in tasks if task is None or not is_settled(task))


def _ends_of(word: Json) -> tuple[str, ...]:
    """How a task that was told to end may stand: as it was told, unless all ended before it."""
    assert isinstance(word, dict)
    return (str(word["status"]), "CANCELED", "COMPLETED_WITH_ERRORS")


def _was_terminated(run: Simulator) -> bool:
    return any(row.kind == "TERMINATE" for row in run.execution.tasks.values())


def _outcome(run: Simulator) -> dict[str, Json]:
    return {
        "status": run.status.value,
        "output": run.execution.output,
        "reason": _timeless(run.execution.reason),
        "variables": dict(run.execution.variables),
        "rows": [
            [row.id, row.status.value, _timeless(row.reason), row.output, row.input,
             row.poll_count, row.generation]
            for row in sorted(run.rows.values(), key=lambda row: row.sequence)
        ],
        "told": [[start.id, start.workflow] for start in run.started],
    }  # fmt: skip


def _timeless(reason: str) -> str:
    """A call that is made again is given its time again: then a time-out comes later."""
    return re.sub(r"(after|elapsed) \d+ seconds", r"\1 some seconds", reason)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), st.integers(0, 1 << 20), st.integers(0, 60), st.lists(st.integers(0, 4)))
def test_events_in_any_order_come_to_an_end_whatever_happens_besides(
    flow: Workflow, seed: int, choices: int, disturbances: list[int]
) -> None:
    outcome = World(flow, seed, choices).outcome()

    assert World(flow, seed, choices, disturbances).outcome() == outcome


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_branches_may_end_in_any_order(order: list[int], crashes: list[bool]) -> None:
    run = Simulator(workflow(*forked(6))).begin()
    for step, ref in enumerate([f"{half}{branch}" for half in "ab" for branch in order]):
        perform = run.performs.pop(run.task(ref).id)
        event = Performed(perform.task_id, perform.number, answer({"ref": ref}))
        run.happens(event)
        if crashes[step]:
            run.crash()
        after = run.execution
        assert run.happens(event).execution == after

    assert run.status == "COMPLETED"
    output = run.task("join").output
    assert isinstance(output, dict)
    assert output == {f"b{branch}": run.task(f"b{branch}").output for branch in range(6)}
    assert len(run.rows) == 15
