"""What may stand where the cursor is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.query.formatting import value_text
from services.query.patterns import lowered
from services.query.tokens import Sort, Token, tokens
from services.query.tree import Pattern, QueryFault
from services.query.vocabulary import Field, Kind, Vocabulary

MOST_COMPLETIONS = 50
_LENGTHS = ("5m", "10m", "1h", "6h", "1d", "7d")
_SEPARATORS = {
    Kind.TEXT: ":",
    Kind.ENUM: ":",
    Kind.AGE: ":",
    Kind.NUMBER: ":",
    Kind.TIME: ">",
    Kind.DURATION: ">",
    Kind.DOCUMENT: ".",
    Kind.WORDS: ":",
}
_JOINTS = {"OR": "either of two", "NOT": "whatever does not match"}


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing to put in.

    Attributes:
        replaces: (start, end) of what it takes the place of.
        hint: What it is, in a few words; may be empty.
    """

    text: str
    replaces: tuple[int, int]
    hint: str = ""


def complete(
    text: str, cursor: int, vocabulary: Vocabulary, values: Mapping[str, Sequence[str]]
) -> list[Completion]:
    """What may stand at ``cursor``, those that begin as it does before those that contain it.

    Args:
        values: By a field's name, values that there are; of a document, paths in it.
    """
    before = text[:cursor]
    try:
        found = list(tokens(before))
    except QueryFault as fault:
        # A quote that is still open: complete what it was about to hold.
        found = [*tokens(before[: fault.start]), _opened(before, fault.start)]
    place = _Place(found, cursor)
    if place.field is not None and (field := vocabulary.field(place.field)) is not None:
        options = _values(field, values)
    elif place.field is not None:
        options = iter(())
    else:
        options = _names(place.prefix, vocabulary, values, after=place.after_term)
    return _ranked(options, place)


def _opened(before: str, start: int) -> Token:
    return Token(Sort.VALUE, before[start + 1 :], start, len(before), quoted=True)


class _Place:
    """Where the cursor is.

    Attributes:
        field: Whose value is wanted, as it was written; None: a term may begin.
        prefix: What of it there is.
        start: Where that begins.
        after_term: Whether something stands before it that can be joined.
    """

    def __init__(self, found: list[Token], cursor: int) -> None:
        touched = found[-1] if found and found[-1].end == cursor else None
        typed = touched is not None and touched.sort in (
            Sort.WORD, Sort.VALUE, Sort.AND, Sort.OR, Sort.NOT
        ) and touched.text != "!"  # fmt: skip
        self.cursor = cursor
        self.prefix = touched.text if typed and touched else ""
        self.start = touched.start if typed and touched else cursor
        before = found[:-1] if typed else found
        self.field = _field_of(before, touched)
        joinable = (Sort.WORD, Sort.VALUE, Sort.CLOSE)
        self.after_term = bool(before) and before[-1].sort in joinable


def _field_of(before: list[Token], touched: Token | None) -> str | None:
    """The field whose value comes after ``before``."""
    if not before or before[-1].sort not in (Sort.OPERATOR, Sort.COMMA, Sort.OPEN):
        return None
    if touched is not None and touched.sort is Sort.WORD and not touched.quoted:
        return None
    for token in reversed(before):
        if token.sort is Sort.NAME:
            return token.text
        if token.sort not in (Sort.OPERATOR, Sort.COMMA, Sort.OPEN, Sort.VALUE):
            return None
    return None


def _values(field: Field, values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """(what is compared, text, hint) of the values that ``field`` may have."""
    if field.kind is Kind.ENUM:
        for each in field.values:
            yield each.lower(), each.lower(), field.hint
    elif field.kind in (Kind.AGE, Kind.DURATION):
        for each in _LENGTHS:
            yield each, each, field.hint
    elif field.kind is not Kind.DOCUMENT:
        for each in values.get(field.name, ()):
            quotable = value_text(Pattern((each,))) if field.kind is Kind.TEXT else each
            yield each, quotable, field.hint


def _names(
    prefix: str, vocabulary: Vocabulary, values: Mapping[str, Sequence[str]], *, after: bool
) -> Iterator[tuple[str, str, str]]:
    for field in vocabulary.fields:
        yield field.name, field.name + _SEPARATORS[field.kind], field.hint
        for alias in field.aliases:
            # Another name is offered to whoever has begun to write it.
            if prefix and lowered(alias).startswith(lowered(prefix)):
                yield alias, alias + _SEPARATORS[field.kind], field.hint
        if field.kind is Kind.DOCUMENT and lowered(prefix).startswith(field.name):
            for path in values.get(field.name, ()):
                yield f"{field.name}.{path}", f"{field.name}.{path}=", field.hint
    for joint, hint in _JOINTS.items():
        if after or joint == "NOT":
            yield joint, f"{joint} ", hint


def _ranked(options: Iterable[tuple[str, str, str]], place: _Place) -> list[Completion]:
    wanted = lowered(place.prefix)
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for compared, text, hint in options:
        if lowered(compared).startswith(wanted):
            first.setdefault(text, hint)
        elif wanted in lowered(compared):
            second.setdefault(text, hint)
        if len(first) >= MOST_COMPLETIONS:
            break
    replaces = (place.start, place.cursor)
    both = [*first.items(), *((text, hint) for text, hint in second.items() if text not in first)]
    return [Completion(text, replaces, hint) for text, hint in both[:MOST_COMPLETIONS]]
