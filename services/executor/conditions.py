"""A query as SQL over ``executor.db``; what it finds is what ``matcher`` would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from services.executor.comparing import (
    Sql,
    among,
    contains,
    first_after,
    globbed,
    joined,
    may_be_empty,
    of_document,
)
from services.query import And, Not, Or, Pattern, Query, Term, Words, leaves, micros
from services.query.executions import EXECUTIONS
from services.query.matching import comparable, dated
from services.query.tasks import TASKS
from services.query.vocabulary import Kind, Vocabulary

COLUMNS = {
    "status": "status",
    "wf": "workflow",
    "v": "version",
    "corr": "correlation_id",
    "id": "id",
    "parent": "parent_id",
    "reason": "reason",
    "started": "created_at",
    "updated": "updated_at",
    "ended": "ended_at",
    "by": "started_by",
    "priority": "priority",
    "failed": "failed_refs",
    "input": "input",
    "output": "output",
}
# In a join of the two, which is what tasks are looked for in.
TASK_COLUMNS = {
    "status": "tasks.status",
    "kind": "tasks.kind",
    "ref": "tasks.ref",
    "name": "tasks.name",
    "wf": "executions.workflow",
    "execution": "executions.id",
    "corr": "executions.correlation_id",
    "id": "tasks.id",
    "reason": "tasks.reason",
    "worker": "tasks.worker_id",
    "attempt": "tasks.attempt",
    "iteration": "tasks.iteration",
    "polls": "tasks.poll_count",
    "scheduled": "tasks.scheduled_at",
    "started": "tasks.started_at",
    "updated": "tasks.updated_at",
    "ended": "tasks.ended_at",
    "input": "tasks.input",
    "output": "tasks.output",
}
_OPEN = frozenset(("RUNNING", "PAUSED"))
_OPEN_TASK = frozenset(("SCHEDULED", "IN_PROGRESS"))
# As the partial index of those has it, to the letter.
UNWELL = "status IN ('FAILED', 'TIMED_OUT', 'TERMINATED')"
_UNWELL = frozenset(("FAILED", "TIMED_OUT", "TERMINATED"))
# The field of words in both vocabularies.
WORDS = "text"


_MATCHES = (
    "SELECT {0} FROM words.places WHERE doc IN (SELECT rowid FROM words.{1} WHERE {1} MATCH ?)"
)
_MATCH = (
    "SELECT 1 FROM words.places AS p CROSS JOIN words.{0} ON {0}.rowid = p.doc "
    "WHERE p.execution_id = {1} AND p.sequence = {2} AND {0} MATCH ?"
)


# An index holds the snapshots that mask anything, and no others.
_MASKS = (
    "NOT EXISTS (SELECT 1 FROM snapshots AS s INDEXED BY snapshots_that_mask, "
    "json_each(s.masked) AS m WHERE "
    "s.hash = executions.snapshot AND s.masked IS NOT NULL AND m.value IN ({}))"
)


@dataclass(frozen=True, slots=True)
class Table:
    """What a query is about, and where that is.

    Attributes:
        source: What stands behind FROM.
        columns: By a field's name, its column.
        length: How long one took, or has gone on by the time that is bound to it.
        indexed: Columns of text that have an index.
        unset: Columns that may be NULL.
        empty: Columns whose index leaves out what is empty.
        words: What is of a row that has words, with how they are asked for bound to it.
        many_words: The same where many rows have them: it is looked up row by row.
        index: Where the rows' words are.
        common: By statuses, what all at one of them have in common: what an index has, which then
            is looked through alone.
    """

    source: str
    vocabulary: Vocabulary
    columns: Mapping[str, str]
    length: str
    indexed: frozenset[str]
    unset: frozenset[str]
    empty: frozenset[str]
    words: str
    many_words: str
    index: str
    common: Mapping[frozenset[str], str]


EXECUTION_TABLE = Table(
    "executions",
    EXECUTIONS,
    COLUMNS,
    "coalesce(ended_at, ?) - created_at",
    frozenset(("workflow", "correlation_id", "id", "parent_id")),
    frozenset(("ended_at",)),
    frozenset(("correlation_id", "parent_id")),
    f"id IN ({_MATCHES.format('execution_id', 'of_executions')})",
    f"EXISTS ({_MATCH.format('of_executions', 'executions.id', '0')})",
    "words.of_executions",
    {_OPEN: "ended_at IS NULL", _UNWELL: UNWELL},
)
# Executions come in the order of an index, their tasks with them.
TASK_TABLE = Table(
    "executions CROSS JOIN tasks ON tasks.execution_id = executions.id",
    TASKS,
    TASK_COLUMNS,
    "coalesce(tasks.ended_at, ?) - coalesce(tasks.started_at, tasks.scheduled_at)",
    frozenset(("executions.workflow", "executions.correlation_id", "executions.id")),
    frozenset(("tasks.ended_at", "tasks.started_at")),
    frozenset(("executions.correlation_id",)),
    # That of executions leads to them; without it all were looked through.
    f"(executions.id IN ({_MATCHES.format('execution_id', 'of_tasks')}) "
    "AND (executions.id, tasks.sequence) IN "
    f"({_MATCHES.format('execution_id, sequence', 'of_tasks')}))",
    f"EXISTS ({_MATCH.format('of_tasks', 'executions.id', 'tasks.sequence')})",
    "words.of_tasks",
    # Whoever ends an execution ends its tasks.
    {_OPEN_TASK: "executions.ended_at IS NULL"},
)


@dataclass(frozen=True, slots=True)
class Prefix:
    """A range of an indexed text: from ``first`` up to, and without, ``after``."""

    column: str
    first: str
    after: str


def condition(
    query: Query,
    now: datetime,
    crowded: frozenset[str] = frozenset(),
    table: Table = EXECUTION_TABLE,
) -> tuple[str, tuple[object, ...]]:
    """(sql, values): a condition on columns of ``table``, true or false and never NULL.

    It stands in a WHERE beside others, joined by AND: ``WHERE {sql} AND id > ?``; of EVERYTHING it
    is ``1``. A query that names documents reads those of every row that the rest of it lets pass.

    Args:
        query: Of the table's vocabulary.
        now: What ages are measured from, and the durations of what runs.
        crowded: Columns of which :func:`prefixes` hold so many rows that their index is no help;
            and what is asked for of words (:func:`matches`) that so many have.
    """
    sql, values = _Writer(now, crowded, table).of(query)
    return sql, tuple(values)


def prefixes(query: Query, table: Table = EXECUTION_TABLE) -> list[Prefix]:
    """The ranges of an indexed text in which all must be that ``query`` finds."""
    parts = query.parts if isinstance(query, And) else (query,)
    found = []
    for part in parts:
        if isinstance(part, Term) and part.operator == "=" and len(part.values) == 1:
            (value,) = part.values
            column = table.columns.get(part.name, "")
            if column in table.indexed and isinstance(value, Pattern) and not value.literal:
                after = first_after(value.parts[0])
                if value.parts[0] and after is not None:
                    found.append(Prefix(column, value.parts[0], after))
    return found


def several(query: Query, table: Table = EXECUTION_TABLE) -> list[tuple[str, Sql]]:
    """(column, condition) of each indexed text that must be one of several for ``query``."""
    parts = query.parts if isinstance(query, And) else (query,)
    found = []
    for part in parts:
        if isinstance(part, Term) and part.operator == "=" and len(part.values) > 1:
            patterns = [each for each in part.values if isinstance(each, Pattern)]
            texts = [each.parts[0] for each in patterns if each.literal]
            column = table.columns.get(part.name, "")
            if column in table.indexed and len(texts) == len(part.values):
                found.append((column, among(column, texts)))
    return found


def is_of_common(query: Query, table: Table = EXECUTION_TABLE) -> bool:
    """Whether all that ``query`` finds are in the index of those that have something in common."""
    parts = query.parts if isinstance(query, And) else (query,)
    return any(
        isinstance(part, Term)
        and part.name == "status"
        and any(some.issuperset(cast("tuple[str, ...]", part.values)) for some in table.common)
        for part in parts
    )


def matches(query: Query) -> list[str]:
    """What is asked of the index of words."""
    return [
        matched(value)
        for leaf in leaves(query)
        if isinstance(leaf, Term) and leaf.name == WORDS
        for value in leaf.values
    ]


def matched(value: object) -> str:
    """Words as the index is asked for them."""
    parts = cast("Pattern", value).parts
    quoted_ = parts[0].replace('"', '""')
    return f'"{quoted_}"' + ("*" if len(parts) > 1 else "")


def reads_documents(query: Query) -> bool:
    """Whether the documents of executions are looked into."""
    match query:
        case And(parts) | Or(parts):
            return any(reads_documents(each) for each in parts)
        case Not(inner):
            return reads_documents(inner)
        case Term(path=path):
            return bool(path)
        case _:
            return False


class _Writer:
    def __init__(self, now: datetime, crowded: frozenset[str], table: Table) -> None:
        self._now = now
        self._crowded = crowded
        self._table = table

    def of(self, query: Query) -> Sql:
        match query:
            case And(parts):
                return joined(" AND ", map(self.of, parts), "1")
            case Or(parts):
                return joined(" OR ", map(self.of, parts), "0")
            case Not(inner):
                sql, values = self.of(inner)
                # A pair of parentheses that is not needed is depth that is.
                grouped = isinstance(inner, (And, Or)) and len(inner.parts) > 1
                return f"NOT {sql}" if grouped else f"NOT ({sql})", values
            case Words(pattern):
                table = self._table
                columns = (table.columns[name] for name in table.vocabulary.words_in)
                return joined(" OR ", (contains(each, pattern) for each in columns), "0")
            case Term():
                return self._term(dated(query, self._table.vocabulary, self._now))

    def _term(self, term: Term) -> Sql:
        kind = self._table.vocabulary[term.name].kind
        if kind is Kind.DURATION:
            sql = f"{self._table.length} {term.operator} ?"
            return sql, [micros(self._now), comparable(term.values[0])]
        if kind is Kind.WORDS:
            return joined(" OR ", map(self._words, map(matched, term.values)), "0")
        column = self._table.columns[term.name]
        if kind is Kind.DOCUMENT:
            return _unmasked(term, of_document(column, term))
        if kind is Kind.TEXT and self._table.vocabulary[term.name].several:
            sql, values = self._texts("item.value", term)
            # Nearly all have none: they are passed over without being read into a list.
            listed = f"SELECT 1 FROM json_each({column}) AS item WHERE {sql}"
            return f"({column} != '[]' AND EXISTS ({listed}))", values
        if kind is Kind.TEXT:
            return self._texts(column, term)
        if kind is Kind.ENUM:
            return self._status(column, cast("tuple[str, ...]", term.values))
        if term.operator == "=":
            return among(column, term.values)
        there = f"{column} IS NOT NULL AND " if column in self._table.unset else ""
        return f"({there}{column} {term.operator} ?)", [comparable(term.values[0])]

    def _status(self, column: str, statuses: tuple[str, ...]) -> Sql:
        sql, values = among(column, statuses)
        for some, common in self._table.common.items():
            if some.issuperset(statuses):
                return f"({sql} AND {common})", values
        return sql, values

    def _words(self, asked: str) -> Sql:
        table = self._table
        sql = table.many_words if asked in self._crowded else table.words
        return sql, [asked] * sql.count("?")

    def _texts(self, column: str, term: Term) -> Sql:
        patterns = cast("tuple[Pattern, ...]", term.values)
        if term.operator == "=":
            return self._text(column, patterns)
        return joined(" OR ", (contains(column, each) for each in patterns), "0")

    def _text(self, column: str, patterns: tuple[Pattern, ...]) -> Sql:
        literals = [each.parts[0] for each in patterns if each.literal]
        # A sign before it keeps a column from being looked up in its index.
        looked_at = f"+{column}" if column in self._crowded else column
        parts = [globbed(looked_at, each) for each in patterns if not each.literal]
        if literals:
            # Of a single one the index is the order, too.
            parts.insert(0, among(looked_at if len(literals) > 1 else column, literals))
        sql, values = joined(" OR ", parts, "0")
        found = column in self._table.empty and "" not in literals
        if found and not any(map(may_be_empty, patterns)):
            return f"({column} != '' AND {sql})", values
        return sql, values


def _unmasked(term: Term, sql: Sql) -> Sql:
    """``sql``, which holds for no value that is masked where the execution ran."""
    names = [step for step in term.path if isinstance(step, str)]
    if not names:
        return sql
    holds, values = sql
    return f"({holds} AND {_MASKS.format(','.join('?' * len(names)))})", [*values, *names]
