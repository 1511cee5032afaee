"""What Conductor's clients can call and this server has not, by what there is instead. No IO."""

from __future__ import annotations

from collections.abc import Mapping

_FILES = (
    "There is no storage of files: have workers keep them where they are, and hand on their URLs."
)
_PAYLOADS = (
    "Inputs and outputs are not kept outside: send them in the body, which may have the size that "
    "the limits say (docs/limits.md)."
)
_MESSAGES = (
    "Executions have no queue of messages: have a WAIT or HUMAN task, and tell its word by "
    "POST /api/tasks/{workflowId}/{taskRefName}/{status}, or a webhook with WAIT_FOR_WEBHOOK."
)
_ALL_SCHEDULES = (
    "Schedules are not paused or resumed all at once: name them, by PUT /api/scheduler/bulk/pause "
    "or PUT /api/scheduler/bulk/resume."
)
_RUNS = "Runs of schedules are in no queue: each is stored with its execution, in one transaction."
_SINKS = (
    "Events come of EVENT tasks with the sink conductor and of webhooks: there are no queues of "
    "others to configure."
)
_INCOMING = "Events come of EVENT tasks and of webhooks: send it to a webhook of yours."
_EVENT_RUNS = "What event handlers did is told by `podium event-runs`, and over gRPC."
_KEY_STATUS = (
    "An access key is not paused: delete it, or pause its application (`enabled: false` in its "
    "definition)."
)
_WORDS = (
    "Words for tasks are taken at once and wait in no queue: there is none to list. GET "
    "/api/tasks/queue/all tells what waits for workers."
)
_PEOPLE = (
    "There are no users and no groups: everybody is an application, with roles and permissions of "
    "its own, and access keys."
)
_ROLES = "Roles are not defined: applications have some of ADMIN, EDITOR, OPERATOR, VIEWER, WORKER."
_GRANTS = "Grants are the `permissions` of an application's definition: `podium apply` puts it."
_SLEEP = (
    "No page waits for nothing: GET /api/tasks/poll/batch/{tasktype}?timeout=5000 takes its time."
)
_UPGRADE = (
    "What runs keeps its definition: let it end, or restart it with useLatestDefinitions=true."
)
_JUMP = (
    "What runs is not moved to another task: skip tasks by "
    "PUT /api/workflow/{workflowId}/skiptask/{taskReferenceName}, or rerun it from a task once it "
    "has ended."
)

