"""Kept answers one by one, as operators look at them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from podium.edge.v1 import edge_pb2 as pb
from services.access import EVERY
from services.edge.cache_calls import places_of
from services.edge.keeping import Kept, Place
from services.edge.named_routes import check_named, named_route
from services.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.seeing import Seeing

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 500
_MOST_BODY_BYTES = 1 << 20
_KEY_BYTES = 32


def list_entries(
    gateway: Gateway, request: pb.ListCacheEntriesRequest
) -> pb.ListCacheEntriesResponse:
    """A page of the answers that are kept of a service's routes.

    Raises:
        InvalidRequest: It names no service, or the token is none of ours.
        NotFound: There is no such service, or route.
    """
    if not request.service_id:
        raise InvalidRequest("Say of which service.")
    check_named(request.service_id, request.method, request.path)
    if request.page.page_size < 0:
        raise InvalidRequest("page_size must not be negative.")
    size = min(request.page.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
    begin, after = _place(request.page.page_token)
    now = gateway.monotonic()
    entries: list[tuple[bytes, Kept]] = []
    for place in sorted(places_of(gateway, request.service_id, request.method, request.path)):
        if begin is not None and place < begin:
            continue
        least = after if place == begin else b""
        # One more than asked for says whether there is another page.
        most = size + 1 - len(entries)
        entries += gateway.cache.page(place, least, most, request.principal, now)
        if len(entries) > size:
            break
    told = pb.ListCacheEntriesResponse(
        entries=[_entry(key, kept, now) for key, kept in entries[:size]]
    )
    if len(entries) > size:
        told.next_page_token = _token(*entries[size - 1])
    return told


def get_entry(
    gateway: Gateway, request: pb.GetCacheEntryRequest, seeing: Seeing | None = None
) -> pb.GetCacheEntryResponse:
    """One of them, whole.

    Args:
        seeing: What the caller may see; None: all.

    Raises:
        NotFound: There is no such entry, or not any more, or none that the caller may see.
        PermissionDenied: It may see that there is one, but not what its workflow gave.
    """
    sight = EVERY if seeing is None else seeing.services()
    now, key = gateway.monotonic(), _bytes(request.id)
    kept = gateway.cache.look(key, now)
    if kept is None or kept.answer is None or kept.tag.place.service_id not in sight:
        raise NotFound("There is no kept answer of that id, or not any more.")
    if seeing is not None:
        seeing.check_workflow(_workflow_of(gateway, kept.tag.place))
    answer = kept.answer
    return pb.GetCacheEntryResponse(
        entry=_entry(key, kept, now),
        headers=[
            pb.HeaderField(name=name.decode("latin-1"), value=value.decode("latin-1"))
            for name, value in answer.headers
        ],
        body=answer.body[:_MOST_BODY_BYTES],
        body_bytes=len(answer.body),
    )


def _workflow_of(gateway: Gateway, place: Place) -> str:
    """Whose answers are kept there; empty: its route is gone, and nobody knows."""
    try:
        return named_route(gateway.definitions, *place).workflow
    except NotFound:
        return ""


def _entry(key: bytes, kept: Kept, now: float) -> pb.CacheEntry:
    place = kept.tag.place
    told = pb.CacheEntry(
        id=key.hex(),
        service_id=place.service_id,
        method=place.method,
        path=place.path,
        key=kept.tag.shown.encode("utf-8", "replace").decode(),
        principal=kept.tag.principal,
        bytes=kept.size,
        hits=kept.uses.hits,
        status=kept.answer.status if kept.answer else 0,
        execution_id=kept.execution_id,
    )
    told.age.FromTimedelta(timedelta(seconds=max(now - kept.made, 0.0)))
    told.ttl.FromTimedelta(timedelta(seconds=kept.until - now))
    return told


def _token(key: bytes, kept: Kept) -> str:
    return "\n".join((key.hex(), *kept.tag.place))


def _place(token: str) -> tuple[Place | None, bytes]:
    """Where a page left off; raises InvalidRequest."""
    if not token:
        return None, b""
    key, *place = token.split("\n")
    if len(place) != len(Place._fields) or not _bytes(key):
        raise InvalidRequest("page_token is none that this listing gave.")
    return Place(*place), _bytes(key)


def _bytes(text: str) -> bytes:
    """The key that an id is of; empty: it is of none."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return b""
    return key if len(key) == _KEY_BYTES else b""
