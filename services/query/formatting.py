"""A tree as its canonical text: parsed again, it is the same tree."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from services.query.durations import length_text, moment_text
from services.query.tree import And, Not, Or, Pattern, Query, Step, Term, Value, Words
from services.query.values import literal

_PLAIN_VALUE = re.compile(r"[\w.:/@+%#-]+")
_PLAIN_WORD = re.compile(r"[\w.-]+")
_PLAIN_STEP = re.compile(r"\w[\w$-]*")
_JOINTS = ("AND", "OR", "NOT", "IN")
_SPECIAL = re.compile(r'([*\\"])')


def format_query(query: Query) -> str:
    """The canonical text of a tree in normal form."""
    match query:
        case And(()):
            return ""
        case Or(()):
            return "!*"
        case And(parts):
            return " ".join(_within(each, Or) for each in parts)
        case Or(parts):
            return " OR ".join(format_query(each) for each in parts)
        case Not(Term(operator="=" | "~") as term) if not _is_age(term):
            return _term(term, "!=" if term.operator == "=" else "!~")
        case Not(inner):
            return f"!{_within(inner, And, Or)}"
        case Words(pattern):
            return _word(pattern)
        case Term():
            return _term(query, _shown(query))


def _within(query: Query, *joins: type[And] | type[Or]) -> str:
    text = format_query(query)
    return f"({text})" if isinstance(query, joins) else text


def _is_age(term: Term) -> bool:
    return isinstance(term.values[0], (datetime, timedelta))


def _shown(term: Term) -> str:
    return ":" if term.operator == "=" and not term.path else term.operator


def _term(term: Term, operator: str) -> str:
    values = ",".join(value_text(each, document=bool(term.path)) for each in term.values)
    return f"{term.name}{path_text(term.path)}{operator}{values}"


def path_text(path: tuple[Step, ...]) -> str:
    """``("items", 0, "a b")`` as ``.items[0]."a b"``."""
    return "".join(
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if _PLAIN_STEP.fullmatch(step)
        else f'."{step}"'
        for step in path
    )


def value_text(value: Value, *, document: bool = False) -> str:
    """One value, quoted where it must be."""
    match value:
        case Pattern():
            # Without quotes, a document's would mean a number, a boolean or null as well.
            meant = document and value.literal and not value.loose
            bare = not (meant and not isinstance(literal(value.parts[0]), str))
            return _pattern(value, _PLAIN_VALUE if bare else None)
        case datetime():
            return moment_text(value)
        case timedelta():
            return length_text(value)
        case str():
            return value.lower()
        case _:
            return str(value)


def _word(pattern: Pattern) -> str:
    joint = pattern.literal and pattern.parts[0].upper() in _JOINTS
    return _pattern(pattern, None if joint else _PLAIN_WORD)


def _pattern(pattern: Pattern, plain: re.Pattern[str] | None) -> str:
    if plain and all(not part or plain.fullmatch(part) for part in pattern.parts):
        text = "*".join(pattern.parts)
        if text:
            return text
    return '"' + "*".join(_SPECIAL.sub(r"\\\1", part) for part in pattern.parts) + '"'
