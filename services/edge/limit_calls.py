"""Limits as operators ask for them: how each stands, who has used it up, and some begun anew."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from heapq import nlargest
from typing import TYPE_CHECKING

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import executor_pb2
from services.access import EVERY, Sight
from services.auditing import calling
from services.auditing.calling import printed
from services.edge.concurrency import DIGEST_BYTES, NAME, Concurrency
from services.edge.counted import Counted, Limit, everybody
from services.edge.named_routes import check_named, meant_routes
from services.edge.windows import Name, Use
from services.errors import InvalidRequest, NotFound, Unavailable

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.routes import Route

logger = logging.getLogger(__name__)

_DEFAULT_KEYS = 10
_MOST_KEYS = 100
_MOST_SLOTS = 10_000
_MOST_HELD = 1_000
_HOLDERS = 10
# Of those that were reset, in an entry of the audit log.
_NAMED, _SAID = 5, 60

Slots = dict[Limit, list[executor_pb2.SlotUse]]


async def list_limits(
    gateway: Gateway, request: pb.ListLimitsRequest, sight: Sight = EVERY
) -> pb.ListLimitsResponse:
    """How the limits of the routes that are meant stand now, of the services in sight.

    Raises:
        InvalidRequest: It asks for too many keys, or names a route by a part of its name.
        NotFound: There is no such service, or route.
    """
    most = request.keys or _DEFAULT_KEYS
    if not 0 < most <= _MOST_KEYS:
        raise InvalidRequest(f"keys must be from 0 to {_MOST_KEYS}.")
    routes = meant_routes(gateway.definitions, request.service_id, request.method, request.path)
    routes = [route for route in routes if route.service_id in sight]
    routes.sort(key=lambda route: route.scope)
    told = pb.ListLimitsResponse(limits=[each for route in routes for each in _limits(route)])
    limits = {(each.service_id, each.method, each.path, each.name): each for each in told.limits}
    for limit, state in limits.items():
        state.refused = gateway.refusals.of(limit)
    await _tell_windows(gateway, limits, most)
    limited = {(*route.scope, NAME): route.concurrency for route in routes if route.concurrency}
    if limited:
        try:
            slots = await _slots(gateway, limited, most)
        except Unavailable:
            told.executor_away = True
        else:
            _tell_slots(gateway, limits, slots, most)
    return told


def _limits(route: Route) -> Iterator[pb.LimitState]:
    """The limits of a route, of which nothing is told yet."""
    service_id, method, path = route.scope
    for quota in route.quotas:
        state = pb.LimitState(
            service_id=service_id,
            method=method,
            path=path,
            name=quota.name,
            key=quota.key.template,
            limit=quota.window.limit,
        )
        state.window.FromTimedelta(timedelta(seconds=quota.window.seconds))
        yield state
    if (limited := route.concurrency) is not None:
        yield pb.LimitState(
            service_id=service_id,
            method=method,
            path=path,
            name=NAME,
            key=limited.key.template,
            limit=limited.limit,
            most_waiting=limited.most_queued,
        )


# Requests within a time, which are counted here.


async def _tell_windows(gateway: Gateway, limits: dict[Limit, pb.LimitState], most: int) -> None:
    now, busiest = gateway.monotonic(), defaultdict[Limit, list[Use]](list)
    for some in gateway.windows.uses(now):
        by_limit = defaultdict[Limit, list[Use]](list)
        for use in some:
            if isinstance(use.name, Counted) and use.name.limit in limits:
                by_limit[use.name.limit].append(use)
        for limit, uses in by_limit.items():
            limits[limit].keys_used += len(uses)
            busiest[limit] = nlargest(most, (*busiest[limit], *uses), _busy)
        # The others' turn.
        await asyncio.sleep(0)
    for limit, uses in busiest.items():
        limits[limit].keys.extend(_window_key(gateway, use, now) for use in uses)


def _busy(use: Use) -> tuple[float, int, int]:
    return use.used / use.window.limit, use.refused, use.used


def _window_key(gateway: Gateway, use: Use, now: float) -> pb.LimitKey:
    told = pb.LimitKey(
        id=_id(use.key),
        key=_utf_8(use.name.key),
        used=use.used,
        limit=use.window.limit,
        refused=use.refused,
    )
    clock = gateway.now()
    told.room_at.FromDatetime(clock + timedelta(seconds=use.first_until - now))
    told.unused_at.FromDatetime(clock + timedelta(seconds=use.last_until - now))
    return told


def _id(key: Hashable) -> str:
    return key.hex() if isinstance(key, bytes) else ""


def _utf_8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


# Executions side by side, which the executor counts.


async def _slots(gateway: Gateway, limited: dict[Limit, Concurrency], most: int) -> Slots:
    """The busiest keys of each limit, with some of the executions that run.

    Raises:
        Unavailable: The executor does not answer.
    """
    ask = gateway.executor.slots
    alone = {
        everybody(limit, DIGEST_BYTES): limit
        for limit, each in limited.items()
        if not each.key.references
    }
    there = await ask(executor_pb2.ListSlotsRequest(limit=_MOST_SLOTS))
    grouped, unknown = Slots(), list[executor_pb2.SlotUse]()
    for slot in there.slots:
        known = gateway.slot_keys.of(slot.key)
        limit = alone.get(slot.key) or (known.limit if known else None)
        if limit is None:
            unknown.append(slot)
        elif limit in limited:
            grouped.setdefault(limit, []).append(slot)
    chosen = [slot.key for slots in grouped.values() for slot in slots[:most]]
    chosen = [*chosen, *(slot.key for slot in unknown)][:_MOST_HELD]
    if chosen:
        request = executor_pb2.ListSlotsRequest(keys=chosen, limit=_MOST_HELD, holders=_HOLDERS)
        held = {slot.key: slot for slot in (await ask(request)).slots}
        _join(grouped, unknown, held, limited)
    return grouped


def _join(
    grouped: Slots,
    unknown: Iterable[executor_pb2.SlotUse],
    held: dict[bytes, executor_pb2.SlotUse],
    limited: Iterable[Limit],
) -> None:
    """Put those that are known better in their places, and the unknown where they are known to be.

    Those that began before this edge did have their route in what answers for their executions.
    """
    for slots in grouped.values():
        slots[:] = [held.get(slot.key, slot) for slot in slots]
    by_route = {(limit[0], f"{limit[1]} {limit[2]}"): limit for limit in limited}
    for slot in unknown:
        if (there := held.get(slot.key)) and (limit := by_route.get(_route_of(there))):
            grouped.setdefault(limit, []).append(there)


def _route_of(slot: executor_pb2.SlotUse) -> tuple[str, str]:
    """The service and the route of whoever holds it; empty where that is not known."""
    half = json.loads(slot.holders[0].answer or "{}") if slot.holders else {}
    return str(half.get("service", "")), str(half.get("route", ""))


def _tell_slots(
    gateway: Gateway, limits: dict[Limit, pb.LimitState], slots: Slots, most: int
) -> None:
    for limit, uses in slots.items():
        uses.sort(key=lambda slot: (slot.waiting, slot.held), reverse=True)
        state = limits[limit]
        state.keys_used = len(uses)
        state.keys.extend(_slot_key(gateway, state, slot) for slot in uses[:most])


def _slot_key(gateway: Gateway, state: pb.LimitState, slot: executor_pb2.SlotUse) -> pb.LimitKey:
    known = gateway.slot_keys.of(slot.key)
    key = _utf_8(known.key) if known else "" if "${" not in state.key else None
    return pb.LimitKey(
        id=slot.key.hex(),
        key=key,
        used=slot.held,
        limit=slot.limit or state.limit,
        waiting=slot.waiting,
        execution_ids=[holder.execution_id for holder in slot.holders],
    )


# Begun anew.


async def reset_limits(gateway: Gateway, request: pb.ResetLimitsRequest, by: str) -> int:
    """Have keys begin anew, which the log tells of: how many.

    Args:
        by: The principal that asks.

    Raises:
        InvalidRequest: It does not say which, or means executions.
        NotFound: There is no such service, or route, or limit, or key.
    """
    scopes = _meant(gateway, request)

    def means(key: Hashable, name: Name) -> bool:
        if not isinstance(name, Counted) or request.id not in ("", _id(key)):
            return False
        if scopes is not None and name.limit[:3] not in scopes:
            return False
        if request.name and request.name != name.limit[3]:
            return False
        if request.HasField("key") and request.key != _utf_8(name.key):
            return False
        if len(counted) < _NAMED:
            counted.append(name)
        return True

    count = 0
    counted: list[Counted] = []
    for some in gateway.windows.reset(means):
        count += some
        # The others' turn.
        await asyncio.sleep(0)
    if request.id and not count:
        raise NotFound("There is no key of that id whose requests are counted just now.")
    _log(request, count, by)
    _note(request, counted, count)
    return count


def _note(request: pb.ResetLimitsRequest, counted: Sequence[Counted], count: int) -> None:
    """Have the entry of the audit log say what was reset, in the words of :func:`list_limits`."""
    told = calling.current.get()
    if told is None:
        return
    each = [
        f"{method} {path} {limit}, " + (f"key {printed(name.key)[:_SAID]!r}" if name.key else "all")
        for name in counted
        for _, method, path, limit in (name.limit,)
    ]
    beyond = count - len(each)
    more = [f"{beyond:,} more"] if beyond else []
    if not told.name and counted:
        told.name = counted[0].limit[0]
    if not counted:
        named = (request.method, request.path, request.name, request.key)
        each = [" ".join(["nothing was counted of", *map(printed, filter(None, named))])]
        each[0] = each[0].removesuffix(" of")
    told.asked = "; ".join([*each, *more])


def _meant(gateway: Gateway, request: pb.ResetLimitsRequest) -> set[tuple[str, ...]] | None:
    check_named(request.service_id, request.method, request.path)
    if request.name == NAME or len(request.id) == 2 * DIGEST_BYTES:
        raise InvalidRequest("Executions side by side are not counted here: end one of them.")
    if not request.service_id:
        if not request.id:
            raise InvalidRequest("Say which: those of a service, or one by its id.")
        return None
    routes = meant_routes(gateway.definitions, request.service_id, request.method, request.path)
    _check_name(routes, request.name)
    return {route.scope for route in routes}


def _check_name(routes: Sequence[Route], name: str) -> None:
    names = sorted({quota.name for route in routes for quota in route.quotas})
    if name and name not in names:
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise NotFound(f"There is no limit {name!r} of requests: {there}.")


def _log(request: pb.ResetLimitsRequest, count: int, by: str) -> None:
    """Who did it is known afterwards."""
    which = (request.service_id, request.method, request.path, request.name, request.id)
    logger.info(
        "%d counts of limits were reset: %s.",
        count,
        " ".join(filter(None, which)),
        extra={"principal": by},
    )
