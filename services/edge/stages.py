"""The way of a request through the gateway: its stages, in order, each a function of its own."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from services.edge import mapping, query, webhooks
from services.edge.bodies import aside, read_body
from services.edge.caching import through_cache
from services.edge.call import Answer, Call, caller_of, route_of
from services.edge.concurrency import with_policy
from services.edge.dispatch import found_or_answer
from services.edge.documentation import documentation
from services.edge.events import resume
from services.edge.idempotency import HEADER, identified
from services.edge.identity import identify_with
from services.edge.mcp.stage import tool_stage
from services.edge.own import own_pages
from services.edge.preflights import cors_at, preflight
from services.edge.problems import Faults, Problem, retry_after
from services.edge.proving import proven, token_problem
from services.edge.quotas import take
from services.edge.routes import Route
from services.edge.running import run, schema_of
from services.edge.scripting import failed
from services.edge.tokens.claims import lacking
from services.edge.unrouted import said_of
from services.json_text import Json

if TYPE_CHECKING:
    from services.edge.endpoint import Stage
    from services.edge.gateway import Gateway

# What an executor takes; numbers may be longer as they are written again than as they came.
_LONGEST_INPUT = 16 * 1024 * 1024


async def identify(call: Call, gateway: Gateway) -> None:
    """The request's id and trace, and its path in segments; 400."""
    identify_with(call, gateway.new_id)
    if gateway.spanning is not None:
        gateway.spanning.begin(call)


async def route(call: Call, gateway: Gateway) -> Answer | None:
    """The route, its path parameters; 204, 404, 405, or 503 where the service is switched off."""
    there = gateway.definitions.routes.find(call.method, call.segments)
    if (cors := cors_at(there)) is not None:
        call.shared_headers = cors.headers_of_answer(call.header.get(b"origin"))
    if there is None:
        raise Problem("no-route", said_of(call.segments, gateway.definitions.routes.begins))
    found = found_or_answer(call.method, there)
    if isinstance(found, Answer):
        return found
    call.route = found.value
    if not found.value.enabled:
        raise Problem("service-disabled", headers=(retry_after(60),))
    call.parameters = dict(zip(found.value.parameters, found.parameters, strict=True))
    return None


async def authenticate(call: Call, gateway: Gateway) -> None:
    """Who calls; 401, 403 for a token without a scope."""
    config = gateway.definitions.auth(route_of(call).auth_id)
    if config is None:
        # Its document has not come yet: nobody can be let in, and nobody is at fault.
        raise Problem("unavailable", headers=(retry_after(),))
    call.caller = await proven(call, gateway, config, route_of(call).service_id)


async def authorize(call: Call, gateway: Gateway) -> None:
    """The token's scopes, and the application's EXECUTE on the workflow; 403."""
    route, application_id = route_of(call), caller_of(call).application_id
    if route.scopes and (missing := route.scopes - caller_of(call).scopes):
        raise token_problem(lacking(missing, route.scopes), route.service_id)
    if not gateway.definitions.may_execute(application_id, route.workflow, route.version):
        raise Problem("forbidden")


async def know_again(call: Call, gateway: Gateway) -> None:
    """What a request that may have come before is known by; 400."""
    if HEADER in call.header:
        call.idempotency = identified(call, route_of(call), caller_of(call))


async def receive(call: Call, gateway: Gateway) -> None:
    """The body, if it is of a type that can be read; 408, 413, 415."""
    call.body = await read_body(call, gateway.body_limits)
    if call.body:
        mapping.check_content_type(call.header.get(b"content-type"))


async def count_request(call: Call, gateway: Gateway) -> None:
    """How often the route was called of late; 429."""
    route = route_of(call)
    if route.quotas:
        headers = take(
            gateway.windows, gateway.refusals, route.scope, route.quotas, call, gateway.monotonic()
        )
        call.shared_headers = (*call.shared_headers, *headers)
    if route.concurrency:
        call.shared_headers = with_policy(call.shared_headers, route.concurrency)


