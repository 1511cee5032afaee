"""Which workflows a definition starts: those that it names, and whether there may be others.

A task is looked at as the executor runs it: in any block, and within a definition that stands in
another. What is named only when it runs may be any workflow there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_FORKS = ("dynamicForkTasksParam", "dynamicForkJoinTasksParam", "dynamicForkTasksInputParamName")
# Keys of inputs that say what is started.
_SAYING = ("startWorkflow", "forkTaskInputs", "forkTaskWorkflow", "forkTaskType")
_WAITERS = ("WAIT_FOR_WEBHOOK", "DYNAMIC")
STARTERS = frozenset(("SUB_WORKFLOW", "START_WORKFLOW", "FORK_JOIN_DYNAMIC", "DYNAMIC"))
"""The types of tasks whose input may say what is started."""


@dataclass(frozen=True, slots=True)
class Starts:
    """What a workflow, or whatever has a task's definition for its own, starts.

    Attributes:
        names: In order.
        open: Where that is known only when it runs: references of tasks, ``failureWorkflow``,
            ``inputTemplate``.
    """

    names: tuple[str, ...]
    open: tuple[str, ...]


def starts_of(document: Mapping[str, Any]) -> Starts:
    """What a workflow starts by its document, or who uses a task definition by that."""
    names: set[str] = set()
    unknown: dict[str, None] = {}
    for place, name in _found(document):
        if name is None:
            unknown[place] = None
        else:
            names.add(name)
    return Starts(tuple(sorted(names)), tuple(unknown))


def webhooks_of(document: Mapping[str, Any]) -> Starts:
    """The webhooks that tasks of a workflow wait for, or would if they became such."""
    names: set[str] = set()
    unknown: dict[str, None] = {}
    for fields in _objects(document):
        given = fields.get("inputParameters")
        if fields.get("type") not in _WAITERS or not isinstance(given, dict):
            continue
        if "webhook" in given and (name := _known(given["webhook"])) is not None:
            names.add(name)
        elif "webhook" in given:
            unknown[str(fields.get("taskReferenceName"))] = None
    return Starts(tuple(sorted(names)), tuple(unknown))


def _found(document: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Where something is started, and its name; None: nobody knows yet."""
    for fields in _objects(document):
        yield from _started_by(fields)


def _objects(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pending: list[Any] = [document]
    while pending:
        match pending.pop():
            case dict() as fields:
                yield fields
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def _started_by(fields: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    if failure := fields.get("failureWorkflow"):
        # One that begins with $ is looked up in the input of what failed.
        yield "failureWorkflow", None if str(failure).startswith("$") else _known(failure)
    template = fields.get("inputTemplate")
    if isinstance(template, dict) and not template.keys().isdisjoint(_SAYING):
        # Of a task definition: it is put in where a task's own input says nothing.
        yield "inputTemplate", None
    if fields.get("type") in STARTERS:
        place = str(fields.get("taskReferenceName"))
        yield from ((place, name) for name in _named_by(fields))


def _named_by(task: Mapping[str, Any]) -> Iterator[str | None]:
    kind, inputs = task["type"], task.get("inputParameters")
    given = inputs if isinstance(inputs, dict) else {}
    becomes = kind == "DYNAMIC"
    if kind == "SUB_WORKFLOW" or (becomes and "subWorkflowParam" in task):
        yield from _sub_workflow(task.get("subWorkflowParam"))
    if kind == "START_WORKFLOW" or (becomes and "startWorkflow" in given):
        yield from _start_workflow(given.get("startWorkflow"))
    if kind == "FORK_JOIN_DYNAMIC" or (becomes and _forks(task, given)):
        yield from _fork(given)


def _sub_workflow(param: Any) -> Iterator[str | None]:
    if not isinstance(param, dict):
        return
    definition = param.get("workflowDefinition")
    if definition is None:
        yield _known(param.get("name"))
    elif not isinstance(definition, dict):
        yield None


def _start_workflow(request: Any) -> Iterator[str | None]:
    if not isinstance(request, dict):
        yield None
    elif request.get("workflowDef") is None:
        yield _known(request.get("name"))
    elif _holds_expression(request["workflowDef"]):
        # It is resolved as a whole: any word in it may become another.
        yield None


def _forks(task: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    return "forkTaskInputs" in given or any(name in task for name in _FORKS)


def _fork(given: Mapping[str, Any]) -> Iterator[str | None]:
    if "forkTaskInputs" not in given:
        yield None
    elif workflow := given.get("forkTaskWorkflow"):
        yield _known(workflow)
    elif (kind := _known(given.get("forkTaskType") or "SIMPLE")) is None or kind in STARTERS:
        yield None


def _known(name: Any) -> str | None:
    return name if isinstance(name, str) and "${" not in name else None


def _holds_expression(value: Any) -> bool:
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as fields:
                pending.extend((*fields, *fields.values()))
            case list() as items:
                pending.extend(items)
            case str() as text if "${" in text:
                return True
    return False
