"""A workflow's document as a tree of steps: what can be read of it, and a word on what cannot.

A document may be half-written: it is drawn while it is edited. Nothing here raises for what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tui.views.graph import details
from tui.views.visible import in_one_line

MOST_TASKS = 10_000
MOST_FAULTS = 50
DEEPEST = 40
# Of a text that is shown, more than any box has room for.
_LONGEST = 200


class Shape(Enum):
    """How a step is drawn."""

    TASK = "task"
    SWITCH = "switch"
    FORK = "fork"
    DYNAMIC_FORK = "dynamic fork"
    JOIN = "join"
    LOOP = "loop"
    DOOR = "door"
    END = "end"
    REST = "rest"


SHAPES = {
    "SWITCH": Shape.SWITCH,
    "DECISION": Shape.SWITCH,
    "FORK": Shape.FORK,
    "FORK_JOIN": Shape.FORK,
    "FORK_JOIN_DYNAMIC": Shape.DYNAMIC_FORK,
    "JOIN": Shape.JOIN,
    "EXCLUSIVE_JOIN": Shape.JOIN,
    "DO_WHILE": Shape.LOOP,
    "SUB_WORKFLOW": Shape.DOOR,
    "START_WORKFLOW": Shape.DOOR,
    "TERMINATE": Shape.END,
}


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways through a step, or the body of a loop.

    Attributes:
        label: The case of a SWITCH; empty for others.
    """

    label: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A task as it is drawn.

    Attributes:
        key: Unique in the plan: ``ref``, or where that is missing or taken, the path.
        ref: Its reference name; empty: it has none.
        path: Where it stands, e.g. ``tasks[1].decisionCases.high[0]``.
        parent: The key of the step in a branch of which it stands; empty: at the top.
        detail: What else its box says, in one line: a condition, a workflow's name.
        opens: The workflow, and its version (0: the latest), that a door leads to.
        size: How many tasks it is, with all that is in its branches.
    """

    key: str
    ref: str
    kind: str
    shape: Shape
    path: str = ""
    parent: str = ""
    detail: str = ""
    optional: bool = False
    opens: tuple[str, int] | None = None
    branches: tuple[Branch, ...] = ()
    size: int = 1

    def within(self) -> Iterator[Step]:
        """All steps in its branches, at any depth."""
        for branch in self.branches:
            for step in branch.steps:
                yield step
                yield from step.within()


@dataclass(frozen=True, slots=True)
class Plan:
    """What was read of a document.

    Attributes:
        steps: Those at the top, in order.
        by_key: Every step.
        faults: Sentences without a full stop on what could not be read, at most MOST_FAULTS.
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    by_key: Mapping[str, Step]
    faults: tuple[str, ...]

    @property
    def foldable(self) -> tuple[str, ...]:
        """The keys of the steps that have something in them."""
        return tuple(key for key, step in self.by_key.items() if can_fold(step))


def can_fold(step: Step) -> bool:
    """Whether there is something in ``step`` that one box can stand for."""
    return bool(step.branches) or step.shape is Shape.DYNAMIC_FORK


def read(document: object) -> Plan:
    """The plan of a workflow's document, whatever that is."""
    reader = _Reader()
    if not isinstance(document, dict):
        return Plan("", 0, (), {}, ("the workflow is no object",))
    steps = reader.series(document.get("tasks", []), "tasks", "", 0)
    name, version = document.get("name"), document.get("version")
    return Plan(
        shown(name) if isinstance(name, str) else "",
        version if isinstance(version, int) else 0,
        steps,
        reader.by_key,
        reader.told(),
    )


def shown(text: str) -> str:
    """``text`` in one line that a terminal may show, and not much of it."""
    return in_one_line(text[:_LONGEST])


