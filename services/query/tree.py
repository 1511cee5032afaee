"""A query as a tree of values: terms, free words, and how they are joined.

Made by :func:`conjoined`, :func:`disjoined` and :func:`negated` it is in normal form: no AND
directly in an AND, no OR in an OR, no join of one, no NOT of a NOT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias


class QueryFault(ValueError):
    """The text is no query; the message says why, and the way out.

    Attributes:
        start: Of the text, the first character that is at fault; ``end``: the first after it.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with gaps: ``order*`` is ("order", ""), and one part alone is that text.

    Attributes:
        loose: In a document, it also stands for the number, the boolean or the null that it reads
            as: written without quotes.
    """

    parts: tuple[str, ...]
    loose: bool = False

    @property
    def literal(self) -> bool:
        """Whether there are no gaps."""
        return len(self.parts) == 1

    @property
    def anything(self) -> bool:
        """Whether it is ``*`` alone: whatever is there."""
        return self.parts == ("", "")


Value: TypeAlias = Pattern | str | int | float | datetime | timedelta
Step: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Term:
    """One field compared with values: any of them will do.

    Attributes:
        name: The field's own name, never an alias.
        operator: ``=`` (equals), ``~`` (contains), ``<``, ``<=``, ``>`` or ``>=``.
        values: One, but for ``=`` and ``~``. Their type is the field's: an enum's are str, a
            text's and a document's Pattern, an age's timedelta or datetime.
        path: Where in a document.
        start: Where it stands in the text, up to ``end``; two terms are equal wherever they stand.
    """

    name: str
    operator: str
    values: tuple[Value, ...]
    path: tuple[Step, ...] = ()
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Free text, looked for in whichever fields the vocabulary names for it."""

    pattern: Pattern
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever ``inner`` does not match."""

    inner: Query


@dataclass(frozen=True, slots=True)
class And:
    """All of them must match; none of them: everything does."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them must match; none of them: nothing does."""

    parts: tuple[Query, ...]


Query: TypeAlias = Term | Words | Not | And | Or

EVERYTHING = And(())
NOTHING = Or(())


def conjoined(parts: Iterable[Query]) -> Query:
    """All of ``parts``, in normal form."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    if NOTHING in flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjoined(parts: Iterable[Query]) -> Query:
    """Any of ``parts``, in normal form."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    if EVERYTHING in flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negated(query: Query) -> Query:
    """Whatever ``query`` does not match, in normal form."""
    if isinstance(query, Not):
        return query.inner
    if query == EVERYTHING:
        return NOTHING
    return EVERYTHING if query == NOTHING else Not(query)


def says_nothing(query: Query) -> bool:
    """Whether it is blank, or as good as that: whatever is looked at contains an empty text."""
    match query:
        case And(parts):
            return all(map(says_nothing, parts))
        case Or(parts):
            return any(map(says_nothing, parts))
        case Words(pattern):
            return pattern.parts == ("",)
        case Term(operator="~", path=()):
            return any(isinstance(each, Pattern) and each.parts == ("",) for each in query.values)
        case _:
            return False


def leaves(query: Query) -> Iterator[Term | Words]:
    """Its terms and free words, in the order of the text."""
    if isinstance(query, Not):
        yield from leaves(query.inner)
    elif isinstance(query, (And, Or)):
        for part in query.parts:
            yield from leaves(part)
    else:
        yield query
