"""JSON as a viewer needs it: read with its numbers as written, written again, and shown safely."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.json_text import MOST_DIGITS
from tui.views.visible import UNSEEN

Value: TypeAlias = Any
"""A JSON value; numbers that Python would write otherwise are :class:`Number`."""

# Beside what JSON escapes: what terminals obey, what ends a line for some, what turns the
# direction of writing round, what has no width, and halves of pairs, which cannot be encoded.
_UNSAFE = re.compile(f"[{UNSEEN}]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that Python's own would not give back as it was written."""

    written: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that was read.

    Attributes:
        value: What it says; None if it is no JSON.
        fault: Why not, as a sentence; empty if it is.
        line: Of the fault, from 1.
        column: Of the fault, from 1, in characters.
    """

    value: Value
    fault: str = ""
    line: int = 0
    column: int = 0


def read_json(text: str) -> Reading:
    """Read ``text``; of a key that is given twice the last value counts, as for everyone."""
    try:
        return Reading(json.loads(text, parse_float=_decimal, parse_int=_integer))
    except json.JSONDecodeError as error:
        return Reading(None, f"{_sentence(error.msg)}.", error.lineno, error.colno)
    except RecursionError:
        return Reading(None, "It is nested too deeply.", 1, 1)


def json_text(value: Value) -> str:
    """``value`` as indented JSON, numbers as they were written."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, RecursionError):
        return "".join(_written(value))


def literal(value: str | float | bool | Number | None) -> str:
    """A value that holds no others as JSON on one line that a terminal may show."""
    if isinstance(value, Number):
        return value.written
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return safe(json.dumps(value, ensure_ascii=False))


def safe(text: str) -> str:
    r"""JSON text with ``\u202e`` and the like for what a terminal must not get as it is."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _decimal(written: str) -> float | Number:
    number = float(written)
    return number if repr(number) == written else Number(written)


def _integer(written: str) -> int | Number:
    if len(written) > MOST_DIGITS or written == "-0":
        return Number(written)
    return int(written)


def _sentence(message: str) -> str:
    """Python's word for a fault, as a person would say it."""
    known = {
        "Expecting value": "A value is missing here",
        "Expecting ',' delimiter": "A comma, or the end of this object or list, is missing here",
        "Expecting ':' delimiter": "A colon is missing after this key",
        "Expecting property name enclosed in double quotes": (
            "A key in double quotes is missing here"
        ),
        "Illegal trailing comma before end of object": "There is a comma before the end",
        "Illegal trailing comma before end of array": "There is a comma before the end",
        "Unterminated string starting at": "This text has no closing quote",
        "Invalid control character at": "A line break or control character must be escaped in text",
        "Invalid \\escape": "There is no such escape in JSON",
        "Invalid \\uXXXX escape": "An escape needs four hexadecimal digits",
        "Extra data": "There is something after the end of the JSON",
    }
    return known.get(message.removesuffix(": "), message)


def _written(value: Value) -> Iterator[str]:
    """As ``json.dumps``, which knows no :class:`Number`, and no document that nests deeply."""
    ends: list[str] = []
    stack: list[Iterator[tuple[str, Value]]] = [iter([("", value)])]
    while stack:
        key, item = next(stack[-1], (None, None))
        if key is None:
            stack.pop()
            if ends:
                yield ends.pop()
            continue
        yield key
        if isinstance(item, (dict, list)) and item:
            line = "\n" + "  " * len(stack)
            yield "{" if isinstance(item, dict) else "["
            ends.append(line[:-2] + ("}" if isinstance(item, dict) else "]"))
            stack.append(_members(item, line))
        elif isinstance(item, Number):
            yield item.written
        else:
            yield json.dumps(item, ensure_ascii=False)


def _members(value: Value, line: str) -> Iterator[tuple[str, Value]]:
    """What stands before each member, and the member."""
    comma = ""
    if isinstance(value, list):
        for item in value:
            yield comma + line, item
            comma = ","
        return
    for key, item in value.items():
        yield f"{comma}{line}{json.dumps(key, ensure_ascii=False)}: ", item
        comma = ","
