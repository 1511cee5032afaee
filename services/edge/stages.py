"""The way of a request through the gateway: its stages, in order, each a function of its own."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services import json_schema
from services.edge import mapping, query, webhooks
from services.edge.accepts import prefers_events
from services.edge.answers import asked_as, not_done, of_result
from services.edge.auth import api_key, authenticate as proven
from services.edge.bodies import aside, read_body
from services.edge.caching import through_cache
from services.edge.call import Answer, Call, Gone
from services.edge.dispatch import found_or_answer
from services.edge.documentation import documentation
from services.edge.events import Watched, resume, streamed
from services.edge.exchange import Exchange, Outcome, Waiting
from services.edge.half import Response, half_text, read_half
from services.edge.idempotency import HEADER, REPLAYED, identified
from services.edge.identity import identify_with
from services.edge.own import own_pages
from services.edge.preferences import preferred_seconds
from services.edge.preflights import cors_at, preflight
from services.edge.problems import Problem, challenge, retry_after
from services.edge.progress import Followed
from services.edge.quotas import take
from services.edge.routes import Route
from services.edge.schemas import SchemaUse, validator_of
from services.edge.scripting import failed
from services.errors import (
    InvalidRequest,
    KeyReused,
    Overloaded,
    PermissionDenied,
    ServiceError,
    TooLarge,
)  # fmt: skip
from services.json_text import Json

if TYPE_CHECKING:
    from services.edge.auth.model import Caller
    from services.edge.gateway import Gateway
    from services.edge.streams import Slot

logger = logging.getLogger(__name__)

# What an executor takes; numbers may be longer as they are written again than as they came.
_LONGEST_INPUT = 16 * 1024 * 1024
# Said to the only sending of a start, these mean that there is no execution. What invites to try
# again keeps the id, by which the caller can see whether the first one ran after all.
_NO = (PermissionDenied, InvalidRequest, TooLarge)


async def identify(call: Call, gateway: Gateway) -> None:
    """The request's id and trace, and its path in segments; 400."""
    identify_with(call, gateway.new_id)


async def route(call: Call, gateway: Gateway) -> Answer | None:
    """The route, its path parameters; 204, 404, 405, or 503 where the service is switched off."""
    there = gateway.definitions.routes.find(call.method, call.segments)
    if (cors := cors_at(there)) is not None:
        call.shared_headers = cors.headers_of_answer(call.header.get(b"origin"))
    found = found_or_answer(call.method, there)
    if isinstance(found, Answer):
        return found
    call.route = found.value
    if not found.value.enabled:
        raise Problem("service-disabled", headers=(retry_after(60),))
    call.parameters = dict(zip(found.value.parameters, found.parameters, strict=True))
    return None


def _route(call: Call) -> Route:
    assert call.route is not None, "the route stage comes first"
    return call.route


def _caller(call: Call) -> Caller:
    assert call.caller is not None, "the authenticate stage comes first"
    return call.caller


async def authenticate(call: Call, gateway: Gateway) -> None:
    """Who calls; 401."""
    config = gateway.definitions.auth(_route(call).auth_id)
    if config is None:
        # Its document has not come yet: nobody can be let in, and nobody is at fault.
        raise Problem("unavailable", headers=(retry_after(),))
    call.caller = proven(config, call.header, gateway.now().timestamp())
    if call.caller is None:
        error = "invalid_token" if api_key.presented(call.header) else ""
        raise Problem("unauthenticated", headers=(challenge(_route(call).service_id, error),))


async def authorize(call: Call, gateway: Gateway) -> None:
    """The application's EXECUTE on the workflow; 403."""
    route, application_id = _route(call), _caller(call).application_id
    if not gateway.definitions.may_execute(application_id, route.workflow, route.version):
        raise Problem("forbidden")


async def know_again(call: Call, gateway: Gateway) -> None:
    """What a request that may have come before is known by; 400."""
    if HEADER in call.header:
        call.idempotency = identified(call, _route(call), _caller(call))


async def receive(call: Call, gateway: Gateway) -> None:
    """The body, if it is of a type that can be read; 408, 413, 415."""
    call.body = await read_body(call, gateway.body_limits)
    if call.body:
        mapping.check_content_type(call.header.get(b"content-type"))


async def count_request(call: Call, gateway: Gateway) -> None:
    """How often the route was called of late; 429."""
    route = _route(call)
    if route.quotas:
        scope = (route.service_id, route.method, route.path)
        headers = take(gateway.windows, scope, route.quotas, call, gateway.monotonic())
        call.shared_headers = (*call.shared_headers, *headers)


