"""What a service tells only when it is asked: read again and again while it is shown."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tui.live.collection import Collection, Record
from tui.live.following import Line
from tui.live.sources import Source

if TYPE_CHECKING:
    from tui.clients import Clients

R = TypeVar("R", bound=Record)
READ_AT = "read at"
CALL_SECONDS = 10.0


class Reading(NamedTuple):
    """All that there is at a moment.

    Attributes:
        facts: What is told of the whole, by name.
    """

    records: Iterable[Any]
    facts: Mapping[str, Any]


Read = Callable[["Clients", str, Collection[Any]], Awaitable[Reading]]


def polled(
    name: str, service: str, read: Read, every: float, *, needs_token: bool = True
) -> Source[Any]:
    """A source that is read ``every`` so many seconds, and at once when its line is asked to.

    Args:
        read: ``read(clients, query, known)``; ``known`` has what was read the last time.
        needs_token: As :class:`Source` has it.
    """

    async def watch(clients: Clients, query: str, collection: Collection[Any], line: Line) -> None:
        while True:
            reading = await read(clients, query, collection)
            collection.facts.update(reading.facts)
            collection.facts[READ_AT] = time.time()
            collection.replace({record.id: record for record in reading.records})
            await line.rest(every)

    return Source(name, service, watch, every=every, needs_token=needs_token)


def told_age(collection: Collection[Any], now: float) -> str:
    """``read 1 s ago``; empty: never, or it is no such collection. ``now`` is in epoch seconds."""
    at = collection.facts.get(READ_AT)
    return "" if at is None else f"read {max(0, int(now - at))} s ago"
