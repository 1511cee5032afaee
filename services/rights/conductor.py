"""What each page of Conductor's API needs: the RPCs that it is put into."""

from __future__ import annotations

from collections.abc import Mapping

from services.rights.conductor_admin import ADMIN
from services.rights.conductor_beside import BESIDE
from services.rights.conductor_definitions import DEFINITIONS
from services.rights.conductor_executions import EXECUTIONS
from services.rights.conductor_tasks import TASKS

_ABOUT = {
    "GET /api/version": ("executor.GetExecutorStatus",),
}

_LIST, _TASKS = ("executor.ListExecutions",), ("executor.SearchTasks",)
_SEARCHES = {
    "GET /api/workflow/search": _LIST,
    "GET /api/workflow/search-v2": _LIST,
    "GET /api/workflow/search-by-tasks": _TASKS + _LIST,
    "GET /api/workflow/search-by-tasks-v2": _TASKS + _LIST,
    "GET /api/tasks/search": _TASKS,
    "GET /api/tasks/search-v2": _TASKS,
    "POST /api/workflow/bulk/search": _LIST,
}

# What is told after the wait is as much as the caller may hear; that it may not does not refuse it.
_RUN = ("executor.StartExecution", "executor.AttachExecution")
_SIGNAL, _UPDATE = ("executor.SignalExecution",), ("executor.UpdateTask",)
_BLOCKING = {
    "POST /api/workflow/execute/{name}/{version}": _RUN,
    "POST /api/workflow/execute/{name}": _RUN,
    "GET /api/workflow/execute/{name}": _RUN,
    "POST /api/tasks/{workflowId}/{status}/signal": _SIGNAL,
    "POST /api/tasks/{workflowId}/{status}/signal/sync": _SIGNAL,
    "POST /api/tasks/{workflowId}/{taskRefName}/{status}/sync": _UPDATE,
}

CONDUCTOR: Mapping[str, tuple[str, ...]] = {
    **_ABOUT,
    **ADMIN,
    **EXECUTIONS,
    **_SEARCHES,
    **_BLOCKING,
    **BESIDE,
    **DEFINITIONS,
    **TASKS,
}