async def read_input(call: Call, gateway: Gateway) -> None:
    """The query and the body, as the route wants them; 400, and 422 with every fault."""
    route = _route(call)
    schema = _schema(route.input_schema, gateway) if route.input_schema else None
    await aside(len(call.body), _read, call, route, schema)


def _read(call: Call, route: Route, schema: str | None) -> None:
    pairs = query.parse_pairs(call.query)
    if route.query is None:
        call.query_fields, faults = query.as_sent(pairs)
    else:
        call.query_fields, faults = query.as_declared(pairs, route.query)
    call.document = mapping.parse_body(call.body)
    call.callback_url, wrong = webhooks.named_url(route.webhook, pairs, call.document)
    broken = json_schema.faults(validator_of(schema), _checked(call)) if schema else ()
    if faults or broken or wrong:
        errors = tuple(dict.fromkeys((*faults, *wrong, *broken)))
        raise Problem("invalid-input" if broken or wrong else "invalid-query", errors=errors)


def _checked(call: Call) -> Json:
    """What the input schema is about: the body, or the parameters of a call without one."""
    if call.body or call.method not in ("GET", "HEAD", "DELETE"):
        return call.document
    return {**call.query_fields, **call.parameters}


async def cached(call: Call, gateway: Gateway) -> Answer | None:
    """A kept answer, or what the rest of the stages makes, kept; None where nothing is."""
    route = _route(call)
    if route.cache is None:
        return None
    return await through_cache(call, gateway, route, _rest)


async def _rest(call: Call, gateway: Gateway) -> Answer:
    await map_input(call, gateway)
    return await run(call, gateway)


async def map_input(call: Call, gateway: Gateway) -> None:
    """The workflow's input, by the route's script where it has one; 413, 500."""
    route = _route(call)
    await aside(len(call.body), _map, call, gateway, route)
    if route.pre_request_script:
        exposed = route.response.exposed
        made = await gateway.scripts.run(
            "preRequestScript", route.pre_request_script, call.input, exposed=exposed
        )
        call.input = mapping.scripted_input(made, _metadata(call, gateway, route))
        if not mapping.is_utf8(call.input):
            raise failed("preRequestScript", "It gave text with a lone surrogate." * exposed)
    if len(call.input) > _LONGEST_INPUT:
        raise Problem("body-too-large")


def _map(call: Call, gateway: Gateway, route: Route) -> None:
    metadata = _metadata(call, gateway, route)
    call.input = mapping.workflow_input(call.document, call.query_fields, call.parameters, metadata)


def _metadata(call: Call, gateway: Gateway, route: Route) -> dict[str, Json]:
    return {
        # In lower case, as Orkes has it.
        "method": route.method.lower(),
        "path": call.raw_path.decode(),
        "pathParams": dict(call.parameters),
        "queryParams": dict(call.query_fields),
        "headers": mapping.metadata_headers(call.headers, gateway.metadata_headers),
        "requestId": call.request_id,
        "principal": _caller(call).principal,
    }


async def run(call: Call, gateway: Gateway) -> Answer:
    """Start the execution; answer with its result, or with what happens to it until then."""
    if call.method == "HEAD" or not prefers_events(call.headers):
        return await _run(call, gateway, None)
    slot = gateway.streams.take()
    try:
        answer = await _run(call, gateway, slot)
    except BaseException:
        slot.release()
        raise
    if answer.stream is None:
        slot.release()
    return answer


async def _run(call: Call, gateway: Gateway, slot: Slot | None) -> Answer:
    """With ``slot``, as events."""
    route, caller = _route(call), _caller(call)
    response = _response(route, gateway)
    start = _start(call, gateway, response)
    exchange = await _exchanged(call, gateway, start, route, _seconds(call, route, slot))
    match outcome := exchange.outcome.result():
        case pb.Result() if slot is None:
            if exchange.joined and (half := read_half(outcome.answer)):
                response = half.response
            return await of_result(outcome, response, gateway.scripts)
        case pb.Result() | Waiting.ACCEPTED:
            if route.ends_when_left and call.cycle.disconnected:
                if not exchange.joined:
                    await _end(call.execution_id, gateway)
                raise Gone
            if slot is not None:
                return await _events(call, gateway, response, slot, joined=exchange.joined)
            location = gateway.links.location(call.execution_id, caller.auth_id)
            return not_done(call.execution_id, location, pb.EXECUTION_STATUS_RUNNING)
        case Waiting.UNCONFIRMED:
            raise Problem("executor-away", headers=(retry_after(),))
        case Waiting.LEFT:
            raise Gone
        case ServiceError():
            raise _refused(outcome)


