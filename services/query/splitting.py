"""Which part of a query can be told from a record, and which only the server knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.query.tree import (
    EVERYTHING,
    NOTHING,
    And,
    Not,
    Or,
    Query,
    Term,
    Words,
    conjoined,
    disjoined,
    leaves,
    negated,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A query, split.

    Attributes:
        local: What every record of the query is of, too; the query itself where it is all local.
        server: The terms that a record does not tell, in the order of the text.
    """

    local: Query
    server: tuple[Term, ...]


def local_part(query: Query, fields: Collection[str]) -> Parts:
    """``query`` for records that have ``fields`` (names, those of ages among them) and no others.

    Free words count as local.
    """
    remote = tuple(
        leaf for leaf in leaves(query) if isinstance(leaf, Term) and leaf.name not in fields
    )
    return Parts(_assuming(query, frozenset(fields), unknown=EVERYTHING), remote)


def _assuming(query: Query, fields: frozenset[str], unknown: Query) -> Query:
    """``query`` with ``unknown`` for each term that is not of ``fields``, swapped within NOT."""
    match query:
        case Term(name=name):
            return query if name in fields else unknown
        case Words():
            return query
        case Not(inner):
            other = NOTHING if unknown == EVERYTHING else EVERYTHING
            return negated(_assuming(inner, fields, other))
        case And(parts):
            return conjoined(_assuming(each, fields, unknown) for each in parts)
        case Or(parts):
            return disjoined(_assuming(each, fields, unknown) for each in parts)