UNSERVED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    _FILES: {
        "POST": (
            "/api/files",
            "/api/files/{workflowId}/{fileId}/upload-complete",
            "/api/files/{workflowId}/{fileId}/multipart",
            "/api/files/{workflowId}/{fileId}/multipart/{uploadId}/complete",
        ),
        "GET": (
            "/api/files/{workflowId}/{fileId}",
            "/api/files/{workflowId}/{fileId}/upload-url",
            "/api/files/{workflowId}/{fileId}/download-url",
            "/api/files/content/{workflowId}/{fileId}",
            "/api/files/{workflowId}/{fileId}/multipart/{uploadId}/part/{partNumber}",
        ),
        "PUT": ("/api/files/content/{workflowId}/{fileId}",),
        "DELETE": ("/api/files/{workflowId}/{fileId}/multipart/{uploadId}",),
    },
    _UPGRADE: {"POST": ("/api/workflow/{workflowId}/upgrade",)},
    _JUMP: {"POST": ("/api/workflow/{workflowId}/jump/{taskReferenceName}",)},
    _PAYLOADS: {
        "GET": ("/api/workflow/externalstoragelocation", "/api/tasks/externalstoragelocation"),
    },
    _MESSAGES: {"POST": ("/api/workflow/{workflowId}/messages",)},
    _ALL_SCHEDULES: {"GET": ("/api/scheduler/admin/pause", "/api/scheduler/admin/resume")},
    _RUNS: {"GET": ("/api/scheduler/admin/requeue",)},
    _SLEEP: {"GET": ("/api/scheduler/test/timeout",)},
    _SINKS: {
        "GET": (
            "/api/event/queue/config",
            "/api/event/queue/config/{queueType}/{queueName}",
            "/api/event/queue/connectivity",
        ),
        "POST": ("/api/event/queue/connectivity",),
        "PUT": ("/api/event/queue/config/{queueType}/{queueName}",),
        "DELETE": ("/api/event/queue/config/{queueType}/{queueName}",),
    },
    _INCOMING: {"POST": ("/api/event/handleIncomingEvent",)},
    _EVENT_RUNS: {
        "GET": (
            "/api/event/execution",
            "/api/event/execution/{eventHandlerName}",
            "/api/event/message",
            "/api/event/message/{event}",
        ),
    },
    _KEY_STATUS: {"POST": ("/api/applications/{applicationId}/accessKeys/{keyId}/status",)},
    _WORDS: {"GET": ("/api/queue", "/api/queue/size", "/api/admin/queues")},
    _PEOPLE: {
        "GET": (
            "/api/users",
            "/api/users/{id}",
            "/api/users/{userId}/permissions",
            "/api/users/{userId}/checkPermissions",
            "/api/groups",
            "/api/groups/{id}",
            "/api/groups/{id}/users",
            "/api/groups/{groupId}/permissions",
        ),
        "PUT": ("/api/users/{id}", "/api/groups/{id}"),
        "POST": ("/api/groups/{groupId}/users", "/api/groups/{groupId}/users/{userId}"),
        "DELETE": (
            "/api/users/{id}",
            "/api/groups/{id}",
            "/api/groups/{groupId}/users",
            "/api/groups/{groupId}/users/{userId}",
        ),
    },
    _ROLES: {
        "GET": (
            "/api/roles",
            "/api/roles/system",
            "/api/roles/custom",
            "/api/roles/permissions",
            "/api/roles/{name}",
        ),
        "POST": ("/api/roles",),
        "PUT": ("/api/roles/{name}",),
        "DELETE": ("/api/roles/{name}",),
    },
    _GRANTS: {
        "GET": ("/api/auth/authorization/{type}/{id}",),
        "POST": ("/api/auth/authorization",),
        "DELETE": ("/api/auth/authorization",),
    },
}
"""By what there is instead, the paths of each method."""


UNSERVED_PAGES: tuple[tuple[str, str, str], ...] = tuple(
    (method, path, instead)
    for instead, methods in UNSERVED.items()
    for method, paths in methods.items()
    for path in paths
)
"""Method, path, and what there is instead."""

_MODELS = (
    "Language models have no pages here: call one by an HTTP task with its key from a secret "
    "(${workflow.secrets.NAME}), or have a worker do it, as a SIMPLE task."
)
_HUMANS = (
    "HUMAN tasks have no forms and no inbox: GET /api/tasks/search?query=taskType=HUMAN AND "
    "status=IN_PROGRESS finds them, POST /api/tasks/{workflowId}/{taskRefName}/{status} ends one."
)
_WEBHOOKS = (
    "Webhooks are not put over HTTP: they are definitions (kind: webhook, docs/webhooks.md), which "
    "`podium apply` puts and `podium get webhook` shows."
)
_REMOTES = (
    "Services are not registered to be called: an HTTP task names its URI. Every host has a "
    "circuit breaker, which `podium breakers` shows, opens and closes."
)
_TAGS = (
    "Tags are those of what has them: GET /api/metadata/workflow/{name}/tags, and so of tasks, "
    "schedules, event handlers, secrets and applications."
)
_BPMN = "BPMN is not read: put workflows in Conductor's JSON, by POST /api/metadata/workflow."
_UPLOADS = (
    "Definitions are not uploaded elsewhere: GET /api/metadata/workflow and GET "
    "/api/metadata/taskdefs tell of all of them."
)

UNSERVED_BELOW: Mapping[str, str] = {
    "/api/prompts": _MODELS,
    "/api/integrations": _MODELS,
    "/api/agent": _MODELS,
    "/api/human": _HUMANS,
    "/api/webhook": _WEBHOOKS,
    "/api/metadata/webhook": _WEBHOOKS,
    "/api/registry": _REMOTES,
    "/api/metadata/tags": _TAGS,
    "/api/metadata/workflow-importer": _BPMN,
    "/api/metadata/workflow-task-defs": _UPLOADS,
}
"""What there is instead, by the beginning of a path: of it, and of whatever is below it."""
