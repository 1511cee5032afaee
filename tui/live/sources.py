"""Where a collection's records come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tui.live.collection import Collection, Record
from tui.live.following import Line

if TYPE_CHECKING:
    from tui.clients import Clients

R = TypeVar("R", bound=Record)
Watch = Callable[["Clients", str, Collection[Any], Line], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Source(Generic[R]):
    """A stream that fills a collection.

    Attributes:
        name: Unique.
        service: Whose stream it is: registry, executor or edge.
        watch: Follows one stream until it ends or breaks: ``watch(clients, query, collection,
            line)`` puts what comes into the collection and tells the line. ``query`` is what of a
            query only the service can decide; mostly empty.
        most: How many records are held.
        takes_query: Whether ``query`` may be the list's whole filter.
        asks_all: Whether only a part of what there is fits into the list: then the service is asked
            the whole filter, whatever the records tell.
        every: Seconds from reading to reading, where the service tells no changes: then it is read
            only while it is shown.
        needs_token: Whether there is nothing to ask without a token.
        lost: ``lost(collection, reason)`` says in the collection that no suite is there; None: what
            was known stays, and the line says that it is old.
    """

    name: str
    service: str
    watch: Watch
    most: int = 100_000
    takes_query: bool = False
    asks_all: bool = False
    every: float = 0.0
    needs_token: bool = True
    lost: Callable[[Collection[Any], str], None] | None = None
