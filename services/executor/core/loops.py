"""The rounds of a loop: which tasks stand in one, and what they came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.executor.core.model import Json, Task
from services.executor.core.spawning import SPAWNED, steps_of
from services.executor.core.workflow import Step

Latest = Callable[[str], Task | None]
"""The latest attempt of a ref."""

OWN = ("iteration", "loopIndex", "loopItem")
"""What a loop's output has of its own; the others are its rounds."""

StepAt = Callable[[str, str], Step]
"""The step of a name, where its task has a suffix."""


def output(loop: Task, step_at: StepAt, latest: Latest) -> dict[str, Json]:
    """What Conductor's DO_WHILE gives: by number of the round, by reference, the outputs.

    With what stands in the task's own output: ``iteration``, and of a list the last item.
    Rounds that were dropped (``keepLastN``) have none.
    """
    given = loop.output if isinstance(loop.output, dict) else {}
    own = {name: given[name] for name in OWN if name in given}
    rounds: dict[str, Json] = {}
    for number in range(1, loop.round + 1):
        outputs = round_output(loop, number, step_at, latest)
        if outputs:
            rounds[str(number)] = outputs
    return {**rounds, **own}


def round_output(loop: Task, number: int, step_at: StepAt, latest: Latest) -> dict[str, Json]:
    """By reference, the output of every task that round reached."""
    suffix = f"{loop.suffix}__{number}"
    found: dict[str, Json] = {}
    for ref in step_at(loop.step, loop.suffix).body:
        task = latest(ref + suffix)
        if task is not None:
            found[ref] = output(task, step_at, latest) if task.round else task.output or {}
    return found


def refs_of_round(loop: Task, number: int, step_at: StepAt, latest: Latest) -> Iterator[str]:
    """The ref of every task that round reached, with those of loops and branches within it."""
    suffix = f"{loop.suffix}__{number}"
    for ref in step_at(loop.step, loop.suffix).body:
        task = latest(ref + suffix)
        if task is not None:
            yield from _with_inner(task, step_at, latest)


def refs_within(loop: Task, step_at: StepAt, latest: Latest) -> Iterator[str]:
    """The ref of every task that its rounds reached: an operator's retry runs those of any."""
    for number in range(1, loop.round + 1):
        yield from refs_of_round(loop, number, step_at, latest)


def _with_inner(task: Task, step_at: StepAt, latest: Latest) -> Iterator[str]:
    yield from refs_within(task, step_at, latest)
    if SPAWNED in task.memory:
        for ref in steps_of(task, step_at(task.step, task.suffix)):
            inner = latest(ref) if ref != task.ref else None
            if inner is not None:
                yield from _with_inner(inner, step_at, latest)
    yield task.ref
