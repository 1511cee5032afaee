"""Steps that are in no definition: a task has made them, of its input.

What they are made of stands in the memory of the task that made them, so that whoever reads the
execution has the same ones: ``as`` is the step that the task itself has become, ``spawned`` are the
branches of a fork.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from immutables import Map

from services.executor.core.model import Execution, Json, Task
from services.executor.core.workflow import Step, Workflow, indexed

BECOME, SPAWNED = "as", "spawned"


def become(document: Mapping[str, Json], definition: Json) -> dict[str, Json]:
    """The note of a task that runs as ``document`` says."""
    return {BECOME: {"document": dict(document), "definition": definition}}


def spawned(tasks: Iterable[Mapping[str, Json]], definitions: Json) -> dict[str, Json]:
    """The note of a fork with a branch for each of ``tasks``.

    Those that differ in their reference only stand there once.

    Raises:
        ValueError: One of them is no task.
    """
    groups: list[Json] = []
    last: Json = None
    refs: list[Json] = []
    for task in tasks:
        ref = task.get("taskReferenceName")
        common = {name: value for name, value in task.items() if name != "taskReferenceName"}
        if not isinstance(ref, str) or not ref:
            raise ValueError("a task has no taskReferenceName")
        if common != last:
            last, refs = common, []
            groups.append({"task": common, "refs": refs})
        refs.append(ref)
    return {SPAWNED: {"groups": groups, "definitions": definitions}}


def steps_of(task: Task, step: Step) -> dict[str, Step]:
    """By ref, the steps that ``task`` has made, and what ``step``, its own, has become by it.

    Raises:
        ValueError: They are none.
    """
    became, branches = task.memory.get(BECOME), task.memory.get(SPAWNED)
    made: dict[str, Step] = {}
    if isinstance(became, dict):
        step = made[task.ref] = _become(became, step)
    if isinstance(branches, dict):
        # Of a task that has become a fork, too.
        made |= _branches(branches, task, step)
    return made


def extra_of(workflow: Workflow, tasks: Iterable[Task]) -> Map[str, Step]:
    """All of those of an execution."""
    extra: dict[str, Step] = {}
    makers = (each for each in tasks if BECOME in each.memory or SPAWNED in each.memory)
    # Those made within branches come after the branches.
    for task in sorted(makers, key=lambda each: each.sequence):
        own = found_in(extra, task.step, task.suffix) or workflow.steps.get(task.step)
        extra |= steps_of(task, own) if own is not None else {}
    return Map(extra)


def step_of(execution: Execution, task: Task) -> Step | None:
    """The step of a task; None: there is none, in what it runs now."""
    found = execution.extra and found_in(execution.extra, task.step, task.suffix)
    return found or execution.workflow.steps.get(task.step)


def found_in(extra: Mapping[str, Step], ref: str, suffix: str) -> Step | None:
    """The step of that name where a task has ``suffix``: made there, or in a round around it."""
    while (step := extra.get(ref + suffix)) is None and suffix:
        suffix = suffix[: suffix.rindex("__")]
    return step


def _become(became: Mapping[str, Json], step: Step) -> Step:
    document, definition = became.get("document"), became.get("definition")
    if not isinstance(document, dict):
        raise ValueError("it has become no task")
    tasks: dict[str, Json] = {step.name: definition, str(document.get("name")): definition}
    (made,) = indexed([document], tasks, {}, secrets=step.trusted).values()
    return replace(
        made,
        next=step.next,
        previous=step.previous,
        parent=step.parent,
        joined_by=step.joined_by,
        spawned=step.spawned,
        optional=step.optional,
        permissive=step.permissive,
    )


def _branches(branches: Mapping[str, Json], task: Task, step: Step) -> dict[str, Step]:
    groups, definitions = branches.get("groups"), branches.get("definitions")
    known = definitions if isinstance(definitions, dict) else {}
    found: dict[str, Step] = {}
    blocks: dict[str, str] = {}
    for group in groups if isinstance(groups, list) else ():
        common, refs = (group.get("task"), group.get("refs")) if isinstance(group, dict) else (0, 0)
        if not isinstance(common, dict) or not isinstance(refs, list):
            raise ValueError("a branch is no task")
        for ref in map(str, refs):
            document = {**common, "taskReferenceName": ref}
            made = indexed([document], known, {ref: (step.next,)}, secrets=False)
            for name, each in made.items():
                if name in found:
                    raise ValueError(f"taskReferenceName {name!r} stands twice")
                given = name == ref
                found[name] = replace(each, parent=each.parent or step.ref, spawned=given)
            blocks[f"forkTasks.{len(blocks)}"] = ref
    own = {task.ref: replace(step, blocks=blocks)}
    return {**own, **{f"{name}{task.suffix}": each for name, each in found.items()}}
