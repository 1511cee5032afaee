"""Services and their routes: which HTTP requests run which workflows."""

from __future__ import annotations

from services.registry.definitions.caching import CACHE, check_cache
from services.registry.definitions.concurrency import CONCURRENCY, check_concurrency
from services.registry.definitions.limits import RATE_LIMIT, check_rate_limits
from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.paths import (
    PathType,
    documentation,
    erased,
    is_the_gateways,
    joined,
    parameter_names,
    segments,
)
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import (
    SERVER_WRITTEN,
    Field,
    Record,
    Status,
    kept,
    later,
    refers_to,
)
from services.registry.definitions.requests import (
    QUERY_PARAMETER,
    SCHEMA_REFERENCE,
    JsonSchema,
    Script,
    check_parameters,
    check_schemas,
)
from services.registry.definitions.tokens import SCOPES
from services.registry.definitions.values import (
    Anything,
    Boolean,
    Choice,
    ListOf,
    Name,
    Text,
    whole,
)
from services.registry.definitions.webhooks import WEBHOOK, check_webhook

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
LONGEST_TIMEOUT_SECONDS = 300

_SERVICE_ID = Text(
    longest=63,
    pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    wants="lowercase letters, digits and hyphens",
)
_METADATA = Field(
    "requestMetadataAsInput",
    Boolean(),
    "Accepted; `requestMetadata` is always in the input.",
    status=Status.KEPT,
)


def _server(*names: str) -> tuple[Field, ...]:
    return tuple(
        Field(name, Anything(), "Written by the server.", status=Status.SERVER) for name in names
    )


def awaited(wait_until_tasks: Json) -> tuple[str, ...]:
    """The references in ``waitUntilTasks``: ``"charge, ship"`` → ``("charge", "ship")``."""
    if not isinstance(wait_until_tasks, str):
        return ()
    return tuple(ref for part in wait_until_tasks.split(",") if (ref := part.strip()))


_MAPPED = Record(
    "a mapped workflow",
    (
        Field("name", Name(), "The workflow that runs.", required=True, refers="workflow"),
        Field("version", whole(), "Which version; 0 or absent: the latest at each call."),
        _METADATA,
    ),
    rules=(refers_to("workflow"),),
)


def _check_route(route: Document, at: Place) -> None:
    path = route.get("path")
    parameters = parameter_names(path) if isinstance(path, str) else ()
    check_parameters(route, parameters, at)
    check_rate_limits(route, at)
    check_cache(route, at)
    check_concurrency(route, at)
    check_schemas(route, at)
    check_webhook(route, at)
    _warn_of_a_star(path, at / "path")
    if route.get("idempotencyOnPublic") is True and route.get("httpMethod") == "GET":
        (at / "idempotencyOnPublic").warn("has no effect: no Idempotency-Key is heeded on GET")
    if route.get("responseEnvelope") is True and not route.get("postResponseScript"):
        (at / "responseEnvelope").fault("needs a postResponseScript, which gives the envelope")


def _warn_of_a_star(path: Json, at: Place) -> None:
    for part in segments(path) if isinstance(path, str) else ():
        if "*" in part:
            at.warn(
                f"{shown(part)} is taken literally: no path has wildcards, "
                "{name} is any one segment"
            )


