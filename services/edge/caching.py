"""The cache's stage: a kept answer, the one that others wait for, or a new one, which is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.edge.accepts import prefers_events
from services.edge.asked import Asked, Rest, make, say
from services.edge.bodies import aside
from services.edge.cachekeys import effective_key, tag_of
from services.edge.call import Answer, Call
from services.edge.etags import is_held, not_modified
from services.edge.freshness import NO_WISH, Wish, wish_of
from services.edge.keeping import Kept, Shelf
from services.edge.preferences import read_preference
from services.edge.problems import Problem
from services.edge.together import together

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.routes import Route


async def through_cache(call: Call, gateway: Gateway, route: Route, rest: Rest) -> Answer:
    """The answer of a call whose input was read, on a route with a ``cacheConfig``.

    Raises:
        Problem: 504: the caller wants a kept answer only; 503: another caller's call of the same
            took too long; or that of ``rest``.
    """
    config = route.cache
    assert config is not None, "there is nothing to go by"
    scope = None if _bypasses(call, route) else gateway.definitions.cache_scope(route)
    if scope is None:
        shelf = gateway.cache.shelf(config.place)
        if _wish(call).only_if_cached:
            raise _not_kept(call, shelf)
        shelf.bypassed += 1
        say(call, b"fwd=bypass", "bypass")
        return await rest(call, gateway)
    key = await aside(len(call.body), effective_key, config, scope, call)
    answer = await _answer(Asked(call, gateway, route, config, scope, key, rest))
    if route.method == "GET" and answer.status == 200 and b"if-none-match" in call.header:
        tag = next((value for name, value in answer.headers if name == b"etag"), b"")
        return not_modified(answer) if is_held(call, tag) else answer
    return answer


def _bypasses(call: Call, route: Route) -> bool:
    """Whether the call wants what no kept answer is: an execution, or to be told of it."""
    if (
        call.idempotency
        or call.callback_url
        or (call.method != "HEAD" and prefers_events(call.headers))
    ):
        return True
    if b"prefer" not in call.header or _wish(call).only_if_cached:
        return False
    return not read_preference(call.headers).seconds(route.timeout_seconds)


async def _answer(asked: Asked) -> Answer:
    wish, now = _wish(asked.call), asked.gateway.monotonic()
    kept = asked.gateway.cache.find(asked.key, now)
    fresh = kept is not None and now < kept.until
    why = b"fwd=uri-miss"
    if kept is not None and kept.answer is not None:
        if fresh and wish.takes(now - kept.made, kept.until - now):
            return _hit(asked, kept, kept.answer, now)
        why = b"fwd=request" if fresh else b"fwd=stale"
    if wish.only_if_cached:
        raise _not_kept(asked.call, asked.shelf)
    tag = await aside(len(asked.call.body), tag_of, asked.config, asked.call)
    asked = replace(asked, tag=tag)
    if not (wish.no_cache or wish.no_store or fresh):
        answer = await together(asked, why)
        if answer is not None:
            return answer
    # What is kept will not do, or no other's answer will.
    return await _alone(asked, why, keeps=not wish.no_store)


def _not_kept(call: Call, shelf: Shelf) -> Problem:
    shelf.misses += 1
    say(call, b"detail=only-if-cached", "miss")
    return Problem("not-kept")


def _wish(call: Call) -> Wish:
    if b"cache-control" not in call.header:
        return NO_WISH
    assert call.caller is not None, "the authenticate stage comes first"
    return wish_of(call.headers, costs_nothing=call.caller.public)


def _hit(asked: Asked, kept: Kept, answer: Answer, now: float) -> Answer:
    call = asked.call
    asked.shelf.hits += 1
    kept.uses.hits += 1
    call.execution_id = kept.execution_id
    say(call, b"hit; ttl=%d" % (kept.until - now), "hit")
    call.shared_headers = (*call.shared_headers, (b"age", b"%d" % (now - kept.made)))
    return answer


async def _alone(asked: Asked, why: bytes, *, keeps: bool) -> Answer:
    """A new answer for this call and no other."""
    call, begun, kept = asked.call, asked.gateway.monotonic(), False
    asked.shelf.misses += 1
    try:
        made = await make(asked, call, begun, keeps=keeps)
        kept = made.kept
        return made.answer
    finally:
        say(call, why + b"; stored" * kept, "miss")
