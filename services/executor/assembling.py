"""What goes into a snapshot: a workflow, and all that it names, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from services.executor.core import masking
from services.executor.core.schemas import INPUT, OUTPUT, named, place as _place
from services.executor.core.workflow import blocks_of
from services.replica import Replica

Document = Mapping[str, Any]


class Source(Protocol):
    """Where definitions are looked up."""

    def task(self, name: str) -> Document | None: ...

    def workflow(self, name: str, version: int) -> Document | None:
        """Version 0 is the latest."""

    def schema(self, name: str, version: int) -> Document | None:
        """The JSON Schema; version 0 is the latest."""


class Current:
    """As they are now."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def task(self, name: str) -> Document | None:
        stored = self._replica.get("task", name)
        return None if stored is None else stored.document

    def workflow(self, name: str, version: int) -> Document | None:
        stored = self._replica.get("workflow", name, version)
        return None if stored is None else stored.document

    def schema(self, name: str, version: int) -> Document | None:
        stored = self._replica.get("schema", name, version)
        data = None if stored is None else stored.document.get("data")
        return data if isinstance(data, dict) else None


class Taken:
    """As they were when a snapshot was taken."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._tasks: Mapping[str, Document] = snapshot.get("tasks") or {}
        self._workflows: Mapping[str, Document] = snapshot.get("workflows") or {}
        self._schemas: Mapping[str, Document] = snapshot.get("schemas") or {}

    def task(self, name: str) -> Document | None:
        return self._tasks.get(name)

    def workflow(self, name: str, version: int) -> Document | None:
        return self._workflows.get(_place(name, version))

    def schema(self, name: str, version: int) -> Document | None:
        return self._schemas.get(_place(name, version))


def assembled(workflow: Document, source: Source) -> dict[str, Any]:
    """The workflow with the task definitions and the workflows that it names, and those of these.

    ``{"workflow": <document>, "tasks": {<name>: <document>}, "workflows": {"<name>:<version>":
    <document>}}``; the version is as it is asked for, 0 for the latest. Without sub-workflows
    there are no ``workflows``, and without schemas of definitions no ``schemas``, whose names are
    as those of workflows. What is named only when it runs is looked up then. The keys that any of
    them masks are ``maskedFields``, where there are any.
    """
    tasks: dict[str, Any] = {}
    workflows: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    masks: set[str] = set()
    pending = [workflow]
    while pending:
        document = pending.pop()
        masks |= masking.named(document)
        _add_schemas(document, source, schemas, enforced=True)
        for step in _steps(document):
            name, embedded = step.get("name"), step.get("taskDefinition")
            if isinstance(name, str) and (definition := source.task(name)) is not None:
                tasks[name] = definition
                masks |= masking.named(definition)
                _add_schemas(definition, source, schemas, enforced=False)
            if isinstance(embedded, dict):
                masks |= masking.named(embedded)
                _add_schemas(embedded, source, schemas, enforced=False)
            pending.extend(_started(step, source, workflows))
    found: dict[str, Any] = {"workflow": workflow, "tasks": tasks}
    if workflows:
        found["workflows"] = workflows
    if masks:
        found[masking.FIELD] = sorted(masks)
    return {**found, "schemas": schemas} if schemas else found


def _add_schemas(
    definition: Document, source: Source, schemas: dict[str, Any], *, enforced: bool
) -> None:
    """Add those that ``definition`` is held against."""
    for name, version in named(definition, enforced=enforced):
        data = source.schema(name, version)
        if data is not None:
            schemas[_place(name, version)] = data


def with_own_schemas(definition: Document, source: Source) -> Document:
    """A task definition with the schemas that it is held against in place of their names."""
    known: dict[str, Any] = {}
    _add_schemas(definition, source, known, enforced=False)
    if not known:
        return definition
    return {
        name: {**use, "data": known[_place(use["name"], use.get("version") or 0)]}
        if name in (INPUT, OUTPUT) and isinstance(use, dict) and "data" not in use
        else use
        for name, use in definition.items()
    }


def _started(step: Document, source: Source, workflows: dict[str, Any]) -> Iterator[Document]:
    """The workflows that a step starts and that were not met before."""
    param = step.get("subWorkflowParam")
    if step.get("type") != "SUB_WORKFLOW" or not isinstance(param, dict):
        return
    definition, name = param.get("workflowDefinition"), param.get("name")
    if isinstance(definition, dict):
        yield definition
    elif definition is None and isinstance(name, str) and "${" not in name:
        version = param.get("version")
        asked = version if isinstance(version, int) else 0
        document = source.workflow(name, asked) if _place(name, asked) not in workflows else None
        if document is not None:
            workflows[_place(name, asked)] = document
            yield document


def _steps(workflow: Document) -> Iterator[Document]:
    tasks = workflow.get("tasks")
    pending = [*tasks] if isinstance(tasks, list) else []
    while pending:
        step = pending.pop()
        if isinstance(step, dict):
            yield step
            for _, block in blocks_of(step):
                pending.extend(block)
