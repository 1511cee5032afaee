"""The tree of a timeline: tasks with their attempts, polls, branches and iterations."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tui.views.attempts import Attempt, PollMark
from tui.views.nesting import Nesting, Step

Sort = Literal["task", "attempt", "poll", "iteration"]
Path = tuple[int, ...]

# Of a task that ended well, more polls than this are folded at first.
_POLLS_OPEN = 5
# A case is told by its name, not by a page of text.
_CASE_CELLS = 24
_WITH_OWN = frozenset(("task", "iteration"))
# No loop counts further.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the tree with what is below it.

    Attributes:
        key: The same over all updates: of a task its ref with its iterations, of an
            attempt its id.
        task_id: The attempt that is meant when the row is opened; empty for an iteration.
        attempts: The ids of the attempts that its bar shows.
        poll: The number of the poll, in the row of one.
        runs: What is below: nodes that run one after another are of one run.
        kept_small: Whether it may be folded at first, once it has ended well.
    """

    key: str
    sort: Sort
    label: str
    kind: str
    task_id: str
    attempts: tuple[str, ...]
    poll: int = 0
    runs: tuple[tuple[Node, ...], ...] = ()
    kept_small: bool = False


def tree_of(
    nesting: Nesting, attempts: Iterable[Attempt], polls: Mapping[str, Sequence[PollMark]]
) -> tuple[Node, ...]:
    """The nodes at the top, in the order of the workflow; what it does not know comes last.

    Args:
        polls: By task id, in order.
    """
    growing = _Growing(nesting, attempts, polls)
    known = [*growing.block(nesting.steps, ())]
    return (*known, *growing.left())


def first_folds(tree: Sequence[Node], attempts: Mapping[str, Attempt]) -> frozenset[str]:
    """The keys of what is better folded when a timeline is opened: long, and ended well."""
    keys: set[str] = set()
    waiting = list(tree)
    while waiting:
        node = waiting.pop()
        waiting.extend(below for run in node.runs for below in run)
        if node.kept_small and all(_ended_well(attempts[each]) for each in node.attempts):
            keys.add(node.key)
    return frozenset(keys)


def _ended_well(attempt: Attempt) -> bool:
    return attempt.final and not attempt.reason


