"""What a term's values mean: by the kind of its field, and by its operator."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from services.query import durations
from services.query.patterns import fits, pattern_of
from services.query.tokens import Token
from services.query.tree import Pattern, QueryFault, Value
from services.query.vocabulary import Field, Kind

MOST_STARS = 10
_ORDER = ("<", "<=", ">", ">=")
OPERATORS = {
    Kind.TEXT: ("=", "~"),
    Kind.ENUM: ("=",),
    Kind.NUMBER: ("=", *_ORDER),
    Kind.TIME: _ORDER,
    Kind.DURATION: _ORDER,
    Kind.AGE: ("=",),
    Kind.DOCUMENT: ("=", "~", *_ORDER),
    Kind.WORDS: ("=",),
}
_SEVERAL = ("=", "~")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_LITERALS = ("true", "false", "null")
_LARGEST = 2**63
_FIRST = datetime(1973, 1, 1, tzinfo=UTC)


def literal(text: str) -> int | float | bool | str | None:
    """The number, boolean or null that ``text`` is as JSON; ``text`` itself if it is none.

    Integers beyond 64 bits are floats, as the database has them.
    """
    if text in _LITERALS:
        return None if text == "null" else text == "true"
    number = number_of(text)
    return text if number is None else number


def number_of(text: str) -> int | float | None:
    """The number that ``text`` is as JSON, and that a computer has; else None."""
    if not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("-").isdecimal():
        whole = int(text)
        return whole if -_LARGEST <= whole < _LARGEST else float(whole)
    number = float(text)
    return number if abs(number) != float("inf") else None


def check_operator(field: Field, alias: str, operator: str, start: int, end: int) -> None:
    """Raises :class:`QueryFault` where ``field``, written as ``alias``, knows no ``operator``."""
    known = OPERATORS[field.kind]
    if operator in known:
        return
    told = [":", "=", "!="] if "=" in known else []
    told += [each for each in known if each != "="]
    raise QueryFault(f"{alias} is compared by {' '.join(told)} and not so.", start, end)


def values_of(field: Field, alias: str, operator: str, written: list[Token]) -> tuple[Value, ...]:
    """The values of a term, read. Raises :class:`QueryFault`.

    Args:
        alias: The field as it was written.
        written: One at least.
    """
    if len(written) > 1 and (operator not in _SEVERAL or field.kind is Kind.AGE):
        raise QueryFault(
            f"{alias} is compared with one value, not {len(written)}.",
            written[1].start,
            written[-1].end,
        )
    values: dict[Value, None] = {}
    for token in written:
        for value in _READERS[field.kind](field, alias, operator, token):
            values[value] = None
    return tuple(values)


def pattern(token: Token, *, document: bool = False) -> Pattern:
    """The pattern of a word or a value. Raises :class:`QueryFault` for more stars than ten."""
    found = pattern_of(token.text)
    if len(found.parts) > MOST_STARS + 1:
        raise QueryFault(f"There may be {MOST_STARS} '*' at most.", token.start, token.end)
    bare = document and not token.quoted and found.literal
    return Pattern(found.parts, bare and not isinstance(literal(found.parts[0]), str))


def _text(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    return [pattern(token)]


def _document(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    found = pattern(token, document=True)
    if operator in _ORDER and not found.literal:
        raise QueryFault("A value with '*' has no order.", token.start, token.end)
    return [found]


def _word(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    wanted = pattern_of(token.text.upper().replace("-", "_")).parts
    found: list[Value] = [
        each for each in field.values if fits(wanted, each.upper().replace("-", "_"))
    ]
    if found:
        return found
    close = get_close_matches(token.text.upper(), [each.upper() for each in field.values], 1)
    meant = f"; did you mean {close[0].lower()}?" if close else "."
    there = ", ".join(each.lower() for each in field.values)
    raise QueryFault(
        f"There is no {field.name} {token.text!r}{meant} There are {there}.",
        token.start,
        token.end,
    )


def _words(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    found = pattern(token)
    first, *rest = found.parts
    if rest not in ([], [""]) or not any(map(str.isalnum, first)):
        raise QueryFault(
            f"{alias} takes words, of which the last may end with '*'.", token.start, token.end
        )
    return [found]


def _number(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    number = number_of(token.text)
    if number is None:
        raise QueryFault(
            f"{alias} is a number, and {token.text!r} is none.", token.start, token.end
        )
    return [number]


def _time(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    return [_read(durations.moment, token)]


def _duration(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    if alias.lower() in field.in_milliseconds and token.text.isdecimal():
        token = Token(token.sort, f"{token.text}ms", token.start, token.end)
    return [_read(durations.length, token)]


def _age(field: Field, alias: str, operator: str, token: Token) -> list[Value]:
    try:
        return [durations.length(token.text)]
    except ValueError as error:
        try:
            return [_recent(token.text)]
        except ValueError:
            raise QueryFault(
                f"{token.text!r}: {error}; or a time like 2026-01-31T12:00.",
                token.start,
                token.end,
            ) from None


def _recent(text: str) -> datetime:
    """As :func:`durations.moment`; a small number is a length whose unit was left out."""
    at = durations.moment(text)
    if text.isdecimal() and at < _FIRST:
        raise ValueError
    return at


def _read(
    read: Callable[[str], datetime] | Callable[[str], timedelta], token: Token
) -> datetime | timedelta:
    try:
        return read(token.text)
    except ValueError as error:
        raise QueryFault(f"{token.text!r}: {error}.", token.start, token.end) from None


_READERS: dict[Kind, Callable[[Field, str, str, Token], list[Value]]] = {
    Kind.TEXT: _text,
    Kind.ENUM: _word,
    Kind.NUMBER: _number,
    Kind.TIME: _time,
    Kind.DURATION: _duration,
    Kind.AGE: _age,
    Kind.DOCUMENT: _document,
    Kind.WORDS: _words,
}
