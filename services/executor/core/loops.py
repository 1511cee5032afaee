"""The rounds of a loop: which tasks stand in one, and what they came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from services.executor.core.model import Json, Task
from services.executor.core.workflow import Step

Latest = Callable[[str], Task | None]
"""The latest attempt of a ref."""

OWN = ("iteration", "loopIndex", "loopItem")
"""What a loop's output has of its own; the others are its rounds."""

Steps = Mapping[str, Step]


def output(loop: Task, steps: Steps, latest: Latest) -> dict[str, Json]:
    """What Conductor's DO_WHILE gives: by number of the round, by reference, the outputs.

    With what stands in the task's own output: ``iteration``, and of a list the last item.
    Rounds that were dropped (``keepLastN``) have none.
    """
    given = loop.output if isinstance(loop.output, dict) else {}
    own = {name: given[name] for name in OWN if name in given}
    rounds: dict[str, Json] = {}
    for number in range(1, loop.round + 1):
        outputs = round_output(loop, number, steps, latest)
        if outputs:
            rounds[str(number)] = outputs
    return {**rounds, **own}


def round_output(loop: Task, number: int, steps: Steps, latest: Latest) -> dict[str, Json]:
    """By reference, the output of every task that round reached."""
    suffix = f"{loop.suffix}__{number}"
    found: dict[str, Json] = {}
    for ref in steps[loop.step].body:
        task = latest(ref + suffix)
        if task is not None:
            found[ref] = output(task, steps, latest) if task.round else task.output or {}
    return found


def refs_of_round(loop: Task, number: int, steps: Steps, latest: Latest) -> Iterator[str]:
    """The ref of every task that round reached, those of loops within it included."""
    suffix = f"{loop.suffix}__{number}"
    for ref in steps[loop.step].body:
        task = latest(ref + suffix)
        if task is None:
            continue
        for inner in range(1, task.round + 1):
            yield from refs_of_round(task, inner, steps, latest)
        yield task.ref
