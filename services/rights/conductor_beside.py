"""What the pages beside executions need: events, schedules, and what there is not."""

from __future__ import annotations

from services.unserved import UNSERVED_PAGES

_GET, _LIST = ("registry.GetDefinition",), ("registry.ListDefinitions",)
_CHANGE = ("registry.GetDefinition", "registry.PutDefinitions")
_DELETE = ("registry.DeleteDefinition",)

_EVENTS = {
    "POST /api/event": ("registry.PutDefinitions",),
    "PUT /api/event": _CHANGE,
    "GET /api/event": _LIST,
    "DELETE /api/event/{name}": _DELETE,
    "GET /api/event/{event}": _LIST,
    "GET /api/event/handler": _LIST,
    "GET /api/event/handler/{name}": _GET,
    "GET /api/event/{name}/tags": _GET,
    "POST /api/event/{name}/tags": _CHANGE,
    "PUT /api/event/{name}/tags": _CHANGE,
    "DELETE /api/event/{name}/tags": _CHANGE,
}

_SEARCH_SCHEDULES = (*_LIST, "executor.ListSchedules")
_SCHEDULES = {
    "POST /api/scheduler/schedules": _CHANGE,
    "GET /api/scheduler/schedules": _SEARCH_SCHEDULES,
    "GET /api/scheduler/schedules/search": _SEARCH_SCHEDULES,
    "GET /api/scheduler/schedules/tags": _LIST,
    "GET /api/scheduler/schedules/{name}": (*_GET, "executor.ListSchedules"),
    "DELETE /api/scheduler/schedules/{name}": _DELETE,
    "PUT /api/scheduler/schedules/{name}/pause": _CHANGE,
    "GET /api/scheduler/schedules/{name}/pause": _CHANGE,
    "PUT /api/scheduler/schedules/{name}/resume": _CHANGE,
    "GET /api/scheduler/schedules/{name}/resume": _CHANGE,
    "GET /api/scheduler/schedules/{name}/tags": _GET,
    "POST /api/scheduler/schedules/{name}/tags": _CHANGE,
    "PUT /api/scheduler/schedules/{name}/tags": _CHANGE,
    "DELETE /api/scheduler/schedules/{name}/tags": _CHANGE,
    "PUT /api/scheduler/bulk/pause": _CHANGE,
    "PUT /api/scheduler/bulk/resume": _CHANGE,
    "GET /api/scheduler/nextFewSchedules": ("executor.PreviewSchedule",),
    "GET /api/scheduler/search/executions": ("executor.ListSchedules", "executor.ListScheduleRuns"),
}

# Whoever has a token is told that there is no such thing.
_UNSERVED = {f"{m} {path}": ("registry.GetOwnAccess",) for m, path, _ in UNSERVED_PAGES}

BESIDE: dict[str, tuple[str, ...]] = {**_EVENTS, **_SCHEDULES, **_UNSERVED}
