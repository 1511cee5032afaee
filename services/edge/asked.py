"""What a call is to the cache: its key, what is kept of its answer, what it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from services.edge.bodies import aside
from services.edge.cachekeys import CacheConfig
from services.edge.call import Answer, Call
from services.edge.etags import tag_of as entity_tag
from services.edge.freshness import may_be_shared, seconds_to_keep
from services.edge.keeping import Kept, Shelf, Tag

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.routes import Route

Rest = Callable[[Call, "Gateway"], Awaitable[Answer]]

# For so long it is remembered that a call's answers may not be kept.
_UNKEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that the cache may answer.

    Attributes:
        scope: Of the definitions that make its answer.
        key: What that is kept under.
        rest: The stages that make it.
        tag: By what it is found to be purged, once it has to be made.
    """

    call: Call
    gateway: Gateway
    route: Route
    config: CacheConfig
    scope: bytes
    key: bytes
    rest: Rest
    tag: Tag | None = None

    @property
    def shelf(self) -> Shelf:
        """Of its route."""
        return self.gateway.cache.shelf(self.config.place)


@dataclass(frozen=True, slots=True)
class Made:
    """A new answer.

    Attributes:
        kept: It is kept.
        shared: Others who wait for the same may have it.
    """

    answer: Answer
    kept: bool
    shared: bool


async def make(asked: Asked, call: Call, begun: float, *, keeps: bool = True) -> Made:
    """The answer of ``call`` by the rest of the stages, kept if it may be; whatever they raise.

    Args:
        call: That of ``asked``, or one in its place.
        begun: Seconds, monotonic.
        keeps: Whether the caller lets it be kept.
    """
    raw = await asked.rest(call, asked.gateway)
    answer = await aside(len(raw.body), _described, asked, raw)
    shared = may_be_shared(raw, asked.config.headers)
    seconds = seconds_to_keep(raw, asked.config.seconds, asked.config.headers)
    kept = False
    if keeps and seconds:
        kept = _put(asked, call, answer, begun, seconds)
    elif keeps and raw.status == 200:
        # So that nobody waits for what will not be for them.
        _put(asked, call, None, begun, _UNKEPT_SECONDS)
    return Made(answer, kept, shared)


def _put(asked: Asked, call: Call, answer: Answer | None, begun: float, seconds: float) -> bool:
    gateway = asked.gateway
    if asked.tag is None or gateway.definitions.cache_scope(asked.route) != asked.scope:
        # What made it is no longer what is defined, or perhaps was already the new.
        return False
    now = gateway.monotonic()
    kept = Kept(answer, call.execution_id, asked.tag, begun, now, now + seconds)
    return gateway.cache.put(asked.key, kept, now)


def _described(asked: Asked, answer: Answer) -> Answer:
    """``answer`` with what caches on its way must know; a script's own words stay."""
    if asked.route.method != "GET" or answer.status != 200:
        return answer
    names = {name for name, _ in answer.headers}
    told = [] if b"etag" in names else [(b"etag", entity_tag(answer.body))]
    if b"cache-control" not in names:
        # What is purged here must not live on elsewhere: they ask, and get 304.
        public = asked.call.caller is not None and asked.call.caller.public
        told.append((b"cache-control", b"no-cache" if public else b"private, no-cache"))
    if asked.config.headers:
        told.append((b"vary", ", ".join(asked.config.headers).encode()))
    return replace(answer, headers=(*answer.headers, *told))


def say(call: Call, what: bytes, state: str) -> None:
    """``Cache-Status`` (RFC 9211), and the same for whoever counts."""
    call.cache_state = state
    call.shared_headers = (*call.shared_headers, (b"cache-status", b"podium; " + what))
