"""Which slots are held, and by whom, as operators ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from heapq import nlargest

from podium.executor.v1 import executor_pb2 as pb
from services.access import EVERY, Sight
from services.errors import InvalidRequest
from services.executor import queries
from services.executor.queries import Holder
from services.executor.readers import Readers
from services.executor.slots import Slots, SlotUse

_DEFAULT_LIMIT = 100
_MOST = 10_000
_MOST_WITH_HOLDERS = 1_000
_MOST_HOLDERS = 100


async def of(
    slots: Slots, readers: Readers, request: pb.ListSlotsRequest, sight: Sight = EVERY
) -> pb.ListSlotsResponse:
    """How the slots stand that ``request`` asks for, the busiest first.

    Of slots that somebody holds whose workflow is not in sight nothing is told, nor of those that
    nobody holds, unless all are in sight.

    Raises:
        InvalidRequest: It asks for too many, or for fewer than none.
    """
    limit = request.limit or _DEFAULT_LIMIT
    if len(request.keys) > _MOST:
        raise InvalidRequest(f"keys holds more than {_MOST:,}.")
    if not 0 <= request.holders <= _MOST_HOLDERS:
        raise InvalidRequest(f"holders must be from 0 to {_MOST_HOLDERS}.")
    most = _MOST_WITH_HOLDERS if request.holders else _MOST
    if not 0 < limit <= most:
        raise InvalidRequest(f"limit must be from 0 to {most:,}.")
    total, busiest = 0, list[SlotUse]()
    seen = None if sight.names is None else await readers.read(queries.slots_of, sight.names)
    for some in slots.uses(frozenset(request.keys)):
        some = some if seen is None else [use for use in some if use.key in seen]
        total += len(some)
        busiest = nlargest(limit, (*busiest, *some), _busy)
        # The others' turn.
        await asyncio.sleep(0)
    holders: Mapping[bytes, Sequence[Holder]] = {}
    if request.holders:
        keys = [use.key for use in busiest if use.held]
        holders = await readers.read(queries.slot_holders, keys, request.holders)
    told = [_told(use, holders.get(use.key, ())) for use in busiest]
    return pb.ListSlotsResponse(slots=told, total=total)


def _busy(use: SlotUse) -> tuple[int, int]:
    return use.waiting, use.held


def _told(use: SlotUse, holders: Sequence[Holder]) -> pb.SlotUse:
    told = pb.SlotUse(key=use.key, limit=use.limit, held=use.held, waiting=use.waiting)
    for execution_id, workflow, created_at, answer in holders:
        holder = told.holders.add(
            execution_id=execution_id, workflow_name=workflow, answer=str(answer or "")
        )
        holder.started_at.FromMicroseconds(created_at)
    return told
