"""One flight for all calls of the same: who begins it, and what each is told of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.answers import not_done
from services.edge.asked import Asked, make, say
from services.edge.call import Answer, Gone
from services.edge.concurrency import tell_none_left
from services.edge.flights import Ending, Flight, Landed
from services.edge.preferences import preferred_seconds, read_preference
from services.edge.problems import Problem, retry_after
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.edge.auth.model import Caller

logger = logging.getLogger(__name__)

# Who begins an execution late must hear at least that it is accepted.
_SHORTEST_WAIT_SECONDS = 1.0
# Refusals that another call of the same caller would get, too.
_SAME_FOR_CALLER = (403, 429)


async def together(asked: Asked, why: bytes) -> Answer | None:
    """The answer of a call by the flight that is under way, or by a new one.

    None: what has come of another call is for that one alone.

    Args:
        why: The call goes on, for ``Cache-Status``.

    Raises:
        Problem: 503: another caller's call of the same took too long; or what has come of it.
    """
    most, begun = asked.route.timeout_seconds, asked.gateway.monotonic()
    seconds = _preferred(asked)
    # Without a wish of the caller's, a flight ends by itself in time.
    patience = seconds if seconds < most else None
    for last in (False, True):
        flight, leads = _joined(asked)
        landed = await _waited_for(asked, flight, patience)
        if leads:
            # An execution counts once, whoever else waits for it.
            going_on = isinstance(landed, Ending)
            asked.call.outcome = "unknown" if going_on else flight.call.outcome
        if isinstance(landed, Ending):
            return _unanswered(asked, flight, landed, why)
        if leads or _is_for(asked, flight, landed):
            return _landed(asked, flight, landed, why, leads=leads)
        if not _is_anothers(flight, landed):
            return None
        if last:
            break
        # It goes on, or was ended, for its own caller: of those who waited, one begins anew.
        left = seconds - (asked.gateway.monotonic() - begun)
        patience = max(left, _SHORTEST_WAIT_SECONDS)
    return _in_progress(asked, why)


def _preferred(asked: Asked) -> float:
    most = asked.route.timeout_seconds
    if b"prefer" not in asked.call.header:
        return most
    return read_preference(asked.call.headers).seconds(most)


def _joined(asked: Asked) -> tuple[Flight, bool]:
    """The flight to wait for, and whether this call has begun it."""
    flights = asked.gateway.flights
    flight = flights.find(asked.key)
    if flight is not None:
        return flight, False
    assert asked.tag is not None, "a flight can be purged"
    flight = Flight(asked.call, asked.tag, asked.gateway.monotonic())

    async def work(flight: Flight) -> Landed:
        return await _fly(asked, flight)

    flights.begin(asked.key, flight, work)
    # The flight has it now, and its answer is this call's, whatever it is.
    asked.call.let_go()
    return flight, True


async def _fly(asked: Asked, flight: Flight) -> Landed:
    """What comes of the flight's call."""
    try:
        made = await make(asked, flight.call, flight.begun)
    except (Problem, ServiceError, Gone) as error:
        return error
    except Exception:  # the outermost loop of a flight: those who wait for it are answered
        logger.exception("A request failed.", extra={"request_id": flight.call.request_id})
        return Problem("internal")
    flight.kept, flight.shared = made.kept, made.shared
    return made.answer


async def _waited_for(asked: Asked, flight: Flight, seconds: float | None) -> Landed | Ending:
    flights, cycle = asked.gateway.flights, asked.call.cycle
    try:
        return await flights.wait(flight, cycle, seconds)
    finally:
        if asked.route.ends_when_left and cycle.disconnected and flight.is_left():
            flights.forget(asked.key, flight)
            flight.end()


def _unanswered(asked: Asked, flight: Flight, ending: Ending, why: bytes) -> Answer:
    """What one is told whose time is up before the flight's: 202, with where to ask for more."""
    if ending is Ending.LEFT:
        raise Gone
    call, own = asked.call, flight.call
    if not _is_own(asked, flight):
        return _in_progress(asked, why)
    _miss(asked, why)
    call.execution_id = own.execution_id
    if own.exchange is None or not own.exchange.accepted:
        raise Problem("executor-away", headers=(retry_after(),))
    flight.promised = True
    location = asked.gateway.links.location(call.execution_id, _caller(asked).auth_id)
    return not_done(call.execution_id, location, pb.EXECUTION_STATUS_RUNNING)


def _in_progress(asked: Asked, why: bytes) -> Answer:
    _miss(asked, why)
    raise Problem("call-in-progress", headers=(retry_after(),))


def _landed(asked: Asked, flight: Flight, landed: Landed, why: bytes, *, leads: bool) -> Answer:
    call = asked.call
    if leads:
        _miss(asked, why + b"; stored" * flight.kept)
    else:
        asked.shelf.collapsed += 1
        preferred_seconds(call, asked.route.timeout_seconds)
        say(call, why + b"; collapsed", "collapsed")
    call.execution_id = flight.call.execution_id
    if isinstance(landed, Answer):
        return landed
    if isinstance(landed, Problem) and landed.kind == "concurrency-limited":
        # What is told of the limit is in the headers of each.
        tell_none_left(call)
    # It is raised for each who waited, and must not grow by that.
    raise landed.with_traceback(None)


def _miss(asked: Asked, why: bytes) -> None:
    asked.shelf.misses += 1
    preferred_seconds(asked.call, asked.route.timeout_seconds)
    say(asked.call, why, "miss")


def _is_for(asked: Asked, flight: Flight, landed: Landed) -> bool:
    """Whether what has come of another call is an answer to this one, too."""
    own = _is_own(asked, flight)
    if _is_anothers(flight, landed):
        return own
    if isinstance(landed, Answer):
        return flight.shared
    if isinstance(landed, Gone):
        return False
    return landed.status >= 500 or (own and landed.status in _SAME_FOR_CALLER)


def _is_own(asked: Asked, flight: Flight) -> bool:
    """Whether the execution is the caller's, who may ask for it."""
    return _caller(asked).principal == flight.principal


def _is_anothers(flight: Flight, landed: Landed) -> bool:
    """Whether it is a word about an execution, to the one whose that is."""
    if isinstance(landed, Answer):
        # A script's own 202 is an answer as any.
        exchange = flight.call.exchange
        return landed.status == 202 and exchange is not None and exchange.goes_on
    return isinstance(landed, Problem) and landed.kind == "execution-terminated"


def _caller(asked: Asked) -> Caller:
    assert asked.call.caller is not None, "the authenticate stage comes first"
    return asked.call.caller
