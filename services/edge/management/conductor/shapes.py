"""Definitions between the registry's documents and Conductor's. No IO.

Documents are Conductor's already. What Conductor always writes is written here too, so that clients
need not ask whether it is there; what clients send is stored as they sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.edge.management.conductor.fields import refused
from services.edge.management.configuration.documents import Document, Kept
from services.errors import InvalidRequest

_WORKFLOW: Mapping[str, Any] = {
    "version": 1,
    "tasks": [],
    "inputParameters": [],
    "outputParameters": {},
    "schemaVersion": 2,
    "restartable": True,
    "workflowStatusListenerEnabled": False,
    "timeoutPolicy": "ALERT_ONLY",
    "timeoutSeconds": 0,
    "variables": {},
    "inputTemplate": {},
    "enforceSchema": True,
    "metadata": {},
    "maskedFields": [],
}
_TASK: Mapping[str, Any] = {
    "inputParameters": {},
    "type": "SIMPLE",
    "decisionCases": {},
    "defaultCase": [],
    "forkTasks": [],
    "startDelay": 0,
    "joinOn": [],
    "optional": False,
    "defaultExclusiveJoinTask": [],
    "asyncComplete": False,
    "loopOver": [],
    "onStateChange": {},
    "permissive": False,
}
_TASK_DEF: Mapping[str, Any] = {
    "retryCount": 3,
    "timeoutSeconds": 0,
    "inputKeys": [],
    "outputKeys": [],
    "timeoutPolicy": "TIME_OUT_WF",
    "retryLogic": "FIXED",
    "retryDelaySeconds": 60,
    "responseTimeoutSeconds": 3600,
    "inputTemplate": {},
    "rateLimitPerFrequency": 0,
    "rateLimitFrequencyInSeconds": 1,
    "backoffScaleFactor": 1,
    "maxRetryDelaySeconds": 0,
    "backoffJitterMs": 0,
    "totalTimeoutSeconds": 0,
    "enforceSchema": False,
    "runtimeMetadata": [],
}
_SCHEMA: Mapping[str, Any] = {"version": 1, "type": "JSON"}


def workflow_shown(kept: Kept) -> Document:
    """A workflow as clients read it, with every task of it."""
    shown = _shown(kept, _WORKFLOW)
    shown["tasks"] = _tasks_shown(shown["tasks"])
    return shown


def task_def_shown(kept: Kept) -> Document:
    """A task definition as clients read it."""
    return _shown(kept, _TASK_DEF)


def schema_shown(kept: Kept) -> Document:
    """A schema as clients read it."""
    return _shown(kept, _SCHEMA)


def _shown(kept: Kept, defaults: Mapping[str, Any]) -> Document:
    own = {name: value for name, value in kept.document.items() if name != "kind"}
    return {**kept.stamps(), **defaults, **own}


def _task_shown(task: Document) -> Document:
    shown = {**_TASK, **task}
    cases, forks = shown["decisionCases"], shown["forkTasks"]
    # Of other types' fields the registry takes whatever there is; no client reads what is no task.
    shown["decisionCases"] = (
        {case: _tasks_shown(tasks) for case, tasks in cases.items()}
        if isinstance(cases, dict)
        else {}
    )
    shown["forkTasks"] = [_tasks_shown(each) for each in forks] if isinstance(forks, list) else []
    for name in ("defaultCase", "loopOver"):
        shown[name] = _tasks_shown(shown[name])
    return shown


def _tasks_shown(tasks: Any) -> list[Document]:
    listed = tasks if isinstance(tasks, list) else []
    return [_task_shown(each) for each in listed if isinstance(each, dict)]


def written(kind: str, sent: Any) -> Document:
    """The document to put for what a client sent.

    Raises:
        InvalidRequest: It is no object.
    """
    if not isinstance(sent, dict):
        raise refused("", f"The body must be a JSON object: a {_SAID[kind]}")
    # A field of that name is unknown to Conductor, which ignores it.
    known = {name: value for name, value in sent.items() if name not in _OF_PUTS}
    return {**known, "kind": kind}


# Orkes' clients send it among a workflow's fields: it says how to put it, and is none of them.
_OF_PUTS = frozenset({"overwriteTags"})


def all_written(kind: str, sent: Any) -> list[Document]:
    """As :func:`written`, of a list; one alone is a list of one.

    Raises:
        InvalidRequest: One of them is no object, there are none, or too many.
    """
    several = sent if isinstance(sent, list) else [sent]
    for at, each in enumerate(several):
        if not isinstance(each, dict):
            said = f"must be a JSON object: a {_SAID[kind]}"
            if isinstance(sent, list):
                raise refused(f"[{at}]", said)
            raise refused("", f"The body {said}, or a list of them")
    if len(several) > _MOST:
        raise InvalidRequest(f"At most {_MOST} definitions are put at once.")
    documents = [written(kind, each) for each in several]
    if not documents:
        raise InvalidRequest(_EMPTY[kind])
    return documents


# As many as the registry takes.
_MOST = 10_000
_SAID = {"workflow": "workflow", "task": "task definition", "schema": "schema"}
# Conductor's own sentences, where it has one.
_EMPTY = {
    "workflow": "WorkflowDef list cannot be null or empty",
    "task": "TaskDefList is empty",
    "schema": "The list of schemas is empty.",
}
