"""SUB_WORKFLOW: another workflow, whose end the task waits for."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.tasks.workflow_keys import KEY, STRATEGY
from services.registry.definitions.values import (
    MapOf,
    Name,
    Object,
    OrExpression,
    Text,
    holds_expression,
    whole,
)


def _check(param: Document, at: Place) -> None:
    name, version = param.get("name"), param.get("version")
    if param.get("workflowDefinition") is not None:
        return
    if name is None:
        (at / "name").fault("is required, unless there is a workflowDefinition")
    elif isinstance(name, str) and not holds_expression(name):
        pinned = version if isinstance(version, int) and version else None
        (at / "name").refer("workflow", name, pinned)


PARAM = Record(
    "a sub-workflow",
    (
        Field(
            "name",
            OrExpression(Name()),
            "The workflow that runs. Where it holds no `${…}`, the version is settled when the "
            "execution around it begins.",
            refers="workflow",
        ),
        Field("version", OrExpression(whole()), "Which version; 0 or absent: the latest."),
        Field(
            "workflowDefinition",
            OrExpression(Object()),
            "A workflow that is not put by itself, or `${…}` for one.",
        ),
        Field("priority", OrExpression(whole(0, 99)), "Absent: that of the execution around it."),
        Field(
            "taskToDomain",
            MapOf(Text()),
            "By task type, or `*`, the domains whose workers have its tasks; absent: as here.",
        ),
        KEY,
        STRATEGY,
    ),
    unknown=Unknown.WARN,
    rules=(_check,),
)

KIND = TaskKind(
    name="SUB_WORKFLOW",
    doc=(
        "Runs another workflow with the task's input, and ends as that execution does: with its "
        "output and `subWorkflowId`. When the execution around it ends, it is terminated. A retry "
        "begins another one, unless the operator retries with `--resume`: then that one itself "
        "goes on. Sub-workflows nest up to 100 levels; none may lead to itself."
    ),
    fields=(Field("subWorkflowParam", PARAM, "What runs.", required=True),),
)
