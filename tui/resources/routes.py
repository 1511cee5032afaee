"""Routes: every call that the gateway takes, and which workflow it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tui.resources.catalog import TABS, Definition, source
from tui.resources.model import Cell, Column, Opening, Resource, Tab
from tui.views.route_paths import whole_path


class Route(NamedTuple):
    """A route of a service.

    Attributes:
        id: ``service METHOD /whole/path``.
        path: The whole of it; ``below`` is the part below the service's.
        document: The route as it is defined; ``service`` is the whole service's definition.
    """

    id: str
    service_id: str
    method: str
    path: str
    below: str
    workflow: str
    version: int
    enabled: bool
    auth: str
    document: Mapping[str, Any]
    service: Definition

    @property
    def definition(self) -> Definition:
        """That of the service."""
        return self.service


def routes_of(service: Definition) -> Iterable[Route]:
    """The rows of a service."""
    for route in service.get("routes", ()):
        mapped = route.get("mappedWorkflow") or {}
        below = str(route.get("path", "/"))
        path = whole_path(str(service.get("path")), below)
        method = str(route.get("httpMethod", ""))
        yield Route(
            f"{service.id} {method} {path}",
            service.id,
            method,
            path,
            below,
            str(mapped.get("name", "")),
            int(mapped.get("version") or 0),
            bool(service.get("enabled", True)),
            str(service.get("authConfigId")),
            route,
            service,
        )


_TONES = {"GET": "success", "POST": "primary", "DELETE": "error"}


def _method(row: Route, now: float) -> Cell:
    return Cell(row.method, _TONES.get(row.method, "warning"))


def _rules(row: Route, now: float) -> Cell:
    names = {
        "cacheConfig": "cache", "rateLimitConfig": "concurrency", "rateLimits": "rate",
        "inputSchema": "schema", "inputSchemaRef": "schema", "preRequestScript": "pre",
        "postResponseScript": "post", "waitUntilTasks": "wait",
    }  # fmt: skip
    return Cell(" ".join(dict.fromkeys(names[key] for key in names if row.document.get(key))),
                "muted")  # fmt: skip


RESOURCE: Resource[Route] = Resource(
    name="routes",
    aliases=("route", "rt"),
    title="Routes",
    help="""\
## Routes

Every call that the gateway takes, which workflow it runs, and what stands on its way.
""",
    source=source("service", "routes", routes_of),
    columns=(
        Column("method", "METHOD", 6, _method,
               lambda row: row.method, priority=9),
        Column("path", "PATH", 20, lambda row, _: Cell(row.path), lambda row: row.path, flex=4,
               priority=9),
        Column("workflow", "WORKFLOW", 14,
               lambda row, _: Cell(row.workflow + (f" v{row.version}" if row.version else "")),
               lambda row: row.workflow, flex=2, priority=8),
        Column("mode", "MODE", 5,
               lambda row, _: Cell("async" if row.document.get("workflowExecutionMode")
                                   == "ASYNCHRONOUS" else "sync", "muted"), priority=3),
        Column("service", "SERVICE", 10, lambda row, _: Cell(row.service_id),
               lambda row: row.service_id, flex=1, priority=6),
        Column("state", "STATE", 10,
               lambda row, _: Cell("● enabled", "success") if row.enabled
               else Cell("○ disabled", "muted"), lambda row: not row.enabled, priority=5),
        Column("auth", "AUTH", 10, lambda row, _: Cell(row.auth, "muted"), lambda row: row.auth,
               flex=1, priority=4),
        Column("rules", "RULES", 10, _rules, flex=1, priority=2),
    ),
    fields={
        "method": lambda row: row.method,
        "path": lambda row: row.path,
        "workflow": lambda row: row.workflow,
        "service": lambda row: row.service_id,
        "auth": lambda row: row.auth,
        "enabled": lambda row: row.enabled,
    },
    label=lambda row: f"{row.method} {row.path}",
    text=lambda row: f"{row.id} {row.workflow} {row.document.get('description', '')}",
    tabs=(
        *TABS,
        Tab("traffic", "Traffic", "traffic"),
        Tab("test", "Test", "route-test"),
        Tab("openapi", "OpenAPI", "openapi"),
    ),
    openings=(
        Opening("routes.test", "t", "Test", "Call it, and see what the gateway did at each stage.",
                "route-trial", writes=True),
        Opening("routes.scripts", "i,s", "Scripts",
                "Write its scripts, run them on a payload, and store them.", "route-scripts"),
        Opening("route.create", "n", "New", "Write one more route of this service in a form.",
                "route-form", writes=True, owner="service"),
        Opening("route.edit", "e", "Edit", "Write this route in a form.", "definition-form",
                writes=True),
    ),
    kind="service",
    sort="path",
)  # fmt: skip
