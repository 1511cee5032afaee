"""A value that is like what a JSON Schema wants, for people to begin with. No IO.

It need not keep to all of the schema: who must know asks a validator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from services.json_text import Json

_DEEPEST = 8
# A schema can ask for more than anybody reads.
_MOST_VALUES = 300
_MOST_ITEMS = 3
_LONGEST_TEXT = 200
_TEXT = "TEXT"
_BY_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "duration": "P1D",
    "email": "name@example.com",
    "hostname": "www.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://www.example.com/",
    "uri-reference": "/path",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_KIND_OF_WORD = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "format": "string",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}


def example(schema: Mapping[str, Any]) -> Json:
    """What its author gives as one, else one that is made: the first of each choice."""
    return _Maker(schema).value(schema, 0)


class _Maker:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_VALUES

    def value(self, schema: Any, depth: int) -> Json:
        self._left -= 1
        if not isinstance(schema, Mapping):
            return {}
        schema = self._whole(schema, depth)
        if (given := _given(schema)) is not None:
            return given[0]
        match _kind(schema):
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return True
            case "string":
                return _text(schema)
            case "array":
                return self._array(schema, depth)
            case "null":
                return None
        return self._object(schema, depth)

    def _whole(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """``schema`` with what it refers to, all of ``allOf`` and the first of its choices."""
        self._left -= 1
        parts = [each for each in _list(schema, "allOf") if isinstance(each, Mapping)]
        for word in ("oneOf", "anyOf"):
            parts += [each for each in _list(schema, word)[:1] if isinstance(each, Mapping)]
        if (there := self._found(schema.get("$ref"))) is not None:
            parts.append(there)
        if not parts or depth >= _DEEPEST or self._left <= 0:
            return schema
        whole: dict[str, Any] = {}
        for part in [*(self._whole(each, depth + 1) for each in parts), schema]:
            whole = _both(whole, part)
        return whole

    def _found(self, reference: Any) -> Mapping[str, Any] | None:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        there: Any = self._root
        for step in unquote(reference[1:]).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            there = there.get(name) if isinstance(there, Mapping) else None
        return there if isinstance(there, Mapping) else None

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Json]:
        if depth >= _DEEPEST or self._left <= 0 or schema.get("maxItems") == 0:
            return []
        first = schema.get("prefixItems") or schema.get("items")
        if isinstance(first, list):
            return [self.value(each, depth + 1) for each in first[: max(self._left, 0)]]
        if not isinstance(first, Mapping):
            return []
        count = _within(schema.get("minItems"), 1, _MOST_ITEMS)
        return [self.value(first, depth + 1) for _ in range(count)]

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Json]:
        named = _mapping(schema, "properties")
        required = [each for each in _list(schema, "required") if isinstance(each, str)]
        made: dict[str, Json] = {}
        for name in dict.fromkeys((*named, *required)):
            # What nobody has to give is left out where there is much already.
            if depth < _DEEPEST and (self._left > 0 or name in required):
                inner = named.get(name, {"type": "string"})
                made[name] = self.value(inner, depth + 1)
            if self._left < -_MOST_VALUES:
                break
        return made


def _both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    both = {**first, **second}
    if properties := {**_mapping(first, "properties"), **_mapping(second, "properties")}:
        both["properties"] = properties
    if required := [*_list(first, "required"), *_list(second, "required")]:
        both["required"] = required
    return both


def _list(schema: Mapping[str, Any], word: str) -> list[Any]:
    value = schema.get(word)
    return value if isinstance(value, list) else []


def _mapping(schema: Mapping[str, Any], word: str) -> Mapping[str, Any]:
    value = schema.get(word)
    return value if isinstance(value, Mapping) else {}


def _given(schema: Mapping[str, Any]) -> tuple[Json] | None:
    """A value that the schema itself names, if it does."""
    for word in ("const", "default", "example"):
        if word in schema:
            return (schema[word],)
    for word in ("examples", "enum"):
        if values := _list(schema, word):
            return (values[0],)
    return None


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    return next((kind for word, kind in _KIND_OF_WORD.items() if word in schema), "object")


def _number(schema: Mapping[str, Any]) -> int | float:
    whole = schema.get("type") == "integer"
    least, above = _bound(schema, "minimum"), _bound(schema, "exclusiveMinimum")
    most, below = _bound(schema, "maximum"), _bound(schema, "exclusiveMaximum")
    value: int | float = 1
    if most is not None and value > most:
        value = most
    if below is not None and value >= below:
        value = below - 1
    if least is not None and value < least:
        value = least
    if above is not None and value <= above:
        value = above + 1
    value = _stepped(value, _bound(schema, "multipleOf"))
    return math.ceil(value) if whole else value


def _stepped(value: int | float, step: int | float | None) -> int | float:
    if not step or step < 0:
        return value
    with suppress(OverflowError):
        stepped = -(-value // step) * step
        return stepped if math.isfinite(stepped) else value
    return value


def _bound(schema: Mapping[str, Any], word: str) -> int | float | None:
    value = schema.get(word)
    # In the oldest drafts two of them are true or false.
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(schema: Mapping[str, Any]) -> str:
    if (known := _BY_FORMAT.get(str(schema.get("format")))) is not None:
        return known
    least = _within(schema.get("minLength"), 0, _LONGEST_TEXT)
    most = _within(schema.get("maxLength"), max(least, len(_TEXT)), _LONGEST_TEXT)
    return (_TEXT * (least // len(_TEXT) + 1))[: max(least, min(most, len(_TEXT)))]


def _within(given: Any, otherwise: int, most: int) -> int:
    value = _bound({"": given}, "")
    return otherwise if value is None else max(min(int(value), most), 0)
