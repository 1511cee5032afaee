"""What an execution's outcome is to the caller, now or at its ``Location`` later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses
from services.edge.admitted import answered_route
from services.edge.auth.model import Caller
from services.edge.call import JSON, Answer, Call
from services.edge.exchange import Outcome
from services.edge.half import Half, Response, read_half
from services.edge.identity import origin_of
from services.edge.problems import Problem, retry_after
from services.edge.proving import caller_by, token_problem
from services.edge.query import parse_query
from services.edge.responses import respond
from services.edge.tokens.claims import lacking
from services.errors import Conflict, NotFound, PermissionDenied

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

KEPT = timedelta(hours=24)

_WELL_ENDED = frozenset(
    {pb.TASK_STATUS_COMPLETED, pb.TASK_STATUS_COMPLETED_WITH_ERRORS, pb.TASK_STATUS_SKIPPED}
)
_PROBLEM_OF = {
    pb.EXECUTION_STATUS_FAILED: "execution-failed",
    pb.EXECUTION_STATUS_TERMINATED: "execution-terminated",
    pb.EXECUTION_STATUS_TIMED_OUT: "execution-timed-out",
}


_ENDINGS = {
    pb.EXECUTION_STATUS_COMPLETED: "completed",
    pb.EXECUTION_STATUS_FAILED: "failed",
    pb.EXECUTION_STATUS_TERMINATED: "terminated",
    pb.EXECUTION_STATUS_TIMED_OUT: "timed_out",
}


def ending_of(outcome: Outcome, execution_id: str) -> str:
    """How the execution has ended that a call has begun, for those who count.

    ``unknown`` where it goes on, or may; empty where there is none.
    """
    if isinstance(outcome, pb.Result):
        return _ENDINGS.get(outcome.status, "unknown")
    return "unknown" if execution_id else ""


async def of_result(result: pb.Result, response: Response, call: Call, gateway: Gateway) -> Answer:
    """The answer of a route whose execution, or awaited task, has ended, to ``call``.

    What the route itself breaks by is in the log.

    Raises:
        Problem: It did not end well, or with too much: 502 or 504; or that of :func:`respond`.
    """
    reason = result.reason if response.exposed else ""
    if result.awaited_ref:
        if result.awaited_status == pb.TASK_STATUS_TIMED_OUT:
            raise Problem("execution-timed-out", reason)
        if result.awaited_status not in _WELL_ENDED:
            raise Problem("awaited-task-failed", reason)
    elif result.status != pb.EXECUTION_STATUS_COMPLETED:
        raise Problem(_PROBLEM_OF.get(result.status, "internal"), reason)
    if result.output_left_out:
        raise Problem("output-too-large")
    try:
        return await respond(result, response, gateway.scripts, gateway.judges)
    except Problem as problem:
        gateway.broken.tell(call, problem)
        raise


def ended(result: pb.Result) -> bool:
    """Whether there is something to answer with."""
    return bool(result.awaited_ref) or result.status in (
        pb.EXECUTION_STATUS_COMPLETED,
        *_PROBLEM_OF,
    )


def not_done(execution_id: str, location: str, status: int) -> Answer:
    """202: it runs, and ``location`` will have the answer."""
    document = {"executionId": execution_id, "status": statuses.of_execution(status)}
    return Answer(
        202,
        json.dumps(document, separators=(",", ":")).encode(),
        (JSON, (b"location", location.encode()), retry_after()),
    )


_ENDED_OTHERWISE = frozenset(
    {pb.EXECUTION_STATUS_COMPLETED, pb.EXECUTION_STATUS_FAILED, pb.EXECUTION_STATUS_TIMED_OUT}
)


@dataclass(frozen=True, slots=True)
class Known:
    """An execution that the caller may ask about.

    Attributes:
        result: How it, or the awaited task, stands.
        auth_id: Of the auth configuration under which it was started.
        application_id: Whose right to it counts.
    """

    result: pb.Result
    half: Half
    auth_id: str
    application_id: str


async def get_execution(call: Call, gateway: Gateway, execution_id: str) -> Answer:
    """``GET /-/executions/{id}?t=…``: 202 until it is done, then what the route would have said.

    Whoever may not have it is told what is told of one that is not there.

    Raises:
        Problem: As :func:`known_at` and :func:`of_result`.
    """
    known = await known_at(call, gateway, execution_id)
    if not ended(known.result):
        location = gateway.links.location(execution_id, known.auth_id)
        return not_done(execution_id, location, known.result.status)
    return await of_result(known.result, known.half.response, call, gateway)


async def delete_execution(call: Call, gateway: Gateway, execution_id: str) -> Answer:
    """``DELETE`` of the same: 204 once it is terminated, and again 204.

    Raises:
        Problem: 404 as above; 409: it has ended in another way.
    """
    status = await _status(call, gateway, execution_id)
    if status not in (*_ENDED_OTHERWISE, pb.EXECUTION_STATUS_TERMINATED):
        try:
            await gateway.executor.terminate(
                execution_id, "Its caller has cancelled it.", origin_of(call)
            )
        except Conflict:
            status = await _status(call, gateway, execution_id)
    if status in _ENDED_OTHERWISE:
        how = statuses.of_execution(status)
        raise Problem("conflict", f"The execution has ended: {how}. There is nothing to cancel.")
    return Answer(204)


async def _status(call: Call, gateway: Gateway, execution_id: str) -> int:
    return (await _known(call, gateway, execution_id)).result.status


async def known_at(call: Call, gateway: Gateway, execution_id: str) -> Known:
    """How that of a ``Location`` stands, for a caller who may know.

    Raises:
        Problem: 404 for any other; 410 a day after its end.
    """
    return _kept(await _known(call, gateway, execution_id), gateway)


async def known_by(call: Call, gateway: Gateway, execution_id: str, token: str) -> Known:
    """As :func:`known_at`, for the caller of a route; ``token`` is the ``t`` of a link."""
    assert call.caller is not None, "the authenticate stage comes first"
    linked = gateway.links.auth_id(execution_id, token) == call.caller.auth_id
    auth_id = call.caller.auth_id if linked else ""
    return _kept(await _known_to(call, gateway, execution_id, [call.caller], auth_id), gateway)


def _kept(known: Known, gateway: Gateway) -> Known:
    if _over(known.result, gateway.now()):
        raise Problem("gone")
    return known


async def _known(call: Call, gateway: Gateway, execution_id: str) -> Known:
    """How it stands, for a caller who may know; 404 for any other."""
    if not _is_id(execution_id):
        raise Problem("not-found")
    token = parse_query(call.query).get("t", "")
    auth_id = gateway.links.auth_id(execution_id, token) if token else ""
    known = await _known_to(
        call, gateway, execution_id, await _callers(call, gateway, auth_id), auth_id
    )
    if cors := gateway.definitions.cors_of(known.half.service):
        call.shared_headers = cors.headers_of_answer(call.header.get(b"origin"))
    return known


async def _known_to(
    call: Call, gateway: Gateway, execution_id: str, callers: list[Caller], auth_id: str
) -> Known:
    """As :func:`_known`, for one who may be any of ``callers``; ``auth_id`` is a link's."""
    if not callers:
        # Nobody whom anything could be shown to: the executor need not be asked.
        raise Problem("not-found")
    result, half, application_id = await _ask(gateway, execution_id, callers)
    if not _may_have(half, callers, linked=bool(auth_id)):
        raise Problem("not-found")
    call.execution_id = execution_id
    call.answers_for = (half.service, half.route)
    call.caller = next((each for each in callers if each.principal == half.principal), None)
    _check_scopes(call, gateway)
    return Known(result, half, auth_id or _auth_id(callers, half), application_id)


