"""Routes: which request runs which workflow, as the services' documents say. No IO."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.edge.cachekeys import CacheConfig, read_cache_config
from services.edge.concurrency import Concurrency, read_concurrency
from services.edge.cors import Cors, read_cors
from services.edge.half import Response
from services.edge.keeping import Place
from services.edge.query import Parameter, read_parameters
from services.edge.quotas import Quota, read_quotas
from services.edge.schemas import SchemaUse, read_use
from services.edge.trie import Elsewhere, Found, Trie, is_parameter, template_segments
from services.edge.webhooks import Webhook, read_webhook

DEFAULT_TIMEOUT_SECONDS = 30.0
LONGEST_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """One route, with all of its service that a request needs.

    Attributes:
        method: GET, POST, PUT, DELETE or PATCH.
        path: The whole template, the service's path included.
        below: The part of it that is the route's own.
        parameters: The names in ``path``, in order.
        version: The workflow's; 0: the latest at each call.
        asynchronous: 202 at once.
        await_refs: The tasks of which the first to end is the answer.
        enabled: The service is.
        cors: Which pages may call; None: those of the gateway's own origin.
        query: The declared fields of the query; None: all that are sent reach the input.
        input_schema: What the body must be, or the parameters of a call that has none.
        pre_request_script: Makes the input; empty: it is mapped.
        response: What is made of the result, but for a schema that is named.
        output_schema: What the answer's body must be.
        quotas: How often it may be called.
        concurrency: How many of its executions run side by side; None: any number.
        idempotent_on_public: An ``Idempotency-Key`` is heeded where anybody may call, too.
        cache: Which of its answers are kept, and how; None: none.
        webhook: Who is told of the end.
        scopes: That a caller's token must have.
        ends_when_left: The execution ends with its caller's connection.
        answer_half: JSON text, open at its end: what is kept with an execution to answer for it
            later; see :class:`services.edge.half.Half`.
    """

    service_id: str
    auth_id: str
    enabled: bool
    method: str
    path: str
    below: str
    parameters: tuple[str, ...]
    workflow: str
    version: int
    asynchronous: bool
    await_refs: tuple[str, ...]
    timeout_seconds: float
    answer_half: str
    cors: Cors | None
    query: tuple[Parameter, ...] | None
    input_schema: SchemaUse | None
    pre_request_script: str
    response: Response
    output_schema: SchemaUse | None
    quotas: tuple[Quota, ...]
    concurrency: Concurrency | None
    cache: CacheConfig | None
    ends_when_left: bool
    idempotent_on_public: bool
    webhook: Webhook | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def scope(self) -> tuple[str, str, str]:
        """What counts of the route, and nothing of another one, are kept under."""
        return self.service_id, self.method, self.path


def routes_of(service: Mapping[str, Any]) -> tuple[Route, ...]:
    """The routes of a service's document, as the registry keeps it."""
    cors = read_cors(service)
    return tuple(_route(service, route, cors) for route in service.get("routes") or ())


def _route(service: Mapping[str, Any], route: Mapping[str, Any], cors: Cors | None) -> Route:
    path = joined(service["path"], route["path"])
    mapped = route["mappedWorkflow"]
    await_refs = awaited(route.get("waitUntilTasks"))
    return Route(
        service_id=service["id"],
        auth_id=service["authConfigId"],
        enabled=service.get("enabled") is not False,
        method=route["httpMethod"],
        path=path,
        below=route["path"],
        parameters=tuple(part[1:-1] for part in template_segments(path) if is_parameter(part)),
        workflow=mapped["name"],
        version=mapped.get("version") or 0,
        asynchronous=route.get("workflowExecutionMode") == "ASYNCHRONOUS",
        await_refs=await_refs,
        timeout_seconds=_timeout(route.get("timeoutInSeconds")),
        answer_half=_half(service, f"{route['httpMethod']} {path}", await_refs),
        cors=cors,
        query=read_parameters(route["queryParameters"]) if route.get("queryParameters") else None,
        input_schema=read_use(route, "inputSchema"),
        pre_request_script=route.get("preRequestScript") or "",
        response=Response(
            script=route.get("postResponseScript") or "",
            envelope=route.get("responseEnvelope") is True,
            exposed=route.get("exposeDetails") is True,
        ),
        output_schema=read_use(route, "outputSchema"),
        quotas=read_quotas(route.get("rateLimits")),
        cache=_cache(service["id"], path, route),
        concurrency=read_concurrency(route.get("rateLimitConfig")),
        ends_when_left=route.get("onClientGone") == "TERMINATE",
        idempotent_on_public=route.get("idempotencyOnPublic") is True,
        webhook=read_webhook(route),
        scopes=frozenset(route.get("scopes") or ()),
    )


def _half(service: Mapping[str, Any], route: str, await_refs: object) -> str:
    half = {
        "service": service["id"],
        "route": route,
        "auth": service["authConfigId"],
        "awaitRefs": await_refs,
    }
    return json.dumps(half, separators=(",", ":"))[:-1]


def _cache(service_id: str, path: str, route: Mapping[str, Any]) -> CacheConfig | None:
    if route.get("workflowExecutionMode") == "ASYNCHRONOUS":
        # Whoever calls wants an execution, and no answer.
        return None
    place = Place(service_id, route["httpMethod"], path)
    return read_cache_config(place, route.get("cacheConfig"))


def _timeout(seconds: float | None) -> float:
    return min(float(seconds or DEFAULT_TIMEOUT_SECONDS), LONGEST_TIMEOUT_SECONDS)


def awaited(wait_until_tasks: object) -> tuple[str, ...]:
    """``"charge, ship"`` → ``("charge", "ship")``."""
    if not isinstance(wait_until_tasks, str):
        return ()
    return tuple(ref for part in wait_until_tasks.split(",") if (ref := part.strip()))


def joined(service_path: str, route_path: str) -> str:
    """``/api/orders`` and ``/{id}`` → ``/api/orders/{id}``."""
    return "/" + "/".join((*template_segments(service_path), *template_segments(route_path)))


class RouteTable:
    """All routes of all services, as they were at one moment."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._trie: Trie[Route] = Trie()
        for route in routes:
            self._trie.add(route.method, route.path, route)

    def find(
        self, method: str, segments: tuple[str, ...]
    ) -> Found[Route] | Elsewhere[Route] | None:
        """The route of a request; HEAD is answered by GET's."""
        return self._trie.find("GET" if method == "HEAD" else method, segments)

    def begins(self, segments: tuple[str, ...]) -> bool:
        """Whether the path of a route begins with ``segments``."""
        return self._trie.begins(segments)
