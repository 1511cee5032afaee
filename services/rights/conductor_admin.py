"""What Conductor's pages of applications, access keys, administration and queues need."""

from __future__ import annotations

_GET, _LIST = ("registry.GetDefinition",), ("registry.ListDefinitions",)
_PUT, _DELETE = ("registry.PutDefinitions",), ("registry.DeleteDefinition",)
_CHANGE = (*_GET, *_PUT)
_UPDATE, _DECIDE = ("executor.UpdateTask",), ("executor.DecideExecution",)

ADMIN: dict[str, tuple[str, ...]] = {
    "GET /api/applications": _LIST,
    "POST /api/applications": _PUT,
    "GET /api/applications/{id}": _GET,
    "PUT /api/applications/{id}": _CHANGE,
    # Its keys end with it.
    "DELETE /api/applications/{id}": (*_DELETE, "registry.RevokeAccessKey"),
    "POST /api/applications/{applicationId}/roles/{role}": _CHANGE,
    "DELETE /api/applications/{applicationId}/roles/{role}": _CHANGE,
    "GET /api/applications/{id}/tags": _GET,
    "POST /api/applications/{id}/tags": _CHANGE,
    "PUT /api/applications/{id}/tags": _CHANGE,
    "DELETE /api/applications/{id}/tags": _CHANGE,
    "GET /api/applications/{id}/accessKeys": ("registry.ListAccessKeys",),
    "POST /api/applications/{id}/accessKeys": ("registry.CreateAccessKey",),
    "DELETE /api/applications/{applicationId}/accessKeys/{keyId}": (
        "registry.ListAccessKeys",
        "registry.RevokeAccessKey",
    ),
    "GET /api/applications/key/{accessKeyId}": ("registry.ListAccessKeys", *_GET),
    "GET /api/token/userInfo": ("registry.GetOwnAccess",),
    "GET /api/admin/config": ("executor.GetExecutorStatus",),
    "GET /api/admin/task/{tasktype}": ("executor.SearchTasks",),
    "POST /api/admin/sweep/requeue/{workflowId}": _DECIDE,
    "POST /api/admin/consistency/verifyAndRepair/{workflowId}": _DECIDE,
    "POST /api/queue/update/{workflowId}/{taskRefName}/{status}": _UPDATE,
    "POST /api/queue/update/{workflowId}/task/{taskId}/{status}": _UPDATE,
}