async def read_input(call: Call, gateway: Gateway) -> None:
    """The query and the body, as the route wants them; 400, and 422 with every fault."""
    route = route_of(call)
    schema = schema_of(route.input_schema, gateway) if route.input_schema else None
    faults, wrong = await aside(len(call.body), _read, call, route)
    broken = await _broken(call, gateway, schema) if schema else ()
    if faults or broken or wrong:
        errors = tuple(dict.fromkeys((*faults, *wrong, *broken)))
        kind = "invalid-input" if broken or wrong else "invalid-query"
        raise Problem(kind, "" if broken or not wrong else webhooks.NOT_TOLD, errors=errors)


def _read(call: Call, route: Route) -> tuple[Faults, Faults]:
    """What is wrong with the query, and with the URL that wants to be called."""
    pairs = query.parse_pairs(call.query)
    if route.query is None:
        call.query_fields, faults = query.as_sent(pairs)
    else:
        call.query_fields, faults = query.as_declared(pairs, route.query)
    call.document = mapping.parse_body(call.body)
    call.callback_url, wrong = webhooks.named_url(route.webhook, pairs, call.document)
    return tuple(faults), tuple(wrong)


async def _broken(call: Call, gateway: Gateway, schema: str) -> Faults:
    """How the input breaks ``schema``."""
    size = len(call.body) or len(call.raw_path) + len(call.query)
    try:
        return await gateway.judges.faults(
            "inputSchema",
            schema,
            partial(_checked, call),
            size,
            lambda: call.body or json.dumps(_checked(call)).encode(),
        )
    except Problem as problem:
        gateway.broken.tell(call, problem)
        raise


def _checked(call: Call) -> Json:
    """What the input schema is about: the body, or the parameters of a call without one."""
    if call.body or call.method not in ("GET", "HEAD", "DELETE"):
        return call.document
    return {**call.query_fields, **call.parameters}


async def cached(call: Call, gateway: Gateway) -> Answer | None:
    """A kept answer, or what the rest of the stages makes, kept; None where nothing is."""
    route = route_of(call)
    if route.cache is None:
        return None
    return await through_cache(call, gateway, route, _rest)


async def _rest(call: Call, gateway: Gateway) -> Answer:
    await map_input(call, gateway)
    return await run(call, gateway)


async def map_input(call: Call, gateway: Gateway) -> None:
    """The workflow's input, by the route's script where it has one; 413, 500."""
    route = route_of(call)
    await aside(len(call.body), _map, call, gateway, route)
    if route.pre_request_script:
        try:
            await _script(call, gateway, route)
        except Problem as problem:
            gateway.broken.tell(call, problem)
            raise
    if len(call.input) > _LONGEST_INPUT:
        raise Problem("body-too-large")


async def _script(call: Call, gateway: Gateway, route: Route) -> None:
    exposed = route.response.exposed
    made = await gateway.scripts.run(
        "preRequestScript", route.pre_request_script, call.input, exposed=exposed
    )
    call.input = mapping.scripted_input(made, _metadata(call, gateway, route))
    if not mapping.is_utf8(call.input):
        why = "The preRequestScript gave text with a lone surrogate."
        raise failed("preRequestScript", why * exposed, why)


def _map(call: Call, gateway: Gateway, route: Route) -> None:
    metadata = _metadata(call, gateway, route)
    call.input = mapping.workflow_input(call.document, call.query_fields, call.parameters, metadata)


def _metadata(call: Call, gateway: Gateway, route: Route) -> dict[str, Json]:
    caller = caller_of(call)
    metadata: dict[str, Json] = {
        # In lower case, as Orkes has it.
        "method": route.method.lower(),
        "path": call.raw_path.decode(),
        "pathParams": dict(call.parameters),
        "queryParams": dict(call.query_fields),
        "headers": mapping.metadata_headers(call.headers, gateway.metadata_headers),
        "requestId": call.request_id,
        "principal": caller.principal,
    }
    if call.certificate is not None:
        metadata["clientCertificate"] = dict(call.certificate)
    if caller.claims:
        metadata["claims"] = dict(caller.claims)
    return metadata


_ROUTE_STAGES: tuple[Stage[Gateway], ...] = (
    identify,
    route,
    authenticate,
    authorize,
    know_again,
    receive,
    count_request,
    resume,
    read_input,
    cached,
    map_input,
    run,
)
STAGES: tuple[Stage[Gateway], ...] = (
    identify,
    preflight,
    own_pages,
    documentation,
    tool_stage(_ROUTE_STAGES),
    *_ROUTE_STAGES[1:],
)
