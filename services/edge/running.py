"""The execution of a call: started, waited for, and made an answer of."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge import webhooks
from services.edge.accepts import prefers_events
from services.edge.answers import asked_as, ending_of, not_done, of_result
from services.edge.call import Answer, Call, Follow, Gone, caller_of, route_of
from services.edge.concurrency import NAME, full
from services.edge.events import streamed
from services.edge.exchange import Exchange, Outcome, Waiting
from services.edge.half import Response, half_text, read_half
from services.edge.idempotency import REPLAYED
from services.edge.identity import origin_of
from services.edge.preferences import preferred_seconds
from services.edge.problems import Problem, retry_after
from services.edge.routes import Route
from services.edge.schemas import SchemaUse
from services.edge.watched import Followed, Watched
from services.errors import (
    ConcurrencyLimited,
    InvalidRequest,
    KeyReused,
    Overloaded,
    PermissionDenied,
    ServiceError,
    TooLarge,
    Unwritable,
)  # fmt: skip
from services.origins import Origin

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

logger = logging.getLogger(__name__)

# Said to the only sending of a start, these mean that there is no execution. What invites to try
# again keeps the id, by which the caller can see whether the first one ran after all.
_NO = (PermissionDenied, InvalidRequest, TooLarge)
# Somebody has to make space.
_SPACE_SECONDS = 10


async def run(call: Call, gateway: Gateway) -> Answer:
    """Start the execution; answer with its result, or with what happens to it until then."""
    if call.follow is not None:
        return await _run(call, gateway, call.follow)
    if call.method == "HEAD" or not prefers_events(call.headers):
        return await _run(call, gateway, None)
    slot = gateway.streams.take(caller_of(call).principal)
    try:
        answer = await _run(call, gateway, partial(streamed, call, gateway, slot))
    except BaseException:
        slot.release()
        raise
    if answer.stream is None:
        slot.release()
    return answer


async def _run(call: Call, gateway: Gateway, follow: Follow | None) -> Answer:
    """With ``follow``, what that makes of the execution as soon as there is one."""
    route, caller = route_of(call), caller_of(call)
    response = _response(route, gateway)
    start = _start(call, gateway, response)
    seconds = _seconds(call, route, follow)
    exchange = await _exchanged(call, gateway, start, route, seconds)
    outcome = exchange.outcome.result()
    if not exchange.joined:
        call.outcome = ending_of(outcome, call.execution_id)
    match outcome:
        case pb.Result() if follow is None:
            if exchange.joined and (half := read_half(outcome.answer)):
                response = half.response
            return await of_result(outcome, response, call, gateway)
        case pb.Result() | Waiting.ACCEPTED:
            if route.ends_when_left and call.cycle.disconnected:
                if not exchange.joined:
                    await _end(call.execution_id, origin_of(call), gateway)
                raise Gone
            if follow is not None:
                return await _follow(call, gateway, response, follow, joined=exchange.joined)
            location = gateway.links.location(call.execution_id, caller.auth_id)
            return not_done(call.execution_id, location, pb.EXECUTION_STATUS_RUNNING)
        case Waiting.UNCONFIRMED:
            raise Problem("executor-away", headers=(retry_after(),))
        case Waiting.LEFT:
            raise Gone
        case ConcurrencyLimited():
            gateway.refusals.add((*route.scope, NAME))
            raise full(call, route.concurrency, _waited(exchange, seconds or route.timeout_seconds))
        case ServiceError():
            raise _refused(outcome)


def _start(call: Call, gateway: Gateway, response: Response) -> pb.Start:
    """What is asked of the executor."""
    route, caller = route_of(call), caller_of(call)
    start = pb.Start(
        execution_id=gateway.new_execution_id(),
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
        traceparent=call.trace.parent if call.trace else "",
        tracestate=call.trace.state if call.trace else "",
        idempotency_key=call.idempotency,
        slot=_slot(call, gateway, route),
    )
    if route.webhook is not None:
        location = gateway.links.location(start.execution_id, caller.auth_id)
        if told := webhooks.order(route, call.callback_url, location):
            start.completion_webhook.MergeFrom(pb.CompletionWebhook(**told))
    return start


def _slot(call: Call, gateway: Gateway, route: Route) -> pb.Slot | None:
    """What the execution holds until its end."""
    limited = route.concurrency
    if limited is None:
        return None
    key = limited.counted_by(route.scope, call)
    gateway.slot_keys.tell(key, (*route.scope, NAME), limited.key, call)
    return pb.Slot(key=key, limit=limited.limit, most_waiting=limited.most_queued)


def _response(route: Route, gateway: Gateway) -> Response:
    """What is made of the result, with the output schema as it is now."""
    if route.output_schema is None:
        return route.response
    return replace(route.response, schema=schema_of(route.output_schema, gateway))


def schema_of(use: SchemaUse, gateway: Gateway) -> str:
    """JSON text of a schema that a route uses; 503 while it is not there."""
    schema = gateway.definitions.schema(use)
    if schema is None:
        # Its document has not come yet.
        raise Problem("unavailable", headers=(retry_after(),))
    return schema


async def _follow(
    call: Call, gateway: Gateway, response: Response, follow: Follow, *, joined: bool
) -> Answer:
    route, caller, execution_id = route_of(call), caller_of(call), call.execution_id
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
    left = partial(_end, execution_id, origin_of(call), gateway) if ends else None
    return follow(watched, left)


def _seconds(call: Call, route: Route, follow: Follow | None) -> float:
    """How long the answer waits for the result; 0: not at all."""
    if route.asynchronous or follow is not None:
        return 0.0
    return preferred_seconds(call, route.timeout_seconds)


def _waited(exchange: Exchange, seconds: float) -> float:
    """How long a start was kept in line that never began; 0: not at all."""
    return seconds if exchange.withdrawn else 0.0


async def _exchanged(
    call: Call, gateway: Gateway, start: pb.Start, route: Route, seconds: float
) -> Exchange:
    """The exchange, once it has its outcome."""
    exchange = gateway.session.start(
        start, seconds or route.timeout_seconds, until_accepted=not seconds
    )
    call.execution_id = start.execution_id
    call.exchange = exchange
    # The session has what it needs, and for as long: a long wait holds no body.
    call.let_go()
    # To be ended, an execution must be there.
    leave = partial(gateway.session.withdraw, exchange) if route.ends_when_left else exchange.leave
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
    if isinstance(outcome, (ConcurrencyLimited, KeyReused)):
        # It would have found its own.
        return True
    return isinstance(outcome, _NO) and not exchange.may_have_started


async def _end(execution_id: str, origin: Origin, gateway: Gateway) -> None:
    try:
        await gateway.executor.terminate(execution_id, "Its caller has gone.", origin)
    except ServiceError as error:
        # It has ended, or the executor is away for long; nobody is there to be told.
        logger.info("Execution %s was not ended: %s", execution_id, error.detail)


def _fingerprint(call: Call, route: Route) -> bytes:
    head = f"{route.service_id}\n{call.method}\n".encode()
    asked = b"%b%b?%b\n%b" % (head, call.raw_path, call.query, call.body)
    return blake2b(asked, digest_size=32).digest()


def _refused(error: ServiceError) -> ServiceError | Problem:
    """What the executor says to a start, as the caller has to do with it."""
    if isinstance(error, InvalidRequest) and error.faults:
        # By the schema of the workflow itself.
        errors = [(fault.path, fault.detail) for fault in error.faults]
        return Problem("invalid-input", errors=errors)
    if isinstance(error, (Overloaded, KeyReused, *_NO)):
        return error
    if isinstance(error, Unwritable):
        return Problem("not-stored", headers=(retry_after(_SPACE_SECONDS),))
    # The definition behind the route is not there (yet), or the executor is at fault.
    return Problem("unavailable", headers=(retry_after(),))
