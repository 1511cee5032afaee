"""What goes into a snapshot: a workflow, and all that it names, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from services.executor.core.workflow import blocks_of
from services.replica import Replica

Document = Mapping[str, Any]


class Source(Protocol):
    """Where definitions are looked up."""

    def task(self, name: str) -> Document | None: ...

    def workflow(self, name: str, version: int) -> Document | None:
        """Version 0 is the latest."""


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


class Taken:
    """As they were when a snapshot was taken."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._tasks: Mapping[str, Document] = snapshot.get("tasks") or {}
        self._workflows: Mapping[str, Document] = snapshot.get("workflows") or {}

    def task(self, name: str) -> Document | None:
        return self._tasks.get(name)

    def workflow(self, name: str, version: int) -> Document | None:
        return self._workflows.get(_place(name, version))


def assembled(workflow: Document, source: Source) -> dict[str, Any]:
    """The workflow with the task definitions and the workflows that it names, and those of these.

    ``{"workflow": <document>, "tasks": {<name>: <document>}, "workflows": {"<name>:<version>":
    <document>}}``; the version is as it is asked for, 0 for the latest. Without sub-workflows
    there are no ``workflows``. What is named only when it runs is looked up then.
    """
    tasks: dict[str, Any] = {}
    workflows: dict[str, Any] = {}
    pending = [workflow]
    while pending:
        for step in _steps(pending.pop()):
            name = step.get("name")
            if isinstance(name, str) and (definition := source.task(name)) is not None:
                tasks[name] = definition
            pending.extend(_started(step, source, workflows))
    found = {"workflow": workflow, "tasks": tasks}
    return {**found, "workflows": workflows} if workflows else found


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


def _place(name: str, version: int) -> str:
    return f"{name}:{version}"
