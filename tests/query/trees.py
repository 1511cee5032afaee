"""Random trees, records and texts for the laws of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from services.query import (
    Pattern,
    Query,
    Term,
    Words,
    conjoined,
    disjoined,
    negated,
)
from services.query.executions import STATUSES
from services.query.patterns import pattern_of
from services.query.values import literal

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

# Few characters, so that patterns and texts meet.
LETTERS = st.sampled_from(
    ["a", "A", "b", "*", "\\", '"', "'", " ", "é", "ß", "1", ":", "%", "_", "["]
)
TEXTS = st.text(LETTERS, max_size=5)
PATTERNS = st.text(LETTERS, max_size=5).map(pattern_of)
STEPS = st.sampled_from(["a", "b c", "b\tc", "items", 0, 1])
# A path into the input or the output begins with a name or with a place in a list.
PATHS = st.lists(STEPS, min_size=1, max_size=3).map(tuple)
MOMENTS = st.integers(-(24 * 3600 * 10**6), 12 * 3600 * 10**6).map(
    lambda micros: NOW + timedelta(microseconds=micros)
)
LENGTHS = st.integers(0, 200_000_000).map(lambda ms: timedelta(milliseconds=ms))
NUMBERS = st.integers(-3, 3) | st.sampled_from([1.5, 0.1, 1e22, 2**63, -(2**70), 19.99])
LITERALS = NUMBERS.map(str) | st.sampled_from(["true", "false", "null"])
ORDERS = st.sampled_from(["<", "<=", ">", ">="])


def _document_pattern(written: str) -> Pattern:
    found = pattern_of(written)
    return Pattern(found.parts, found.literal and not isinstance(literal(found.parts[0]), str))


def _values(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)


DOCUMENT_VALUES = PATTERNS | LITERALS.map(_document_pattern)
ORDERED = (TEXTS.map(lambda text: Pattern((text,)))) | LITERALS.map(_document_pattern)
TERMS = st.one_of(
    st.builds(Term, st.just("status"), st.just("="), _values(st.sampled_from(STATUSES))),
    st.builds(
        Term,
        st.sampled_from(["wf", "corr", "id", "parent", "reason", "by", "failed"]),
        st.sampled_from(["=", "~"]),
        _values(PATTERNS),
    ),
    st.builds(Term, st.sampled_from(["v", "priority"]), st.just("="), _values(st.integers(1, 3))),
    st.builds(
        Term,
        st.sampled_from(["v", "priority"]),
        ORDERS,
        st.integers(1, 3).map(lambda each: (each,)),
    ),
    st.builds(
        Term,
        st.sampled_from(["started", "updated", "ended"]),
        ORDERS,
        MOMENTS.map(lambda each: (each,)),
    ),
    st.builds(Term, st.just("dur"), ORDERS, LENGTHS.map(lambda each: (each,))),
    st.builds(
        Term,
        st.sampled_from(["older", "newer"]),
        st.just("="),
        (LENGTHS | MOMENTS).map(lambda each: (each,)),
    ),
    st.builds(
        Term,
        st.sampled_from(["input", "output"]),
        st.sampled_from(["=", "~"]),
        _values(DOCUMENT_VALUES),
        PATHS,
    ),
    st.builds(
        Term,
        st.sampled_from(["input", "output"]),
        ORDERS,
        ORDERED.map(lambda each: (each,)),
        PATHS,
    ),
)
LEAVES: st.SearchStrategy[Query] = TERMS | st.builds(Words, PATTERNS)


def _joined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=2, max_size=3)
    return several.map(conjoined) | several.map(disjoined) | parts.map(negated)


TREES = st.recursive(LEAVES, _joined, max_leaves=6)
