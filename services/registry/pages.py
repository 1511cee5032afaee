"""Listings one page at a time: how much goes on a page, and where the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable

from podium.common.v1 import page_pb2
from services.errors import InvalidRequest
from services.registry.store import Stored

DEFAULT_SIZE = 100
LARGEST_SIZE = 1_000
LARGEST_BYTES = 8 << 20


def size(page: page_pb2.PageRequest) -> int:
    """The most items that the page may have. Raises :class:`InvalidRequest`."""
    if page.page_size < 0:
        raise InvalidRequest("page_size must not be negative.")
    return min(page.page_size or DEFAULT_SIZE, LARGEST_SIZE)


def first(page: page_pb2.PageRequest, states: Iterable[Stored]) -> tuple[list[Stored], bool]:
    """Those of ``states`` that go on the page, one at least, and whether there are more."""
    most = size(page)
    taken: list[Stored] = []
    filled = 0
    for state in states:
        if len(taken) >= most or (taken and filled + len(state.document) > LARGEST_BYTES):
            return taken, True
        taken.append(state)
        filled += len(state.document)
    return taken, False


def token(*place: str | int) -> str:
    """Where a listing goes on, as text that means nothing to its holder."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def key_place(token: str) -> tuple[str, str, int] | None:
    """The definition behind which a listing goes on; None from the start.

    Raises:
        InvalidRequest: The token is none of such a listing's.
    """
    match _place(token):
        case None:
            return None
        case [str(kind), str(name), int(version)] if _fits(version):
            return kind, name, version
    raise _foreign()


def number_place(token: str) -> int:
    """The number behind which a listing goes on; 0 from the start.

    Raises:
        InvalidRequest: The token is none of such a listing's.
    """
    match _place(token):
        case None:
            return 0
        case [int(number)] if number and _fits(number):
            return number
    raise _foreign()


def _place(token: str) -> object:
    if not token:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(token.encode()))
        # A lone surrogate has no UTF-8, so the database would not take it.
        json.dumps(place, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError):
        raise _foreign() from None
    return place


def _fits(number: int) -> bool:
    """Whether the database could hold ``number``; true and false are none."""
    return not isinstance(number, bool) and 0 <= number < 1 << 63


def _foreign() -> InvalidRequest:
    return InvalidRequest("The page token is none that this listing gave.")