class _Reader:
    """Reads steps and notes what is wrong."""

    def __init__(self) -> None:
        self.by_key: dict[str, Step] = {}
        self._keys: dict[str, str] = {}
        self._faults: list[str] = []
        self._unsaid = 0
        self._left = MOST_TASKS

    def told(self) -> tuple[str, ...]:
        more = (f"and {self._unsaid:,} more",) if self._unsaid else ()
        return (*self._faults, *more)

    def _fault(self, text: str) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(text)
        else:
            self._unsaid += 1

    def series(self, value: object, path: str, parent: str, depth: int) -> tuple[Step, ...]:
        if not isinstance(value, list):
            self._fault(f"{path} is no list")
            return ()
        steps: list[Step] = []
        for index, task in enumerate(value):
            at = f"{path}[{index}]"
            if self._left <= 0:
                steps.append(self._rest(at, parent, len(value) - index))
                break
            if isinstance(task, dict):
                self._left -= 1
                step = self._step(task, at, parent, depth)
                steps.append(_joining(step, task, steps[-1] if steps else None))
                self.by_key[step.key] = steps[-1]
            else:
                self._fault(f"{at} is no object")
        return tuple(steps)

    def _rest(self, at: str, parent: str, count: int) -> Step:
        self._fault(f"there are more than {MOST_TASKS:,} tasks: from {at} on they are not drawn")
        return Step(f"{at}…", "", f"… {count:,} more", Shape.REST, at, parent, size=0)

    def _step(self, task: dict[str, object], at: str, parent: str, depth: int) -> Step:
        ref, kind = self._ref(task, at), self._kind(task, at)
        key = self._key(ref, at)
        shape = SHAPES.get(kind, Shape.TASK)
        # Its place among all is before that of what is in it.
        self.by_key[key] = Step(key, ref, kind, shape)
        branches = self._branches(task, shape, at, key, depth)
        within = sum(step.size for branch in branches for step in branch.steps)
        return Step(
            key, ref, kind, shape, at, parent, shown(details.detail(task, kind)),
            task.get("optional") is True, details.opened(task, kind), branches, 1 + within,
        )  # fmt: skip

    def _ref(self, task: dict[str, object], at: str) -> str:
        ref = task.get("taskReferenceName")
        if isinstance(ref, str) and ref:
            return ref
        self._fault(f"{at} has no taskReferenceName")
        return ""

    def _kind(self, task: dict[str, object], at: str) -> str:
        kind = task.get("type", "SIMPLE")
        if isinstance(kind, str) and kind:
            return shown(kind)
        self._fault(f"{at}.type is no text")
        return "?"

    def _key(self, ref: str, at: str) -> str:
        key = ref or at
        if key in self._keys:
            if ref:
                self._fault(f"{at} has the taskReferenceName of {self._keys[key]}")
            key = at
            while key in self._keys:
                key += "'"
        self._keys[key] = at
        return key

    def _branches(
        self, task: dict[str, object], shape: Shape, at: str, key: str, depth: int
    ) -> tuple[Branch, ...]:
        parts = list(self._parts(task, shape, at))
        if depth >= DEEPEST and parts:
            self._fault(f"{at} is {DEEPEST} deep: what is in it is not drawn")
            return ()
        return tuple(
            Branch(label, self.series(value, path, key, depth + 1)) for label, path, value in parts
        )

    def _parts(
        self, task: dict[str, object], shape: Shape, at: str
    ) -> Iterator[tuple[str, str, object]]:
        """Label, path and list of tasks of each branch."""
        if shape is Shape.SWITCH:
            cases = task.get("decisionCases", {})
            if isinstance(cases, dict):
                for case, tasks in cases.items():
                    label = shown(str(case))
                    yield label, f"{at}.decisionCases.{label}", tasks
            else:
                self._fault(f"{at}.decisionCases is no object")
            default = task.get("defaultCase")
            yield "default", f"{at}.defaultCase", [] if default is None else default
        elif shape is Shape.FORK:
            forks = task.get("forkTasks", [])
            if isinstance(forks, list):
                for index, tasks in enumerate(forks):
                    yield "", f"{at}.forkTasks[{index}]", tasks
            else:
                self._fault(f"{at}.forkTasks is no list")
        elif shape is Shape.LOOP:
            yield "", f"{at}.loopOver", task.get("loopOver", [])


def _joining(step: Step, task: dict[str, object], fork: Step | None) -> Step:
    """``step``; a JOIN that does not wait for every branch of the fork before it says so."""
    if step.shape is not Shape.JOIN or fork is None or fork.shape is not Shape.FORK:
        return step
    on = task.get("joinOn")
    refs = {ref for ref in on if isinstance(ref, str)} if isinstance(on, list) else set()
    joined = sum(any(each.ref in refs for each in branch.steps) for branch in fork.branches)
    if not refs or joined == len(fork.branches):
        return step
    return replace(step, detail=f"joins {joined} of {len(fork.branches)}")
