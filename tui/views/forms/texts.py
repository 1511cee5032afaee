"""Values as they are typed and read in a form, and what is wrong with a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache

from jsonschema_rs import ReferencingError, ValidationError, Validator

from services.json_schema import compiled
from services.json_text import DocumentError, Json, parse_json
from tui.views.forms.documents import MISSING, Missing
from tui.views.forms.fields import Field, Limits

MASK = "••••••••"
# A pattern of others is not to be run on a book.
_LONGEST_MATCHED = 512
_WHOLE = re.compile(r"[-+]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
# What tells items from each other, or from JSON.
_APART = re.compile(r"[,\n]|^\[")
_YES, _NO = frozenset(("true", "yes", "y", "on")), frozenset(("false", "no", "n", "off"))


class Refused(ValueError):
    """A text that is no value of its field; the message says why, in the words of a fault."""


def text_of(field: Field, value: Json | Missing) -> str:
    """``value`` as it is edited; empty where there is none."""
    if isinstance(value, Missing):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.sort == "items" and isinstance(value, list):
        return _items_text(value)
    if isinstance(value, str) and not _would_be_read_otherwise(field, value):
        return value
    return json.dumps(value, ensure_ascii=False)


def value_of(field: Field, text: str) -> Json | Missing:
    """What ``text`` means in ``field``; empty text means that there is no value.

    Raises:
        Refused: It means nothing there.
    """
    if not text.strip() and not (field.sort == "text" and text):
        return MISSING
    value = _read(field, text)
    for fault in faults_of(field, value):
        raise Refused(fault)
    return value


def faults_of(field: Field, value: Json) -> Iterator[str]:
    """What is wrong with the value of one field, itself; nothing within it."""
    limits = field.limits
    match field.sort:
        case "text":
            if isinstance(value, str):
                yield from _text_faults(limits, value)
            else:
                yield "must be text"
        case "integer" | "number":
            yield from _number_faults(field, value)
        case "boolean" if not isinstance(value, bool):
            yield "must be true or false"
        case "choice" if value not in field.choices:
            yield f"must be one of {_listed(field.choices)}"
        case "items" | "list" if not isinstance(value, list):
            yield "must be a list"
        case "object" if not isinstance(value, dict):
            yield "must be an object"
        case "items" if field.item is not None and isinstance(value, list):
            for each in value:
                yield from faults_of(field.item, each)


def shown(field: Field, value: Json | Missing) -> str:
    """``value`` as it is read, on one line; masked where nobody is to read it."""
    if field.secret and not isinstance(value, Missing):
        return MASK
    text = text_of(field, value)
    first, newline, _ = text.partition("\n")
    return f"{first} … ({text.count(newline) + 1} lines)" if newline else text


def placeholder(field: Field) -> str:
    """What holds where nothing is given; empty where nothing does."""
    return text_of(field, field.default) if not isinstance(field.default, Missing) else ""


def wants(field: Field) -> str:
    """What a value must be, in a few words: for the line below the form."""
    limits, parts = field.limits, list[str]()
    if field.choices:
        parts.append("one of " + _listed(field.choices))
    if limits.least is not None or limits.most is not None:
        parts.append(_range(limits))
    if limits.longest is not None and field.sort == "text":
        parts.append(f"at most {limits.longest:,} characters")
    if limits.format:
        parts.append(limits.format)
    names = {"items": "values between commas", "json": "JSON", "integer": "a whole number"}
    parts.append(names.get(field.sort, "number" if field.sort == "number" else ""))
    if not isinstance(field.default, Missing) and field.default not in ([], {}, ""):
        parts.append(f"default {text_of(field, field.default)}")
    return ", ".join(part for part in parts if part)


def _read(field: Field, text: str) -> Json:
    match field.sort:
        case "text":
            return text
        case "integer":
            return _integer(text)
        case "number":
            return _number(text)
        case "boolean":
            return _boolean(text)
        case "choice":
            return _choice(field, text)
        case "items":
            return _items(field, text)
        case "any":
            return _anything(text)
        case _:
            return _json(text)


def _integer(text: str) -> int:
    if _WHOLE.fullmatch(text.strip()) is None:
        raise Refused("must be a whole number")
    return int(text)


def _number(text: str) -> int | float:
    stripped = text.strip()
    if _WHOLE.fullmatch(stripped):
        return int(stripped)
    if _DECIMAL.fullmatch(stripped) is None or abs(float(stripped)) == float("inf"):
        raise Refused("must be a number")
    return float(stripped)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise Refused("must be true or false")
    return word in _YES


def _choice(field: Field, text: str) -> Json:
    for value in field.choices:
        if text.strip() == text_of(field, value) or text.strip() == value:
            return value
    raise Refused(f"must be one of {_listed(field.choices)}")


def _items(field: Field, text: str) -> Json:
    item = field.item or Field("item", "any")
    if text.lstrip().startswith("["):
        return _json(text)
    parts = (part.strip() for part in text.replace("\n", ",").split(","))
    return [_read(item, part) for part in parts if part]


def _items_text(values: list[Json]) -> str:
    if values and all(map(_is_plain_item, values)):
        return ", ".join(map(str, values))
    return json.dumps(values, ensure_ascii=False)


def _is_plain_item(value: Json) -> bool:
    if isinstance(value, str):
        return bool(value) and value == value.strip() and not _APART.search(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _anything(text: str) -> Json:
    """JSON where it is some, else the text itself: who means text that is JSON quotes it."""
    try:
        return _json(text)
    except Refused:
        if text.lstrip()[:1] in ("{", "[", '"'):
            raise
        return text


def _json(text: str) -> Json:
    try:
        return parse_json(text)
    except DocumentError as error:
        raise Refused(f"must be JSON: {error}") from error


def _would_be_read_otherwise(field: Field, text: str) -> bool:
    """Whether a text must be quoted, or it would be read as a number, an object …."""
    if field.sort == "json":
        return True
    if field.sort != "any":
        return False
    try:
        return _anything(text) != text or not text.strip()
    except Refused:
        return True


def _text_faults(limits: Limits, value: str) -> Iterator[str]:
    if limits.shortest is not None and len(value) < limits.shortest:
        yield f"must have at least {limits.shortest} characters"
    if limits.longest is not None and len(value) > limits.longest:
        yield f"must have at most {limits.longest:,} characters"
    if limits.pattern is not None and not _holds("pattern", limits.pattern, value):
        yield f"must match {limits.pattern}"
    if limits.format and not _holds("format", limits.format, value):
        yield f"must be a {limits.format}"


def _holds(keyword: str, wanted: str, value: str) -> bool:
    validator = _validator(keyword, wanted)
    try:
        return validator is None or len(value) > _LONGEST_MATCHED or validator.is_valid(value)
    except ValueError:
        # It took too long to say.
        return True


@lru_cache(maxsize=512)
def _validator(keyword: str, wanted: str) -> Validator | None:
    """Not by :mod:`re`: a pattern of others could hold it for hours."""
    try:
        return compiled({keyword: wanted})
    except (ValidationError, ReferencingError, ValueError):
        # Of another dialect: whoever is asked to keep the value knows it.
        return None


def _number_faults(field: Field, value: Json) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield "must be a number"
    elif field.sort == "integer" and value != int(value):
        yield "must be a whole number"
    elif not _is_within(field.limits, value):
        yield f"must be {_range(field.limits)}"


def _is_within(limits: Limits, value: float) -> bool:
    if limits.least is not None and value < limits.least:
        return False
    return limits.most is None or value <= limits.most


def _range(limits: Limits) -> str:
    if limits.least is None:
        return f"at most {limits.most:,g}"
    if limits.most is None or limits.most >= 2**31 - 1:
        return f"at least {limits.least:,g}"
    return f"{limits.least:,g} to {limits.most:,g}"


def _listed(choices: tuple[Json, ...]) -> str:
    return ", ".join(str(each) if isinstance(each, str) else json.dumps(each) for each in choices)
