"""FORK_JOIN_DYNAMIC: branches that are made of its input; the JOIN behind it waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.executor.core import spawning
from services.executor.core.commands import Wanted
from services.executor.core.kind import Finished, Kind, Look, Next, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.kinds.called import called
from services.executor.kinds.fork_join import MOST_BRANCHES, too_many

_LOOK = "definitions"
# As definitions have it: each of the branches has the name in its own.
_LONGEST_NAME = 255


class Branches(NamedTuple):
    """A task for each branch, and by reference the input that it is given."""

    tasks: list[dict[str, Json]]
    inputs: dict[str, Json]


class ForkJoinDynamic(Kind):
    """Reads its branches in one of Conductor's three forms.

    ``forkTaskInputs``, a list, for each item of which a task or a workflow runs; a list of tasks
    with a map of their inputs (``dynamicForkTasksParam``); both in one
    (``dynamicForkJoinTasksParam``). What is given to a branch is data: no ``${…}`` in it is
    resolved, and tasks that come of input name no secrets.
    """

    retried = False

    def __init__(self, most: int = MOST_BRANCHES) -> None:
        self._most = most

    def begin(self, view: View) -> Next:
        try:
            branches = branches_of(view, self._most)
        except ValueError as error:
            return unusable(str(error))
        names = dict.fromkeys(str(task.get("name")) for task in branches.tasks)
        return Waiting(look=Look(_LOOK, Wanted(tasks=tuple(names))))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        try:
            # Read again, in a fiftieth of the time that they take to begin: a fork beside it may
            # have taken their names meanwhile.
            branches = branches_of(view, self._most)
        except ValueError as fault:
            return unusable(str(fault))
        found = value.get("tasks") if isinstance(value, dict) else None
        known = found if isinstance(found, dict) else {}
        definitions: dict[str, Json] = {
            name: each for name, each in known.items() if each is not None
        }
        try:
            note = spawning.spawned(branches.tasks, definitions)
        except ValueError as fault:
            return unusable(f"Its branches cannot run: {fault}.")
        refs: list[Json] = [str(task["taskReferenceName"]) for task in branches.tasks]
        return Finished(
            memory={**view.task.memory, **note},
            input={**view.input, "forkedTasks": refs},
            given=branches.inputs,
            enter=tuple(f"forkTasks.{number}" for number in range(len(refs))),
            detached=True,
        )


def branches_of(view: View, most: int) -> Branches:
    """What its input says; raises ValueError with a sentence that says what is wrong with it."""
    inputs, document = view.input, view.step.document
    if "forkTaskInputs" in inputs:
        branches = _same_task(view, inputs)
    elif isinstance(name := document.get("dynamicForkJoinTasksParam"), str) and name:
        branches = _joined(inputs.get(name), name)
    else:
        branches = _listed(inputs, document)
    _check(view, branches, most)
    return branches


def _same_task(view: View, inputs: Mapping[str, Json]) -> Branches:
    """One task, or workflow, for each item of ``forkTaskInputs``."""
    items = inputs["forkTaskInputs"]
    if not isinstance(items, list):
        raise ValueError(f"forkTaskInputs must be a list, not {called(items)}.")
    task = _repeated(view, inputs)
    name = str(task["name"])
    taken = view.is_taken(f"_{name}_0{view.task.suffix}")
    prefix = f"_{view.step.ref}_{name}" if taken else f"_{name}"
    branches = Branches([], {})
    for index, item in enumerate(items):
        ref = f"{prefix}_{index}"
        branches.tasks.append({**task, "taskReferenceName": ref})
        given = item if isinstance(item, dict) else {"input": item}
        branches.inputs[ref] = {**given, "__index": index}
    return branches


def _repeated(view: View, inputs: Mapping[str, Json]) -> dict[str, Json]:
    """The task that runs for each item, without its reference."""
    task = _said_once(view, inputs)
    _check_length("The name of what runs in the branches", task["name"])
    return task


def _check_length(what: str, name: Json) -> None:
    if isinstance(name, str) and len(name) > _LONGEST_NAME:
        raise ValueError(f"{what} has {len(name):,} characters, and {_LONGEST_NAME} are allowed.")


def _said_once(view: View, inputs: Mapping[str, Json]) -> dict[str, Json]:
    workflow, version = inputs.get("forkTaskWorkflow"), inputs.get("forkTaskWorkflowVersion")
    common: dict[str, Json] = {"optional": view.step.optional}
    if isinstance(workflow, str) and workflow:
        number = int(version) if isinstance(version, str) and version.isdecimal() else version
        param: dict[str, Json] = {"name": workflow, "version": number}
        return {**common, "name": workflow, "type": "SUB_WORKFLOW", "subWorkflowParam": param}
    name, kind = inputs.get("forkTaskName"), inputs.get("forkTaskType") or "SIMPLE"
    if not isinstance(name, str) or not name:
        name = kind if kind != "SIMPLE" else None
    if not isinstance(name, str):
        raise ValueError("forkTaskName or forkTaskWorkflow must say what runs in the branches.")
    return {**common, "name": name, "type": str(kind)}


def _listed(inputs: Mapping[str, Json], document: Mapping[str, Json]) -> Branches:
    """Tasks as they stand in a definition, and a map of their inputs."""
    tasks_name = str(document.get("dynamicForkTasksParam"))
    inputs_name = str(document.get("dynamicForkTasksInputParamName"))
    tasks, given = inputs.get(tasks_name), inputs.get(inputs_name)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        found_is = "a list with others" if isinstance(tasks, list) else called(tasks)
        raise ValueError(
            f"Input {tasks_name!r} is invalid. Cannot deserialize a list of Workflow Tasks from "
            f"{found_is}"
        )
    if not isinstance(given, dict | None):
        raise ValueError(
            "Input to the dynamically forked tasks is not a map -> expecting a map of K,V  but "
            f"found {called(given)}"
        )
    found = [_as_task(task) for task in tasks if isinstance(task, dict)]
    refs = (task["taskReferenceName"] for task in found)
    return Branches(found, {str(ref): _given((given or {}).get(str(ref))) for ref in refs})


def _joined(value: Json, name: str) -> Branches:
    """Each task with its input: Conductor's older form."""
    entries = value.get("dynamicTasks") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise ValueError(f"Input {name!r} is invalid: it has no list of dynamicTasks.")
    branches = Branches([], {})
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError(f"Input {name!r} is invalid: a dynamic task must be an object.")
        workflow = entry.get("workflowName")
        more: dict[str, Json] = {"subWorkflowParam": {"name": workflow}} if workflow else {}
        kind = entry.get("type") or ("SUB_WORKFLOW" if workflow else "SIMPLE")
        ref, task_name = entry.get("referenceName"), entry.get("taskName") or workflow
        task = {"name": task_name, "taskReferenceName": ref, "type": kind, **more}
        branches.tasks.append(_as_task(task))
        branches.inputs[str(ref)] = _given(entry.get("input"))
    return branches


def _as_task(task: Mapping[str, Json]) -> dict[str, Json]:
    for name in ("name", "taskReferenceName"):
        if not isinstance(task.get(name), str) or not task[name]:
            raise ValueError(f"A dynamically forked task has no {name}.")
        _check_length(f"The {name} of a dynamically forked task", task[name])
    return {**task, "type": task.get("type") or "SIMPLE"}


def _given(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"input": value}


def _check(view: View, branches: Branches, most: int) -> None:
    if len(branches.tasks) > most:
        raise ValueError(too_many(len(branches.tasks), most))
    seen: set[str] = set()
    for ref in _refs(branches.tasks):
        if "__" in ref:
            raise ValueError(f"taskReferenceName {ref!r} must not hold '__'.")
        if ref in seen or ref in view.steps or view.is_taken(ref + view.task.suffix):
            raise ValueError(f"taskReferenceName {ref!r} is there already.")
        seen.add(ref)


def _refs(tasks: Iterable[Mapping[str, Json]]) -> Iterable[str]:
    return (str(task["taskReferenceName"]) for task in tasks)