async def _callers(call: Call, gateway: Gateway, auth_id: str) -> list[Caller]:
    """All that the caller may be: a link names the configuration, else every one is tried."""
    if auth_id:
        config = gateway.definitions.auth(auth_id)
        configs = [config] if config else []
    else:
        configs = [config for config in gateway.definitions.auths() if not config.public]
    found = [await caller_by(call, gateway, config) for config in configs]
    return [caller for caller in found if caller is not None]


async def _ask(
    gateway: Gateway, execution_id: str, callers: Sequence[Caller]
) -> tuple[pb.Result, Half, str]:
    """How it stands, asked for as each of ``callers`` until one is shown it, and as whom; 404."""
    for application_id in dict.fromkeys(caller.application_id for caller in callers):
        try:
            return *await asked_as(gateway, execution_id, application_id), application_id
        except (NotFound, PermissionDenied):
            # The same key may be another application's too, which has the right.
            continue
    raise Problem("not-found")


async def asked_as(
    gateway: Gateway, execution_id: str, application_id: str
) -> tuple[pb.Result, Half]:
    """How it stands, and what was kept to answer for it; 404 where no route has started it."""
    result = await gateway.executor.attach(execution_id, (), application_id)
    half = read_half(result.answer)
    if half is None:
        raise Problem("not-found")
    if half.await_refs:
        result = await gateway.executor.attach(execution_id, half.await_refs, application_id)
    return result, half


def _may_have(half: Half, callers: list[Caller], *, linked: bool) -> bool:
    if half.public:
        return linked
    return any(caller.principal == half.principal for caller in callers)


def _check_scopes(call: Call, gateway: Gateway) -> None:
    """Raises :class:`Problem` (403) where the route wants scopes that the caller's token lacks."""
    route = answered_route(call, gateway)
    if call.caller is None or route is None or route.scopes <= call.caller.scopes:
        return
    missing = route.scopes - call.caller.scopes
    raise token_problem(lacking(missing, route.scopes), route.service_id)


def _auth_id(callers: list[Caller], half: Half) -> str:
    for caller in callers:
        if caller.principal == half.principal:
            return caller.auth_id
    return ""


def _over(result: pb.Result, now: datetime) -> bool:
    if not result.HasField("ended_at"):
        return False
    return now >= result.ended_at.ToDatetime(UTC) + KEPT


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
