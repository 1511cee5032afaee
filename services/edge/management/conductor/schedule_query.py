"""What Conductor's clients search schedules and their runs by. No IO."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.jackson import moment_in
from services.edge.management.configuration.documents import Document

_CONDITION = re.compile(r"(\w+)\s*(=|>|<|\bIN\b)\s*(.*)", re.DOTALL | re.IGNORECASE)
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_LONGEST = 10_000
_NAMED = ("scheduleName", "state", "workflowName", "executionId", "workflowId")
RUN_ORDERS = ("scheduledTime", "executionTime", "scheduleName", "workflowName", "state")
SCHEDULE_ORDERS = ("name", "workflowName", "createTime", "updatedTime", "nextRunTime", "paused")


@dataclass
class RunQuery:
    """Conditions that must all hold.

    Attributes:
        among: By field, the values of which one must be it.
        after: Milliseconds since 1970, as is ``before``; 0: no limit.
        text: What schedule, workflow or execution must contain, in small letters.
    """

    among: dict[str, set[str]] = field(default_factory=dict)
    after: int = 0
    before: int = 0
    text: str = ""

    @property
    def schedules(self) -> set[str] | None:
        """Their names; None: any."""
        return self.among.get("scheduleName")

    def holds(self, run: Document) -> bool:
        """Whether a run, as clients read it, is meant."""
        at = run["scheduledTime"]
        words = (run["scheduleName"], run["workflowName"], run["executionId"])
        return (
            all(run.get(name) in values for name, values in self.among.items())
            and at > self.after
            and (not self.before or at < self.before)
            and self.text in "\n".join(words).lower()
        )


def read_run_query(query: str, text: str) -> RunQuery:
    """``scheduleName IN (a,b) AND state=FAILED AND scheduledTime>1700000000000``.

    A condition without an operator names a schedule.

    Raises:
        InvalidRequest: It is no such query; InvalidDefinition: it has no such moment.
    """
    if len(query) > _LONGEST:
        raise refused("query", f"must have at most {_LONGEST:,} characters")
    read = RunQuery(text="" if text == "*" else text.strip("*").lower())
    for condition in filter(None, map(str.strip, _AND.split(query))):
        _take(read, condition)
    return read


def _take(read: RunQuery, condition: str) -> None:
    found = _CONDITION.fullmatch(condition)
    name, operator, value = found.groups() if found else ("scheduleName", "=", condition)
    if name in _NAMED and operator in ("=", "IN", "in"):
        inner = value.strip().removeprefix("(").removesuffix(")")
        pieces = {piece.strip().strip("'\"") for piece in inner.split(",")}
        read.among[name] = read.among.get(name, pieces) & pieces
    elif name == "scheduledTime" and operator == ">":
        read.after = moment_in(value.strip(), name)
    elif name == "scheduledTime" and operator == "<":
        read.before = moment_in(value.strip(), name)
    else:
        said = (
            f"{condition[:100]!r} is no condition of this search: there are {', '.join(_NAMED)}, "
            "with = and IN, and scheduledTime with > and <"
        )
        raise refused("query", said)


def ordered(
    found: Sequence[Document], sort: Sequence[str], orders: Sequence[str], default: str
) -> list[Document]:
    """Sorted by ``field:ASC`` or ``field:DESC``, the first of them first.

    Raises:
        InvalidRequest: There is no such field to sort by.
    """
    rows = list(found)
    for each in reversed(sort or [default]):
        name, _, direction = each.partition(":")
        if name not in orders or direction.upper() not in ("", "ASC", "DESC"):
            known = ", ".join(orders)
            said = f"{each[:60]!r} is not known here: it is {known} with :ASC or :DESC"
            raise refused("sort", said)
        rows.sort(key=_key(name), reverse=direction.upper() == "DESC")
    return rows


def _key(name: str) -> Callable[[Document], Any]:
    # What is not there comes first.
    return lambda row: (False, 0) if row.get(name) is None else (True, row[name])
