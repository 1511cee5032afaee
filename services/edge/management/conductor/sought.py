"""What a search asks for, as Conductor's clients write it, put into our queries. No IO.

The grammar is Podium's own (docs/query.md), of which Conductor's is a part. Of a task, ``taskType``
is what Conductor shows: the name of a SIMPLE one, and FORK of all forks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.edge.management.conductor.attributes import EXECUTIONS, TASKS
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.reading import Query as Sent
from services.query import (
    And,
    Not,
    Or,
    Pattern,
    Query,
    QueryFault,
    Term,
    Vocabulary,
    Words,
    conjoined,
    disjoined,
    format_query,
    leaves,
    negated,
    parse,
)

MOST_RESULTS = 5000
_SIZE = 100
# As the executor has it.
_MOST_PASSED_OVER = 10_000
_MOST_SHOWN = 60
_KIND, _NAME, _SIMPLE = "kind", "name", Pattern(("SIMPLE",))
_FORKS = (Pattern(("FORK_JOIN",)), Pattern(("FORK_JOIN_DYNAMIC",)))
_FORK = Pattern(("FORK",))
# What some stores of Conductor's read, and what says the same here.
_INSTEAD = {
    "STARTS_WITH": "workflowType = order*",
    "BETWEEN": "startTime >= 1700000000000 AND startTime <= 1800000000000",
}
_UNENDED = (Pattern(("SCHEDULED",)), Pattern(("IN_PROGRESS",)))


@dataclass(frozen=True, slots=True)
class Sought:
    """A search.

    Attributes:
        query: In our grammar; empty: all there are.
        order_by: As ListExecutions and SearchTasks have it.
        start: How many results are passed over.
        size: How many are wanted, at most MOST_RESULTS.
        top_level_only: Without what other executions have started.
    """

    query: str
    order_by: str
    start: int
    size: int
    top_level_only: bool


def executions_sought(sent: Sent) -> Sought:
    """A search for executions. Raises :class:`InvalidRequest`, which says where a fault is."""
    return _sought(sent, EXECUTIONS)


def tasks_sought(sent: Sent) -> Sought:
    """As :func:`executions_sought`, for tasks."""
    return _sought(sent, TASKS)


def unended_sought(task_type: str, start: int, size: int) -> Sought:
    """A search for the tasks of a type that have not ended, as they are shown.

    Raises:
        InvalidRequest: They are too many at once.
    """
    _bounded(size)
    of_type = _as_shown(Term(_KIND, "=", (Pattern((task_type,)),)))
    query = conjoined((of_type, Term("status", "=", _UNENDED)))
    return Sought(format_query(query), "", start, size, top_level_only=False)


def _bounded(size: int) -> int:
    if size > MOST_RESULTS:
        said = f"Cannot return more than {MOST_RESULTS} workflows. Please use pagination."
        raise refused("size", said)
    return size


def _sought(sent: Sent, vocabulary: Vocabulary) -> Sought:
    if sent.text("classifier"):
        raise refused("classifier", "executions have none here; ask by workflowType")
    size = _bounded(sent.whole("size", _SIZE, bound=MOST_RESULTS))
    query = _query(sent.text("query"), vocabulary)
    if vocabulary is TASKS:
        query = _as_shown(query)
    words = _words(sent.text("freeText"), vocabulary)
    return Sought(
        query=format_query(conjoined((query, words))),
        order_by=_order(sent),
        start=_start(sent),
        size=size,
        top_level_only=sent.flag("topLevelOnly"),
    )


def _start(sent: Sent) -> int:
    start = sent.whole("start", bound=_MOST_PASSED_OVER)
    if start > _MOST_PASSED_OVER:
        said = f"is {_MOST_PASSED_OVER} at most: ask with a narrower query, as by when they began"
        raise refused("start", said)
    return start


def _query(text: str, vocabulary: Vocabulary) -> Query:
    try:
        query = parse(text, vocabulary)
    except QueryFault as fault:
        at = text[fault.start : fault.end][:_MOST_SHOWN]
        shown = f": {at!r}" if at else ""
        said = f"{fault} (characters {fault.start} to {fault.end}{shown})"
        raise refused("query", said, start=str(fault.start), end=str(fault.end)) from fault
    words = [leaf.pattern for leaf in leaves(query) if isinstance(leaf, Words)]
    if any(not each.anything for each in words):
        raise refused("query", _unread(words))
    return query


def _unread(words: Sequence[Pattern]) -> str:
    """What to write instead: as words, operators of Conductor's would find nothing."""
    for operator, instead in _INSTEAD.items():
        if any(operator in " ".join(each.parts).upper().split() for each in words):
            return f"{operator} is no operator here: write {instead}."
    return (
        "there are words that compare nothing. Write workflowType = order*, "
        "status IN (FAILED, TIMED_OUT), startTime > 1700000000000, joined by AND, OR and NOT; "
        "words to look for go into freeText."
    )


def _words(text: str, vocabulary: Vocabulary) -> Query:
    """What ``freeText`` asks for: words in a row, of which the last may end with ``*``."""
    if not text.strip(" *"):
        return And(())
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    try:
        return parse(f'text:"{quoted}"', vocabulary)
    except QueryFault as fault:
        raise refused("freeText", str(fault)) from fault


def _order(sent: Sent) -> str:
    """``field``, ``field:ASC`` or ``field:DESC``; several are between ``|``."""
    given = [each for _, each in sent.pairs if _ == "sort"]
    orders = [piece.strip() for each in given for piece in each.split("|")]
    orders = [each for each in orders if each and each != "None"]
    if len(orders) > 1:
        raise refused("sort", "results are sorted by one field, like startTime:DESC")
    return orders[0] if orders else ""


def _as_shown(query: Query) -> Query:
    """``query`` where each kind is what Conductor shows as ``taskType``."""
    match query:
        case And(parts):
            return conjoined(map(_as_shown, parts))
        case Or(parts):
            return disjoined(map(_as_shown, parts))
        case Not(inner):
            return negated(_as_shown(inner))
        case Term(name="kind", operator="="):
            return _of_kind(query)
        case _:
            return query


def _of_kind(term: Term) -> Query:
    names = tuple(each for each in term.values if each != _SIMPLE)
    kinds = (*term.values, *(_FORKS if _FORK in term.values else ()))
    of_kind = Term(_KIND, "=", tuple(dict.fromkeys(kinds)))
    if not names:
        return of_kind
    simple = Term(_KIND, "=", (_SIMPLE,))
    return disjoined((of_kind, conjoined((simple, Term(_NAME, "=", names)))))
