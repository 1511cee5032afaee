"""The filter of a resource's list: its text into a test of records, by the grammar of all lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.query import (
    EVERYTHING,
    Field,
    Kind,
    Query,
    QueryFault,
    Term,
    Vocabulary,
    format_query,
    local_part,
    matcher,
    moves,
    parse,
)
from tui.resources.model import Resource
from tui.views.visible import visible

# Values that a field is completed with, and how many records are looked at for them.
MOST_VALUES = 200
MOST_LOOKED_AT = 5_000
_WORDS = "text"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a text asks of a list.

    Attributes:
        text: As it was written.
        keeps: Whether a record is of it; None: all are.
        server: The query that only the service can decide; empty: all is decided here.
        server_terms: The terms for which that is so, as written.
        moves: Whether time alone may change what is kept.
    """

    text: str = ""
    keeps: Callable[[Any], bool] | None = None
    server: str = ""
    server_terms: tuple[str, ...] = ()
    moves: bool = False


def vocabulary_of(resource: Resource[Any]) -> Vocabulary:
    """What the resource's filter can name: its own vocabulary, or all its fields as text."""
    if resource.vocabulary is not None:
        return resource.vocabulary
    named = tuple(Field(name.lower(), Kind.TEXT) for name in resource.fields if name != _WORDS)
    return Vocabulary((*named, Field(_WORDS, Kind.TEXT, hint="anywhere in it")), (_WORDS,))


def _getters(resource: Resource[Any]) -> Mapping[str, Callable[[Any], Any]]:
    if resource.vocabulary is not None:
        return resource.fields
    getters = {name.lower(): _as_text(get) for name, get in resource.fields.items()}
    return {_WORDS: resource.text, **getters}


def _as_text(get: Callable[[Any], Any]) -> Callable[[Any], str | None]:
    def text(record: Any) -> str | None:
        value = get(record)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return None if value is None else str(value)

    return text


def filter_of(resource: Resource[Any], text: str, now: datetime) -> Filter:
    """``text`` as a filter of the resource's list; ``now`` is what ages are measured from.

    Raises:
        QueryFault: It cannot be read, or asks for what nobody can tell.
    """
    text = text.strip()
    vocabulary, getters = vocabulary_of(resource), _getters(resource)
    query = parse(text, vocabulary)
    if query == EVERYTHING:
        return Filter(text)
    if resource.source is not None and resource.source.asks_all:
        return Filter(text, None, format_query(query), _written(text, query))
    here = {
        field.name for field in vocabulary.fields
        if field.name in getters or (field.kind is Kind.AGE and field.of in getters)
    }  # fmt: skip
    parts = local_part(query, here)
    _check_server(resource, parts.server)
    return Filter(
        text,
        matcher(parts.local, vocabulary, getters, now),
        _asked(query, vocabulary) if parts.server else "",
        tuple(text[term.start : term.end] for term in parts.server),
        moves(parts.local, vocabulary),
    )


def _written(text: str, query: Query) -> tuple[str, ...]:
    """Its terms, as they were written."""
    terms = local_part(query, ()).server
    return tuple(text[term.start : term.end] for term in terms)


def _asked(query: Query, vocabulary: Vocabulary) -> str:
    """The query for the service: without what time alone changes, which it asks only once."""
    still = {
        field.name for field in vocabulary.fields
        if field.kind not in (Kind.AGE, Kind.DURATION)
    }  # fmt: skip
    rest = local_part(query, still).local
    return format_query(query if rest == EVERYTHING else rest)


def _check_server(resource: Resource[Any], terms: Sequence[Term]) -> None:
    if terms and not (resource.source is not None and resource.source.takes_query):
        first = terms[0]
        message = f"This list cannot tell {first.name!r} of what it shows."
        raise QueryFault(message, first.start, first.end)


def values_in(resource: Resource[Any], records: Iterable[Any]) -> dict[str, list[str]]:
    """By a text field's name, values that records have: what it can be completed with."""
    vocabulary, getters = vocabulary_of(resource), _getters(resource)
    wanted = [
        field.name for field in vocabulary.fields
        if field.kind is Kind.TEXT and field.name != _WORDS and field.name in getters
    ]  # fmt: skip
    found: dict[str, dict[str, None]] = {name: {} for name in wanted}
    for _, record in zip(range(MOST_LOOKED_AT), records, strict=False):
        for name in wanted:
            value = getters[name](record)
            # What cannot be typed is no completion.
            if value and len(found[name]) < MOST_VALUES and visible(value) == value:
                found[name][value] = None
    return {name: sorted(values) for name, values in found.items()}
