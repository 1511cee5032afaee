"""How lists are sorted, and the tokens of their pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from services.errors import InvalidRequest

Key = int | str | float
Place = tuple[Key, ...]
"""The keys of the last row of a page."""

_FOREVER = 2**63 - 1
_LONGEST_TOKEN = 50_000
_WRITTEN = re.compile(r"\s*([A-Za-z]+)\s*(?:[\s:]\s*(asc|desc))?\s*", re.IGNORECASE)
_NOW = "{now}"

# By name and by what Conductor calls it. What has not ended ends after all that has; how long it
# has gone on is measured from when the first page was asked for.
EXECUTIONS: Mapping[str, str] = {
    "started": "created_at",
    "updated": "updated_at",
    "ended": f"coalesce(ended_at, {_FOREVER})",
    "dur": f"coalesce(ended_at, {_NOW}) - created_at",
    "status": "status",
    "wf": "workflow",
    "v": "version",
    "id": "id",
    "corr": "correlation_id",
    "parent": "parent_id",
    "by": "started_by",
    "reason": "reason",
    "priority": "priority",
}
TASKS: Mapping[str, str] = {
    "scheduled": "tasks.scheduled_at",
    "started": f"coalesce(tasks.started_at, {_FOREVER})",
    "updated": "tasks.updated_at",
    "ended": f"coalesce(tasks.ended_at, {_FOREVER})",
    "dur": f"coalesce(tasks.ended_at, {_NOW}) - coalesce(tasks.started_at, tasks.scheduled_at)",
    "status": "tasks.status",
    "kind": "tasks.kind",
    "name": "tasks.name",
    "ref": "tasks.ref",
    "wf": "executions.workflow",
    "execution": "executions.id",
    "id": "tasks.id",
    "corr": "executions.correlation_id",
    "attempt": "tasks.attempt",
    "polls": "tasks.poll_count",
    "worker": "tasks.worker_id",
    "reason": "tasks.reason",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort.

    Attributes:
        text: As it was asked for, short and always the same.
        keys: Expressions of SQL; the last of them tell any two rows apart.
        descending: Whether the largest come first.
        now: What lengths of time are measured to; microseconds since the epoch.
        plain: Whether rows have the keys among their columns anyway.
    """

    text: str
    keys: tuple[str, ...]
    descending: bool
    now: int
    plain: bool = False

    def clause(self) -> str:
        """What stands behind ORDER BY."""
        way = " DESC" if self.descending else ""
        return ", ".join(f"{key}{way}" for key in self.keys)

    def beyond(self, place: Place | None) -> tuple[str, Place]:
        """(sql, values) of what comes after ``place``; it stands in a WHERE, after others."""
        if place is None:
            return "", ()
        sign = "<" if self.descending else ">"
        marks = ", ".join("?" * len(place))
        return f"AND ({', '.join(self.keys)}) {sign} ({marks}) ", place

    def columns(self) -> str:
        """What a SELECT has behind its own columns, so that a place can be told."""
        return "" if self.plain else "".join(f", {key}" for key in self.keys)

    def token(self, place: Place) -> str:
        """The place for whoever comes back for the next page."""
        text = json.dumps([self.text, self.now, *place], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()


_UNIQUE = ("created_at", "id")
_UNIQUE_TASK = ("executions.created_at", "executions.id", "tasks.sequence")
NEWEST = Order("", _UNIQUE, descending=True, now=0, plain=True)


def executions_by(text: str, aliases: Mapping[str, str], now: int) -> Order:
    """The order of executions that ``text`` asks for; blank: the newest first.

    Args:
        aliases: Other names, in lower case, of what can be sorted by.

    Raises:
        InvalidRequest: There is no such order.
    """
    if not text.strip():
        return Order("", _UNIQUE, descending=True, now=now, plain=True)
    name, descending = _read(text, EXECUTIONS, aliases)
    return _order(name, descending, EXECUTIONS[name], _UNIQUE, now)


def tasks_by(text: str, aliases: Mapping[str, str], now: int) -> Order:
    """As :func:`executions_by`, of tasks: those of the newest execution first, the last first."""
    if not text.strip():
        return Order("", _UNIQUE_TASK, descending=True, now=now)
    name, descending = _read(text, TASKS, aliases)
    return _order(name, descending, TASKS[name], _UNIQUE_TASK, now)


def going_on(by: Callable[[int], Order], token: str, now: int) -> tuple[Order, Place | None]:
    """The order of a list from its first page on, and the place where the page of ``token`` begins.

    Args:
        by: The order as it is at a time.

    Raises:
        InvalidRequest: There is no such order, or it is no token of this one.
    """
    order = by(now)
    before, first = _place_of(token, order)
    return (order if first == now else by(first)), before


def _place_of(token: str, order: Order) -> tuple[Place | None, int]:
    """The place that a token of ``order`` tells, and what time its first page was of.

    Raises:
        InvalidRequest: It is no token of this order.
    """
    if not token:
        return None, order.now
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ValueError(len(token))
        text, now, *place = json.loads(base64.urlsafe_b64decode(token))
        if text != order.text or type(now) is not int or len(place) != len(order.keys):
            raise TypeError(token)
        for each in (now, *place):
            _check(each)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise InvalidRequest("page_token is none that this listing gave.") from None
    return tuple(place), now


def _check(key: object) -> None:
    """Raises where the database cannot hold it."""
    match key:
        case bool():
            raise TypeError(key)
        case int():
            key.to_bytes(8, signed=True)
        case str():
            key.encode()
        case _:
            raise TypeError(key)


def _read(text: str, known: Mapping[str, str], aliases: Mapping[str, str]) -> tuple[str, bool]:
    found = _WRITTEN.fullmatch(text) if len(text) <= 100 else None
    if found is None:
        raise InvalidRequest("order_by is one field, and asc or desc: ended desc.")
    name = found[1].lower()
    name = aliases.get(name, name)
    if name not in known:
        close = get_close_matches(name, known, 1)
        meant = f"; did you mean {close[0]}?" if close else "."
        raise InvalidRequest(
            f"order_by cannot be {found[1]!r}{meant} There are {', '.join(known)}."
        )
    return name, (found[2] or "asc").lower() == "desc"


def _order(name: str, descending: bool, key: str, unique: tuple[str, ...], now: int) -> Order:
    text = f"{name} {'desc' if descending else 'asc'}"
    keys = (key.replace(_NOW, str(now)), *(each for each in unique if each != key))
    return Order(text, keys, descending, now)
