"""The query that `podium executions` takes, read into a filter.

Two ways to write the same: ``status:failed wf:order*`` or, as Conductor's search has it,
``status = FAILED AND workflowType = order*``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches

STATUSES = ("RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")

_NAMES = {
    "status": "status",
    "wf": "workflow",
    "workflow": "workflow",
    "workflowtype": "workflow",
    "workflowname": "workflow",
    "correlation": "correlation",
    "correlationid": "correlation",
    "after": "after",
    "starttime": "after",
    "before": "before",
}
# One name of each, and Conductor's.
_TOLD = (
    "status",
    "wf (workflowType)",
    "correlation (correlationId)",
    "after (startTime)",
    "before",
)
_TERM = re.compile(
    r"([A-Za-z]+)\s*(:|=|>|<|\s+IN\s+)\s*(\([^)]*\)|\"[^\"]*\"|'[^']*'|\S+)", re.IGNORECASE
)


class QueryFault(ValueError):
    """The query cannot be read; the message says which part, and what would do."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which executions are wanted; what is empty does not matter.

    Attributes:
        workflow: A name; ``*`` in it stands for any characters.
    """

    statuses: tuple[str, ...] = ()
    workflow: str = ""
    correlation_id: str = ""
    started_after: datetime | None = None
    started_before: datetime | None = None


def parse(text: str) -> Query:
    """``text`` as a filter. Raises :class:`QueryFault`."""
    query = Query()
    position = 0
    rest = text.strip()
    while position < len(rest):
        match = _TERM.match(rest, position)
        if match is None:
            raise QueryFault(
                f"{rest[position:]!r} is no condition; write e.g. status:failed or wf:order*"
            )
        query = _with(query, *match.groups())
        position = match.end()
        joint = re.compile(r"\s*(AND\b\s*)?", re.IGNORECASE).match(rest, position)
        position = joint.end() if joint else position
    return query


def _with(query: Query, name: str, operator: str, value: str) -> Query:
    field = _NAMES.get(name.lower())
    if field is None:
        close = get_close_matches(name.lower(), _NAMES, 1)
        raise QueryFault(
            f"There is no field {name!r}"
            + (f"; did you mean {close[0]}? " if close else "; ")
            + f"{'T' if close else 't'}here are {', '.join(_TOLD)}."
        )
    operator = operator.strip().upper()
    if field == "after" and operator == "<":
        field = "before"
    return _FIELDS[field](query, [part.strip(" '\"") for part in value.strip("()").split(",")])


def _status(query: Query, values: list[str]) -> Query:
    wanted = [value.upper().replace("-", "_") for value in values]
    for value in wanted:
        if value not in STATUSES:
            raise QueryFault(f"There is no status {value}; there are {', '.join(STATUSES)}.")
    return replace(query, statuses=query.statuses + tuple(wanted))


def _workflow(query: Query, values: list[str]) -> Query:
    return replace(query, workflow=_only(values, "workflow"))


def _correlation(query: Query, values: list[str]) -> Query:
    return replace(query, correlation_id=_only(values, "correlation"))


def _after(query: Query, values: list[str]) -> Query:
    return replace(query, started_after=_moment(_only(values, "after")))


def _before(query: Query, values: list[str]) -> Query:
    return replace(query, started_before=_moment(_only(values, "before")))


_FIELDS: dict[str, Callable[[Query, list[str]], Query]] = {
    "status": _status,
    "workflow": _workflow,
    "correlation": _correlation,
    "after": _after,
    "before": _before,
}


def _only(values: list[str], name: str) -> str:
    if len(values) != 1:
        raise QueryFault(f"{name} takes one value, not {len(values)}.")
    return values[0]


def _moment(value: str) -> datetime:
    """Epoch milliseconds, as Conductor writes times, or ISO 8601 (without a zone: UTC)."""
    try:
        if value.isdecimal():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        raise QueryFault(
            f"{value!r} is no time; write 2026-01-31T12:00 or epoch milliseconds."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
