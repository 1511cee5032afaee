"""What each page of Conductor's API that is about executions needs."""

from __future__ import annotations

from collections.abc import Mapping

_START = ("executor.StartExecution",)
_GET = ("executor.GetExecution",)
_FIND = ("executor.ListExecutions",)
_DELETE = ("executor.DeleteExecution",)
_MANY = ("executor.OperateExecutions",)

EXECUTIONS: Mapping[str, tuple[str, ...]] = {
    "POST /api/workflow": _START,
    "POST /api/workflow/{name}": _START,
    "POST /api/workflow/start/{name}/{version}": _START,
    "GET /api/workflow/{workflowId}": _GET,
    "GET /api/workflow/{workflowId}/status": _GET,
    "GET /api/workflow/{workflowId}/tasks": _GET,
    "GET /api/workflow/running/{name}": _FIND,
    "GET /api/workflow/{name}/correlated/{correlationId}": _FIND,
    "POST /api/workflow/{name}/correlated": _FIND,
    "POST /api/workflow/correlated/batch": _FIND,
    "PUT /api/workflow/decide/{workflowId}": ("executor.DecideExecution",),
    "PUT /api/workflow/{workflowId}/pause": ("executor.PauseExecution",),
    "PUT /api/workflow/{workflowId}/resume": ("executor.ResumeExecution",),
    "PUT /api/workflow/{workflowId}/skiptask/{taskReferenceName}": ("executor.SkipTask",),
    "POST /api/workflow/{workflowId}/rerun": ("executor.RerunExecution",),
    "POST /api/workflow/{workflowId}/restart": ("executor.RestartExecution",),
    "POST /api/workflow/{workflowId}/retry": ("executor.RetryExecution",),
    "POST /api/workflow/{workflowId}/resetcallbacks": ("executor.ResetCallbacks",),
    "DELETE /api/workflow/{workflowId}": ("executor.TerminateExecution",),
    "DELETE /api/workflow/{workflowId}/remove": _DELETE,
    "DELETE /api/workflow/{workflowId}/terminate-remove": _DELETE,
    "PUT /api/workflow/bulk/pause": _MANY,
    "PUT /api/workflow/bulk/resume": _MANY,
    "POST /api/workflow/bulk/restart": _MANY,
    "POST /api/workflow/bulk/retry": _MANY,
    "POST /api/workflow/bulk/terminate": _MANY,
    "DELETE /api/workflow/bulk/remove": _MANY,
    "POST /api/workflow/bulk/delete": _MANY,
    "DELETE /api/workflow/bulk/terminate-remove": _MANY,
    "POST /api/workflow/{workflowId}/variables": (
        "executor.GetExecution", "executor.UpdateVariables",
    ),
    "POST /api/workflow/{workflowId}/state": (
        "executor.GetExecution", "executor.UpdateVariables", "executor.UpdateTask",
        "executor.AttachExecution",
    ),
    "POST /api/workflow/test": ("executor.TestWorkflow",),
}  # fmt: skip
