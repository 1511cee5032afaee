"""A tree compiled to a function that tells whether a record is of it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar, cast

from services.query.durations import micros
from services.query.patterns import contains, equals
from services.query.tree import And, Not, Or, Pattern, Query, Step, Term, Value, Words, leaves
from services.query.values import literal
from services.query.vocabulary import Kind, Vocabulary

R = TypeVar("R")
Test: TypeAlias = Callable[[R], bool]
Getters: TypeAlias = Mapping[str, Callable[[R], Any]]

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MICROSECOND = timedelta(microseconds=1)
# What json.loads gives for what is not there is None, which is also null's.
_ABSENT = object()


def matcher(query: Query, vocabulary: Vocabulary, getters: Getters[R], now: datetime) -> Test[R]:
    """Whether a record is of ``query``.

    Args:
        getters: By a field's name, its value of a record: text and enums as str, several texts as
            a list of them, numbers as int or float, times and durations as int microseconds (since
            the epoch: ``micros``), documents as what their JSON text is read into. None: the record
            has none, and no comparison holds but by negation. Every field that is named needs its
            getter.
        now: What ages are measured from.

    Raises:
        KeyError: A field has no getter.
    """
    return _Compiler(vocabulary, getters, now).of(query)


def moves(query: Query, vocabulary: Vocabulary) -> bool:
    """Whether a record that stays the same may begin or cease to be of ``query`` as time passes.

    So it is with ages that are lengths, and with durations of what has not ended.
    """
    return any(
        isinstance(leaf, Term)
        and isinstance(leaf.values[0], timedelta)
        and vocabulary[leaf.name].kind in (Kind.AGE, Kind.DURATION)
        for leaf in leaves(query)
    )


def dated(term: Term, vocabulary: Vocabulary, now: datetime) -> Term:
    """A term about an age as one about the moment itself; others as they are."""
    field = vocabulary[term.name]
    if field.kind is not Kind.AGE:
        return term
    (value,) = term.values
    if isinstance(value, timedelta):
        try:
            at = now - value
        except OverflowError:
            at = datetime.min.replace(tzinfo=now.tzinfo)
    else:
        at = cast("datetime", value)
    return Term(field.of, "<" if field.older else ">", (at,))


class _Compiler:
    def __init__(self, vocabulary: Vocabulary, getters: Getters[Any], now: datetime) -> None:
        self._vocabulary = vocabulary
        self._getters = getters
        self._now = now

    def of(self, query: Query) -> Test[Any]:
        match query:
            case And(parts):
                return _all([self.of(each) for each in parts])
            case Or(parts):
                return _any([self.of(each) for each in parts])
            case Not(inner):
                test = self.of(inner)
                return lambda record: not test(record)
            case Words(pattern):
                holds = contains(pattern)
                gets = [self._getters[name] for name in self._vocabulary.words_in]
                return _any([_present(get, holds) for get in gets])
            case Term():
                return self._term(dated(query, self._vocabulary, self._now))

    def _term(self, term: Term) -> Test[Any]:
        get = self._getters[term.name]
        kind = self._vocabulary[term.name].kind
        if kind is Kind.DOCUMENT:
            return _document(get, term)
        if kind is Kind.TEXT:
            make = equals if term.operator == "=" else contains
            holding = [make(cast("Pattern", each)) for each in term.values]
            if self._vocabulary[term.name].qualified:
                holding = [_or_unqualified(each) for each in holding]
            present = _one_present if self._vocabulary[term.name].several else _present
            return _any([present(get, each) for each in holding])
        if term.operator == "=":
            return _one_of(get, term.values)
        order, limit = ORDERS[term.operator], comparable(term.values[0])
        return _present(get, lambda value: order(value, limit))


def comparable(value: Value) -> Value:
    """Moments and lengths of time as microseconds; others as they are."""
    if isinstance(value, datetime):
        return micros(value)
    return value // _MICROSECOND if isinstance(value, timedelta) else value


def _all(tests: list[Test[Any]]) -> Test[Any]:
    match tests:
        case [one]:
            return one
        case [one, two]:
            return lambda record: one(record) and two(record)
        case _:
            return lambda record: all(test(record) for test in tests)


def _any(tests: list[Test[Any]]) -> Test[Any]:
    match tests:
        case [one]:
            return one
        case [one, two]:
            return lambda record: one(record) or two(record)
        case _:
            return lambda record: any(test(record) for test in tests)


def _present(get: Callable[[Any], Any], holds: Callable[[Any], bool]) -> Test[Any]:
    def test(record: Any) -> bool:
        value = get(record)
        return value is not None and holds(value)

    return test


def _one_present(get: Callable[[Any], Any], holds: Callable[[Any], bool]) -> Test[Any]:
    return lambda record: any(map(holds, get(record)))


def _or_unqualified(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: holds(value) or holds(value.partition(":")[2])


def _one_of(get: Callable[[Any], Any], values: tuple[Value, ...]) -> Test[Any]:
    if len(values) == 1:
        only = values[0]
        return lambda record: bool(get(record) == only)
    wanted = frozenset(values)
    return lambda record: get(record) in wanted


def _document(get: Callable[[Any], Any], term: Term) -> Test[Any]:
    path = term.path
    tests = [_document_test(term.operator, cast("Pattern", each)) for each in term.values]

    def test(record: Any) -> bool:
        value = found_at(get(record), path)
        return value is not _ABSENT and any(each(value) for each in tests)

    return test


def found_at(document: Any, path: tuple[Step, ...]) -> Any:
    """What is at ``path``; an object of its own where there is nothing."""
    for step in path:
        if isinstance(step, str) and isinstance(document, dict):
            document = document.get(step, _ABSENT)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return _ABSENT
    return document


def _document_test(sign: str, pattern: Pattern) -> Callable[[Any], bool]:
    """Whether a JSON value is as compared; text only with text, numbers only with numbers."""
    if sign == "~":
        return _of_text(contains(pattern))
    if sign == "=" and pattern.anything:
        return lambda value: True
    if sign == "=":
        is_text = _of_text(equals(pattern))
        if not pattern.loose:
            return is_text
        is_literal = _literal_test(literal(pattern.parts[0]))
        return lambda value: is_text(value) or is_literal(value)
    order, wanted = ORDERS[sign], pattern.parts[0]
    if pattern.loose and not isinstance(number := literal(wanted), (bool, str, type(None))):
        return lambda value: _is_number(value) and order(_sized(value), number)
    return _of_text(lambda text: order(text, wanted))


def _of_text(holds: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and holds(value)


def _literal_test(wanted: object) -> Callable[[Any], bool]:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    return lambda value: _is_number(value) and _sized(value) == wanted


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _sized(number: int | float) -> int | float:
    # As the database has integers beyond 64 bits, and as literal() reads them.
    if isinstance(number, float) or -(2**63) <= number < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