ROUTE = Record(
    "a route",
    (
        Field("httpMethod", Choice(METHODS), "The method; HEAD runs the GET route.", required=True),
        Field(
            "path",
            PathType(parameters=True),
            "Below the service's; `{name}` is one whole, non-empty segment.",
            required=True,
        ),
        kept("description", Text(), "For people, and for tools that list the route."),
        Field("mappedWorkflow", _MAPPED, "What a call runs.", required=True),
        Field(
            "workflowExecutionMode",
            Choice(("SYNCHRONOUS", "ASYNCHRONOUS")),
            "Wait for the result, or answer 202 at once.",
            default="SYNCHRONOUS",
        ),
        Field(
            "waitUntilTasks",
            Text(longest=4096),
            "Task references, comma-separated: answer with the first of them that ends.",
        ),
        Field(
            "timeoutInSeconds",
            whole(0, LONGEST_TIMEOUT_SECONDS),
            "How long a call waits before it gets 202; 0 means 30.",
            default=30,
            neutral=(0,),
        ),
        Field(
            "exposeDetails",
            Boolean(),
            "Task names, reasons and events in public answers.",
            default=False,
        ),
        _METADATA,
        kept("tags", ListOf(Anything()), "Tags."),
        later(
            "workflowMetadataInOutput",
            "The execution among the output.",
            refusal="is not supported: the answer is the output; its id is in Podium-Execution-Id",
        ),
        Field(
            "inputSchema",
            JsonSchema(),
            "What the body must be; on GET and DELETE without one, the query and path parameters.",
        ),
        Field("inputSchemaRef", SCHEMA_REFERENCE, "The same by a schema definition."),
        Field("outputSchema", JsonSchema(), "What the answer's body must be; else 502."),
        Field("outputSchemaRef", SCHEMA_REFERENCE, "The same by a schema definition."),
        Field(
            "queryParameters",
            ListOf(QUERY_PARAMETER),
            "The fields of the query that reach the input; without any, all do, as text.",
        ),
        Field(
            "preRequestScript",
            Script(),
            "JavaScript whose value is the workflow's input; `$` is the input as it is mapped.",
        ),
        Field(
            "postResponseScript",
            Script(),
            "JavaScript whose value is the answer's body; `$` is the output.",
        ),
        Field(
            "responseEnvelope",
            Boolean(),
            "The postResponseScript gives `{statusCode, headers, body}`.",
            default=False,
        ),
        Field(
            "scopes",
            SCOPES,
            "What a caller's token must have in `scope` or `scp`, all of it; else 403. Keys have "
            "none.",
        ),
        Field("cacheConfig", CACHE, "Keep answers, and share executions of the same call."),
        Field("rateLimitConfig", CONCURRENCY, "How many of its executions run side by side."),
        Field("rateLimits", ListOf(RATE_LIMIT), "How often it may be called; 429 beyond."),
        Field(
            "completionWebhook",
            WEBHOOK,
            "Who is told of the end, on an ASYNCHRONOUS route.",
        ),
        Field(
            "idempotencyOnPublic",
            Boolean(),
            "Whether an `Idempotency-Key` is heeded where anybody may call: who guesses one gets "
            "its answer.",
            default=False,
        ),
        Field(
            "onClientGone",
            Choice(("CONTINUE", "TERMINATE")),
            "What becomes of an execution whose caller has left before the answer.",
            default="CONTINUE",
        ),
        *SERVER_WRITTEN,
        *_server("serviceId", "basePath"),
    ),
    rules=(_check_route,),
)

_ORIGIN = Text(
    longest=255,
    pattern=r"\*|null|[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.*_-]+(:([0-9]{1,5}|\*))?|"
    r"[A-Za-z][A-Za-z0-9+.-]*://\[[0-9A-Fa-f:.]+\](:([0-9]{1,5}|\*))?",
    wants="an origin like https://shop.example or https://*.shop.example, without a path, or '*'",
)
_HEADER_NAMES = ListOf(
    Text(
        longest=255,
        pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]+",
        wants="the name of a header, or '*'",
    )
)
_LONGEST_MAX_AGE = 86_400


def _check_cors(cors: Document, at: Place) -> None:
    origins = cors.get("accessControlAllowOrigin")
    for index, origin in enumerate(origins if isinstance(origins, list) else ()):
        host = f"{origin}".partition("://")[2].partition(":")[0]
        if host.count("*") > 1:
            (at / "accessControlAllowOrigin" / index).fault("must not have more than one '*' in it")
    if cors.get("accessControlAllowCredentials") is not True:
        return
    if isinstance(origins, list) and "*" in origins:
        (at / "accessControlAllowCredentials").fault(
            "must not be true where any origin may call: list the origins"
        )