class _Growing:
    def __init__(
        self,
        nesting: Nesting,
        attempts: Iterable[Attempt],
        polls: Mapping[str, Sequence[PollMark]],
    ) -> None:
        self._steps = nesting.by_ref
        self._polls = polls
        self._placed: dict[tuple[str, Path], list[Attempt]] = {}
        self._reached: set[tuple[str, Path]] = set()
        self._rounds: dict[tuple[str, Path], set[int]] = {}
        self._unknown: dict[str, list[Attempt]] = {}
        self._forked: dict[str, list[str]] = {}
        for attempt in sorted(attempts, key=lambda each: (each.sequence, each.number)):
            self._place(attempt)
        self._adopt()

    def _place(self, attempt: Attempt) -> None:
        place = _place_of(attempt, self._steps)
        if place is None:
            self._unknown.setdefault(attempt.ref, []).append(attempt)
            return
        self._placed.setdefault(place, []).append(attempt)
        if place in self._reached:
            return
        self._reached.add(place)
        ref, path = place
        step = self._steps[ref]
        for around in step.around:
            self._reached.add((around, path[: len(self._steps[around].loops)]))
        for depth, loop in enumerate(step.loops):
            self._rounds.setdefault((loop, path[:depth]), set()).add(path[depth])

    def _adopt(self) -> None:
        """Gives what the document does not know to the dynamic fork before it, if there is one."""
        forks = [
            (group[0].sequence, group[0].id)
            for (ref, _), group in self._placed.items()
            if self._steps[ref].is_fork and not self._steps[ref].branches
        ]
        if not forks:
            return
        forks.sort()
        for ref, group in self._unknown.items():
            before = bisect_left(forks, (group[0].sequence, ""))
            if before:
                self._forked.setdefault(forks[before - 1][1], []).append(ref)

    def block(self, steps: Sequence[Step], path: Path) -> Iterator[Node]:
        """The nodes of steps that run one after another."""
        for step in steps:
            if (step.ref, path) in self._reached:
                yield self._task(step, path)

    def left(self) -> Iterator[Node]:
        """What stands nowhere else."""
        adopted = {ref for refs in self._forked.values() for ref in refs}
        for ref, group in self._unknown.items():
            if ref not in adopted:
                yield self._unnested(ref, group)

    def _unnested(self, ref: str, group: list[Attempt]) -> Node:
        return self._node(f"?{ref}", _named(ref, group), group[-1].kind, group, ())

    def _task(self, step: Step, path: Path) -> Node:
        group = self._placed.get((step.ref, path), [])
        key = step.ref + "".join(f"#{each}" for each in path)
        label, runs = self._within(step, path, key)
        return self._node(key, _named(label, group), step.kind, group, runs)

    def _within(self, step: Step, path: Path, key: str) -> tuple[str, tuple[tuple[Node, ...], ...]]:
        if step.is_loop:
            return step.ref, tuple((node,) for node in self._iterations(step, path, key))
        runs = [(branch.label, tuple(self.block(branch.steps, path))) for branch in step.branches]
        taken = [(label, run) for label, run in runs if run]
        if step.is_fork:
            group = self._placed.get((step.ref, path))
            adopted = self._forked.get(group[0].id, ()) if group else ()
            dynamic = tuple((self._unnested(ref, self._unknown[ref]),) for ref in adopted)
            return step.ref, (*(run for _, run in taken), *dynamic)
        # What a switch leads to runs one after another, as it does around it.
        below = tuple((node,) for _, run in taken for node in run)
        case = f"{step.ref} ▸ {_short(taken[0][0])}" if step.is_switch and taken else step.ref
        return case, below

    def _iterations(self, step: Step, path: Path, key: str) -> Iterator[Node]:
        rounds = sorted(self._rounds.get((step.ref, path), ()))
        steps = [each for branch in step.branches for each in branch.steps]
        for number in rounds:
            run = tuple(self.block(steps, (*path, number)))
            if not number:
                # In which iteration these ran is not known.
                yield from run
                continue
            yield Node(
                key=f"{key}#{number}",
                sort="iteration",
                label=f"#{number}",
                kind="",
                task_id="",
                attempts=tuple(_attempts_in(run)),
                runs=tuple((node,) for node in run),
                kept_small=number != rounds[-1],
            )

    def _node(
        self,
        key: str,
        label: str,
        kind: str,
        group: list[Attempt],
        runs: tuple[tuple[Node, ...], ...],
    ) -> Node:
        single = len(group) == 1
        tries = self._polled(group[0]) if single else self._tries(group)
        long = len(tries) > _POLLS_OPEN
        ids = tuple(attempt.id for attempt in group)
        last = ids[-1] if ids else ""
        small = single and long and not runs
        return Node(key, "task", label, kind, last, ids, runs=(*tries, *runs), kept_small=small)

    def _tries(self, group: list[Attempt]) -> tuple[tuple[Node, ...], ...]:
        return tuple(
            (
                Node(
                    key=each.id,
                    sort="attempt",
                    label=f"↻{each.number}" if each.number else "first",
                    kind=each.kind,
                    task_id=each.id,
                    attempts=(each.id,),
                    runs=(polled := self._polled(each)),
                    kept_small=len(polled) > _POLLS_OPEN,
                ),
            )
            for each in group
        )

    def _polled(self, attempt: Attempt) -> tuple[tuple[Node, ...], ...]:
        return tuple(
            (
                Node(
                    key=f"{attempt.id}/{poll.number}",
                    sort="poll",
                    label=f"poll {poll.number}",
                    kind=str(poll.code or "-"),
                    task_id=attempt.id,
                    attempts=(attempt.id,),
                    poll=poll.number,
                ),
            )
            for poll in self._polls.get(attempt.id, ())
        )


def _place_of(attempt: Attempt, steps: Mapping[str, Step]) -> tuple[str, Path] | None:
    """The step that it is of and in which iteration of each loop around that; 0: not known."""
    ref, numbers = attempt.ref, list[int]()
    while (step := steps.get(ref)) is None:
        ref, mark, number = ref.rpartition("__")
        if not mark or len(number) > _DIGITS or not number.isdecimal():
            return None
        numbers.insert(0, int(number))
    if not numbers and attempt.iteration:
        numbers.append(attempt.iteration)
    depth = len(step.loops)
    known = numbers[max(0, len(numbers) - depth) :]
    return step.ref, (*(0,) * (depth - len(known)), *known)


def _attempts_in(run: Sequence[Node]) -> Iterator[str]:
    for node in run:
        # An iteration has those of what is below it already.
        yield from node.attempts
        if node.sort != "iteration":
            for below in node.runs:
                yield from _attempts_in([each for each in below if each.sort in _WITH_OWN])


def _named(label: str, group: Collection[Attempt]) -> str:
    retries = max((attempt.number for attempt in group), default=0)
    return f"{label} ↻{retries}" if retries else label


def _short(case: str) -> str:
    return case if len(case) <= _CASE_CELLS else case[: _CASE_CELLS - 1] + "…"
