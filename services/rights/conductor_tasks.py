"""What Conductor's pages of tasks need that workers and those who look after them use."""

from __future__ import annotations

_UPDATE = ("worker.UpdateTask",)
_QUEUES = ("worker.ListQueues",)

TASKS: dict[str, tuple[str, ...]] = {
    "GET /api/tasks/poll/{tasktype}": ("worker.PollTasks",),
    "GET /api/tasks/poll/batch/{tasktype}": ("worker.PollTasks",),
    "POST /api/tasks": _UPDATE,
    "POST /api/tasks/update-v2": _UPDATE,
    "GET /api/tasks/{taskId}": ("worker.GetTask",),
    "POST /api/tasks/{taskId}/log": ("worker.AddTaskLog",),
    "GET /api/tasks/{taskId}/log": ("worker.ListTaskLogs",),
    "GET /api/tasks/queue/sizes": _QUEUES,
    "GET /api/tasks/queue/size": _QUEUES,
    "GET /api/tasks/queue/all": _QUEUES,
    "GET /api/tasks/queue/all/verbose": _QUEUES,
    "GET /api/tasks/queue/polldata": _QUEUES,
    "GET /api/tasks/queue/polldata/all": _QUEUES,
    "POST /api/tasks/queue/requeue/{taskType}": ("worker.RequeueTasks",),
}
