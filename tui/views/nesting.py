"""How the tasks of a workflow stand within each other, read from its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Deeper blocks are not read: no author means them.
MOST_DEPTH = 24

_FORKS = frozenset(("FORK_JOIN", "FORK", "FORK_JOIN_DYNAMIC"))
_SWITCHES = frozenset(("SWITCH", "DECISION"))
_LOOPS = frozenset(("DO_WHILE",))


@dataclass(frozen=True, slots=True)
class Branch:
    """Steps that run one after another within a step.

    Attributes:
        label: What leads to it: a case's name; empty where branches have none.
    """

    label: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A task of the document with what stands within it.

    Attributes:
        around: The refs of the steps around it, outermost first.
        loops: Those of them that are loops.
    """

    ref: str
    kind: str
    branches: tuple[Branch, ...] = ()
    around: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()

    @property
    def is_fork(self) -> bool:
        return self.kind in _FORKS

    @property
    def is_switch(self) -> bool:
        return self.kind in _SWITCHES

    @property
    def is_loop(self) -> bool:
        return self.kind in _LOOPS


@dataclass(frozen=True)
class Nesting:
    """A workflow's steps, in order, and each of them by its ref."""

    steps: tuple[Step, ...] = ()
    by_ref: Mapping[str, Step] = field(default_factory=dict)


def nesting_of(workflow: Mapping[str, Any]) -> Nesting:
    """The nesting of a workflow's document; what is malformed in it is left out.

    A ref that comes twice counts where it stands first.
    """
    reading = _Reading()
    steps = tuple(reading.steps(workflow.get("tasks"), (), ()))
    return Nesting(steps, reading.by_ref)


def definition_in(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The workflow's document within an execution's; empty where there is none."""
    found = document.get("workflowDefinition")
    return found if isinstance(found, dict) else {}


class _Reading:
    def __init__(self) -> None:
        self.by_ref: dict[str, Step] = {}

    def steps(
        self, tasks: object, around: tuple[str, ...], loops: tuple[str, ...]
    ) -> Iterator[Step]:
        for task in tasks if isinstance(tasks, list) else ():
            ref = task.get("taskReferenceName") if isinstance(task, dict) else None
            if isinstance(ref, str) and ref and ref not in self.by_ref:
                yield self._step(ref, task, around, loops)

    def _step(
        self, ref: str, task: Mapping[str, Any], around: tuple[str, ...], loops: tuple[str, ...]
    ) -> Step:
        kind = str(task.get("type") or "")
        # Its name is taken before its blocks are read: none of them is to have it too.
        self.by_ref[ref] = Step(ref, kind, (), around, loops)
        if len(around) < MOST_DEPTH:
            inner = (*loops, ref) if kind in _LOOPS else loops
            branches = (
                Branch(label, tuple(self.steps(block, (*around, ref), inner)))
                for label, block in _blocks(kind, task)
            )
            kept = tuple(branch for branch in branches if branch.steps)
            self.by_ref[ref] = Step(ref, kind, kept, around, loops)
        return self.by_ref[ref]


def _blocks(kind: str, task: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    if kind in _SWITCHES:
        cases = task.get("decisionCases")
        if isinstance(cases, dict):
            yield from ((str(case), block) for case, block in cases.items())
        yield "default", task.get("defaultCase")
    elif kind in _FORKS:
        forks = task.get("forkTasks")
        yield from (("", block) for block in (forks if isinstance(forks, list) else ()))
    elif kind in _LOOPS:
        yield "", task.get("loopOver")
