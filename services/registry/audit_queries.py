"""Which entries of the audit log somebody asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.auditing import Entry
from services.errors import InvalidRequest
from services.query import EVERYTHING, QueryFault, matcher, micros, parse
from services.query.audit import AUDIT

# It is tried on thousands of entries at once.
_LONGEST_QUERY = 1_000
# In one transaction, which keeps others waiting: SQLite is quicker than a query.
_MOST_TRIED, _MOST_COMPARED = 2_000, 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is empty or None leaves none out.

    Attributes:
        actions: One of them.
        since: Not what was before; aware, as ``until`` is.
        until: Not what was then or after.
        keeps: What else must hold of an entry.
    """

    principal: str = ""
    actions: tuple[str, ...] = ()
    kind: str = ""
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    keeps: Callable[[Entry], bool] | None = None

    @property
    def most_looked_at(self) -> int:
        """So many entries may be looked at in one transaction."""
        # Where all are wanted, a page is full long before.
        return _MOST_TRIED if self.keeps is not None or self == ALL else _MOST_COMPARED

    def conditions(self) -> tuple[list[str], list[Any]]:
        """As SQL, and its values, without ``keeps``."""
        conditions, values = list[str](), list[Any]()
        for column in ("principal", "kind", "name"):
            if value := getattr(self, column):
                conditions.append(f"{column} = ?")
                values.append(value)
        if self.actions:
            conditions.append("action IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self.actions))
        # As text, moments of UTC are in their order: '+' stands before '.' and digits.
        for sign, moment in ((">=", self.since), ("<", self.until)):
            if moment is not None:
                conditions.append(f"at {sign} ?")
                values.append(moment.astimezone(UTC).isoformat())
        return conditions, values


ALL = Wanted()


def _at(entry: Entry) -> int | None:
    return None if entry.at is None else micros(entry.at)


_GETTERS: Mapping[str, Callable[[Entry], Any]] = {
    "outcome": lambda entry: entry.outcome,
    "who": lambda entry: entry.principal,
    "action": lambda entry: entry.action,
    "kind": lambda entry: entry.kind,
    "name": lambda entry: entry.name,
    "method": lambda entry: entry.method,
    "source": lambda entry: entry.source,
    "agent": lambda entry: entry.agent,
    "key": lambda entry: entry.key_id,
    "via": lambda entry: entry.via,
    "trace": lambda entry: entry.trace,
    "detail": lambda entry: entry.detail,
    "revision": lambda entry: entry.revision or None,
    "count": lambda entry: entry.count,
    "id": lambda entry: entry.id,
    "at": _at,
}


def keeping(text: str, now: datetime) -> Callable[[Entry], bool] | None:
    """A query as a test of entries; None: it leaves none out.

    Raises:
        InvalidRequest: It cannot be read; says where.
    """
    if len(text) > _LONGEST_QUERY:
        raise InvalidRequest(f"A query has at most {_LONGEST_QUERY:,} characters.")
    try:
        query = parse(text, AUDIT)
    except QueryFault as fault:
        raise InvalidRequest(str(fault), start=str(fault.start), end=str(fault.end)) from fault
    return None if query == EVERYTHING else matcher(query, AUDIT, _GETTERS, now)
