"""Workflows: what can be run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui.resources.catalog import (
    ACCESS,
    BY,
    FIELDS,
    NAME,
    REVISION,
    TABS,
    UPDATED,
    Definition,
    delete,
    source,
    text_column,
    text_of,
)
from tui.resources.model import Cell, Column, Opening, Resource, Tab
from tui.resources.workflow_test import TEST

_BRANCHES = ("decisionCases", "defaultCase", "forkTasks", "loopOver")


def tasks_of(document: Any) -> Iterator[dict[str, Any]]:
    """Every task of a workflow, those within others too."""
    waiting = [document.get("tasks")] if isinstance(document, dict) else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            if "taskReferenceName" in value or "type" in value:
                yield value
                waiting.extend(value.get(name) for name in _BRANCHES)
            else:
                waiting.extend(value.values())


def _types(row: Definition) -> str:
    types = dict.fromkeys(str(task.get("type", "SIMPLE")) for task in tasks_of(row.document))
    return " ".join(types)


RESOURCE: Resource[Definition] = Resource(
    name="workflows",
    aliases=("wf", "workflow"),
    title="Workflows",
    help="""\
## Workflows

What can be run and mapped to routes: one row a name, its latest version.
""",
    source=source("workflow"),
    columns=(
        NAME,
        Column("version", "V", 3, lambda row, _: Cell(str(row.version)), lambda row: row.version,
               priority=8, right=True),
        Column("versions", "ALL", 3, lambda row, _: Cell(str(len(row.versions)), "muted"),
               lambda row: len(row.versions), priority=3, right=True),
        Column("tasks", "TASKS", 5,
               lambda row, _: Cell(str(sum(1 for _ in tasks_of(row.document)))),
               lambda row: sum(1 for _ in tasks_of(row.document)), priority=5, right=True),
        Column("types", "KINDS", 12, lambda row, _: Cell(_types(row), "muted"), flex=2,
               priority=4),
        text_column("description", "DESCRIPTION", 12, lambda row: row.get("description"), flex=3,
                    priority=3),
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    empty="No workflows yet: n writes one, podium apply FILE puts some.",
    text=text_of,
    tabs=(
        Tab("graph", "Graph", "definition-graph"),
        *TABS,
        Tab("versions", "Versions", "definition-versions"),
        ACCESS,
    ),
    actions=(delete("workflow"), TEST),
    openings=(
        Opening("workflows.run", "x", "Run", "Start an execution of it.", "workflow-run",
                writes=True),
        Opening("workflows.create", "n", "New", "Write a new workflow.", "workflow-editor",
                needs_record=False, writes=True, creates=True),
        Opening("workflows.edit", "e", "Edit", "Write it as JSON or YAML, beside its graph.",
                "workflow-editor", writes=True),
    ),
    kind="workflow",
    sort="name",
)  # fmt: skip