def _start(call: Call, gateway: Gateway, response: Response) -> pb.Start:
    """What is asked of the executor."""
    route, caller = _route(call), _caller(call)
    start = pb.Start(
        execution_id=gateway.new_id(),
        workflow_name=route.workflow,
        workflow_version=route.version,
        input=call.input,
        min_revision=gateway.definitions.revision,
        await_refs=route.await_refs,
        on_behalf_of=caller.application_id,
        principal=caller.principal,
        fingerprint=_fingerprint(call, route),
        answer=half_text(route.answer_half, caller, response),
        request_id=call.request_id,
        traceparent=call.traceparent,
        idempotency_key=call.idempotency,
    )
    if route.webhook is not None:
        location = gateway.links.location(start.execution_id, caller.auth_id)
        if told := webhooks.order(route, call.callback_url, location):
            start.completion_webhook.MergeFrom(pb.CompletionWebhook(**told))
    return start


def _response(route: Route, gateway: Gateway) -> Response:
    """What is made of the result, with the output schema as it is now."""
    if route.output_schema is None:
        return route.response
    return replace(route.response, schema=_schema(route.output_schema, gateway))


def _schema(use: SchemaUse, gateway: Gateway) -> str:
    schema = gateway.definitions.schema(use)
    if schema is None:
        # Its document has not come yet.
        raise Problem("unavailable", headers=(retry_after(),))
    return schema


async def _events(
    call: Call, gateway: Gateway, response: Response, slot: Slot, *, joined: bool
) -> Answer:
    route, caller, execution_id = _route(call), _caller(call), call.execution_id
    refs = route.await_refs
    if joined:
        # It is told as its own request's route had it.
        _, half = await asked_as(gateway, execution_id, caller.application_id)
        refs, response = half.await_refs, half.response
    watched = Watched(
        Followed(execution_id, refs, caller.application_id),
        response,
        gateway.links.location(execution_id, caller.auth_id),
        caller.public,
    )
    ends = route.ends_when_left and not joined
    left = partial(_end, execution_id, gateway) if ends else None
    return streamed(call, gateway, watched, slot, left=left)


def _seconds(call: Call, route: Route, slot: Slot | None) -> float:
    """How long the answer waits for the result; 0: not at all."""
    if route.asynchronous or slot is not None:
        return 0.0
    return preferred_seconds(call, route.timeout_seconds)


async def _exchanged(
    call: Call, gateway: Gateway, start: pb.Start, route: Route, seconds: float
) -> Exchange:
    """The exchange, once it has its outcome."""
    exchange = gateway.session.start(
        start, seconds or route.timeout_seconds, until_accepted=not seconds
    )
    call.execution_id = start.execution_id
    call.exchange = exchange
    # To be ended, an execution must be there.
    leave = exchange.only_start if route.ends_when_left else exchange.leave
    call.cycle.on_gone = leave
    if call.cycle.disconnected:
        # It left while its body was read: of that nobody will be told again.
        leave()
    try:
        outcome = await exchange.outcome
        call.execution_id = "" if _has_none(outcome, exchange) else start.execution_id
        if exchange.replayed:
            call.shared_headers = (*call.shared_headers, REPLAYED)
        return exchange
    finally:
        # Of one whose task was cancelled, too, nobody waits any more.
        exchange.leave()
        call.cycle.on_gone = None


def _has_none(outcome: Outcome, exchange: Exchange) -> bool:
    """Whether there is surely no execution."""
    if isinstance(outcome, KeyReused):
        # It would have found its own.
        return True
    return isinstance(outcome, _NO) and not exchange.may_have_started


async def _end(execution_id: str, gateway: Gateway) -> None:
    try:
        await gateway.executor.terminate(execution_id, "Its caller has gone.")
    except ServiceError as error:
        # It has ended, or the executor is away for long; nobody is there to be told.
        logger.info("Execution %s was not ended: %s", execution_id, error.detail)


def _fingerprint(call: Call, route: Route) -> bytes:
    head = f"{route.service_id}\n{call.method}\n".encode()
    asked = b"%b%b?%b\n%b" % (head, call.raw_path, call.query, call.body)
    return blake2b(asked, digest_size=32).digest()


def _refused(error: ServiceError) -> ServiceError | Problem:
    """What the executor says to a start, as the caller has to do with it."""
    if isinstance(error, (Overloaded, KeyReused, *_NO)):
        return error
    # The definition behind the route is not there (yet), or the executor is at fault.
    return Problem("unavailable", headers=(retry_after(),))


STAGES = (
    identify,
    preflight,
    own_pages,
    documentation,
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
