"""Who is counted by limits, as operators see it: short, and without secrets. No IO.

Everything is counted by digests; what they are of is written down where somebody is counted for
the first time.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import zip_longest
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote_plus, unquote

from services.edge.digests import digest
from services.edge.keys import Key

if TYPE_CHECKING:
    from services.edge.call import Call

MOST_SLOTS = 10_000
MOST_LIMITS = 10_000
MOST_CHARS = 120
# What such a part of a request holds may prove who calls.
_SECRET = re.compile(
    r"auth(?!or)|authoriz|token|secret|passw|passphrase|credential|cookie|session|signature|api[-_.]?key|^pin$|otp",
    re.IGNORECASE,
)
# Of this process: the same secret looks the same, and nobody can try which one it is.
_SALT = secrets.token_bytes(16)

Limit = tuple[str, str, str, str]
"""The service, method and path of a route, and the name of a limit of it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Of whom a count is.

    Attributes:
        key: The limit's key with values in it; see :func:`shown`.
    """

    limit: Limit
    key: str


def shown(key: Key, call: Call) -> str:
    """The key as its author wrote it, with the call's values in it, those of secrets left out."""
    values = (
        masked(value) if _is_secret(reference, value) else value
        for reference, value in zip(key.references, key.values(call), strict=True)
    )
    return short("".join(a + b for a, b in zip_longest(key.pieces, values, fillvalue="")))


def _is_secret(reference: str, value: str) -> bool:
    if not value:
        return False
    # A part of the body that is no text says itself what it has.
    named = _SECRET.search(reference.partition(".")[2])
    return bool(named or (value[0] in "{[" and _SECRET.search(value)))


def shown_target(path: str, query: str, parameters: Mapping[str, str]) -> str:
    """A path and query as they were called, the values of secrets left out.

    Args:
        parameters: Those of the path, by name.
    """
    hidden = {value for name, value in parameters.items() if value and _SECRET.search(name)}
    if hidden:
        steps = ((step, unquote(step)) for step in path.split("/"))
        path = "/".join(masked(value) if value in hidden else step for step, value in steps)
    if not query:
        return short(path)
    if not _SECRET.search(query):
        return short(f"{path}?{query}")
    fields = (
        f"{quote_plus(name)}={masked(value) if _SECRET.search(name) else quote_plus(value)}"
        for name, value in parse_qsl(query, keep_blank_values=True, errors="replace")
    )
    return short(f"{path}?{'&'.join(fields)}")


def masked(value: str) -> str:
    """What stands for a secret: it says no more than whether two are the same."""
    written = value.encode("utf-8", "surrogatepass")
    return f"***{blake2b(written, digest_size=4, key=_SALT).hexdigest()}"


def short(text: str) -> str:
    """``text``, cut off where it is long."""
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


class Refusals:
    """How many each limit has refused; those that refused least recently are let off."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Limit, int] = OrderedDict()

    def add(self, limit: Limit) -> None:
        self._counts[limit] = self._counts.get(limit, 0) + 1
        self._counts.move_to_end(limit)
        if len(self._counts) > MOST_LIMITS:
            self._counts.popitem(last=False)

    def of(self, limit: Limit) -> int:
        """How many ``limit`` has refused since the process began."""
        return self._counts.get(limit, 0)


class SlotKeys:
    """What the keys of slots are of; those that were asked for least recently are let off."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Counted] = OrderedDict()

    def tell(self, key: bytes, limit: Limit, of: Key, call: Call) -> None:
        """``call`` asks for a slot under ``key``."""
        if key in self._known:
            self._known.move_to_end(key)
            return
        self._known[key] = Counted(limit, shown(of, call))
        if len(self._known) > MOST_SLOTS:
            self._known.popitem(last=False)

    def of(self, key: bytes) -> Counted | None:
        """Who is counted by ``key``, if that is known."""
        return self._known.get(key)


def everybody(limit: Limit, size: int) -> bytes:
    """The key under which a limit without a key of its own counts executions."""
    return digest(*limit[:3], size=size)
