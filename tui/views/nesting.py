"""How the tasks of a workflow stand within each other: its plan, by reference names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.views.graph import plan
from tui.views.graph.plan import Shape


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
    shape: Shape
    branches: tuple[Branch, ...] = ()
    around: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()

    @property
    def is_fork(self) -> bool:
        return self.shape in (Shape.FORK, Shape.DYNAMIC_FORK)

    @property
    def is_switch(self) -> bool:
        return self.shape is Shape.SWITCH

    @property
    def is_loop(self) -> bool:
        return self.shape is Shape.LOOP


@dataclass(frozen=True)
class Nesting:
    """A workflow's steps, in order, and each of them by its ref."""

    steps: tuple[Step, ...] = ()
    by_ref: Mapping[str, Step] = field(default_factory=dict)


def nesting_of(workflow: Mapping[str, Any]) -> Nesting:
    """The nesting of a workflow's document; what is malformed in it is left out.

    A ref that comes twice counts where it stands first.
    """
    by_ref: dict[str, Step] = {}
    steps = tuple(_named(plan.read(workflow).steps, (), (), by_ref))
    return Nesting(steps, by_ref)


def definition_in(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The workflow's document within an execution's; empty where there is none."""
    found = document.get("workflowDefinition")
    return found if isinstance(found, dict) else {}


def _named(
    steps: Sequence[plan.Step], around: tuple[str, ...], loops: tuple[str, ...],
    by_ref: dict[str, Step],
) -> Iterator[Step]:  # fmt: skip
    """Those of ``steps`` that have a ref of their own."""
    for step in steps:
        if step.ref and step.shape is not Shape.REST and step.ref not in by_ref:
            # Its name is taken before its branches are read: none of them is to have it too.
            by_ref[step.ref] = Step(step.ref, step.kind, step.shape)
            inner = (*loops, step.ref) if step.shape is Shape.LOOP else loops
            branches = tuple(_branches(step, (*around, step.ref), inner, by_ref))
            by_ref[step.ref] = Step(step.ref, step.kind, step.shape, branches, around, loops)
            yield by_ref[step.ref]


def _branches(
    step: plan.Step, around: tuple[str, ...], loops: tuple[str, ...], by_ref: dict[str, Step]
) -> Iterator[Branch]:
    for branch in step.branches:
        if steps := tuple(_named(branch.steps, around, loops, by_ref)):
            yield Branch(branch.label, steps)