_CORS = Record(
    "a CORS configuration",
    (
        Field(
            "accessControlAllowOrigin",
            ListOf(_ORIGIN),
            "Origins; `https://*.shop.example` is every host below that one, `*` any origin. "
            "Without one, other origins are told nothing.",
        ),
        Field(
            "accessControlAllowMethods",
            ListOf(Choice((*METHODS, "HEAD", "OPTIONS", "*"))),
            "Methods; absent or `*`: those of the path.",
        ),
        Field(
            "accessControlAllowHeaders",
            _HEADER_NAMES,
            "Request headers; absent or `*`: those that are asked for.",
        ),
        Field(
            "accessControlExposeHeaders",
            _HEADER_NAMES,
            "Headers of the answer that pages may read; absent: Location, Retry-After, "
            "X-Request-Id, Podium-Execution-Id.",
        ),
        Field(
            "accessControlAllowCredentials",
            Boolean(),
            "Whether cookies and the like may come with a call; not where any origin may call.",
            default=False,
        ),
        Field(
            "accessControlMaxAge",
            whole(0, _LONGEST_MAX_AGE),
            "Seconds for which a browser may keep the answer to a preflight.",
        ),
    ),
    rules=(_check_cors,),
)


def _check(document: Document, at: Place) -> None:
    auth = document.get("authConfigId")
    if isinstance(auth, str) and auth:
        (at / "authConfigId").refer("auth", auth)
    base, routes = document.get("path"), document.get("routes")
    if isinstance(base, str) and isinstance(routes, list):
        _check_routes(document.get("id"), base, routes, at / "routes")


def _check_routes(service_id: Json, base: str, routes: list[Json], at: Place) -> None:
    own = documentation(service_id) if isinstance(service_id, str) else {}
    seen: dict[tuple[Json, ...], int] = {}
    for index, route in enumerate(routes):
        path = route.get("path") if isinstance(route, dict) else None
        if not isinstance(route, dict) or not isinstance(path, str):
            continue
        whole_path = joined(base, path)
        if is_the_gateways(whole_path) and not is_the_gateways(base):
            (at / index / "path").fault("must not be below '/-', which is the gateway's own")
        if page := own.get(segments(whole_path)):
            (at / index / "path").fault(f"would hide {page}, which the gateway answers")
        method = route.get("httpMethod")
        key = (method if isinstance(method, str) else None, *erased(whole_path))
        first = seen.setdefault(key, index)
        if first != index and key[0] is not None:
            (at / index).fault(f"answers the same requests as routes[{first}]")


KIND = Kind(
    name="service",
    doc="A group of HTTP routes below one path, each of which runs a workflow.",
    record=Record(
        "a service",
        (
            Field("id", _SERVICE_ID, "Its id; immutable.", required=True),
            kept("name", Name(), "Display name; without it, the id."),
            kept("description", Text(), "For people."),
            Field(
                "path",
                PathType(parameters=False),
                "Base path of all routes; immutable.",
                required=True,
            ),
            Field("enabled", Boolean(), "Disabled, all routes answer 503.", default=True),
            Field(
                "authConfigId",
                Name(),
                "How callers prove who they are.",
                required=True,
                refers="auth",
            ),
            Field("mcpEnabled", Boolean(), "Routes as MCP tools at `/{id}/mcp`.", default=True),
            Field(
                "docsPublic",
                Boolean(),
                "Whether `/{id}/openapi` and `/{id}/docs` need no key.",
                default=True,
            ),
            Field(
                "corsConfig",
                _CORS,
                "Which pages of other origins may call; absent: none.",
            ),
            Field("routes", ListOf(ROUTE), "The routes.", default=[]),
            *_server("basePath"),
        ),
    ),
    identity="id",
    immutable=("id", "path"),
    check=_check,
)
