"""JSON Schemas made plain: references followed, nothing said twice, no union where one is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_NUMBERS = ("integer", "number")
_BOOLEAN = [True, False, "true", "false"]
# Further references after each other are a circle.
_MOST_REFERENCES = 16
# Unions of unions and parts of parts: a hostile schema has them without end.
_MOST_DEPTH = 3
_MOST_OPTIONS = 16
# Parts and fields that are looked at for one form: few that refer to each other can be without end.
_MOST_LOOKS = 100_000
_SHAPES = frozenset(("type", "enum", "const", "properties", "items", "oneOf"))


class Plainer:
    """Makes the parts of one schema plain, as long as that is no more work than any form needs."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = _MOST_LOOKS

    def plain(self, schema: object, depth: int = 0) -> Schema:
        """``schema`` without ``$ref``, ``allOf`` and unions that say one thing in several ways.

        Null beside another type means that the field may be left out; a number may be written as
        text. A union that is left stands under ``oneOf``. What is no schema is one of anything, and
        so is what stands too deep within unions and parts, or comes after too much else.
        """
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > _MOST_DEPTH or self._left < 0:
            return {}
        merged = self._merged(self._followed(schema), depth)
        base = {name: value for name, value in merged.items() if name not in ("anyOf", "oneOf")}
        options = [each for each in self._options(merged, depth) if _has_shape(each)]
        if not options:
            return _typed(base)
        if "properties" in base:
            options = [self._both(base, each) for each in options]
        single = _single(options)
        return _typed({**single, **base}) if single is not None else {**base, "oneOf": options}

    def _followed(self, schema: Schema) -> Schema:
        for _ in range(_MOST_REFERENCES):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            target = _pointed(reference, self._root)
            kept = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**target, **kept}
        return {}

    def _merged(self, schema: Schema, depth: int) -> Schema:
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        whole: Schema = {name: value for name, value in schema.items() if name != "allOf"}
        for part in parts[:_MOST_OPTIONS]:
            whole = self._both(whole, self.plain(part, depth + 1))
        return whole

    def _both(self, one: Schema, other: Schema) -> Schema:
        """What is both: the fields of both; in all else ``one`` wins."""
        first, second = _mapping(one.get("properties")), _mapping(other.get("properties"))
        required = [*_list(one.get("required")), *_list(other.get("required"))]
        self._left -= len(first) + len(second) + len(required)
        if self._left < 0:
            return one
        properties = {**first, **second, **first}
        whole = {**other, **one}
        return {
            **whole,
            **({"properties": properties} if properties else {}),
            **({"required": required} if required else {}),
        }

    def _options(self, schema: Schema, depth: int) -> Iterator[Schema]:
        for keyword in ("anyOf", "oneOf"):
            for each in _list(schema.get(keyword))[:_MOST_OPTIONS]:
                option = self.plain(each, depth + 1)
                # An option that is a union itself is its options.
                yield from option.get("oneOf") or [option]


def _pointed(reference: str, root: Schema) -> Schema:
    """What a reference into the same schema means; of any other, anything."""
    if reference != "#" and not reference.startswith("#/"):
        return {}
    value: object = root
    for name in reference[2:].split("/") if len(reference) > 1 else ():
        key = name.replace("~1", "/").replace("~0", "~")
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _has_shape(schema: Schema) -> bool:
    """Whether an option says what a value is; others only say what must be given together."""
    if schema.get("type") == "null" or ("const" in schema and schema["const"] is None):
        return False
    return not _SHAPES.isdisjoint(schema)


def _single(options: list[Schema]) -> Schema | None:
    if len(options) == 1:
        return options[0]
    numbers = [each for each in options if each.get("type") in _NUMBERS]
    texts = [each for each in options if each.get("type") == "string" and "pattern" in each]
    if len(options) == 2 and len(numbers) == 1 and len(texts) == 1:
        return numbers[0]
    return None


def _typed(schema: Schema) -> Schema:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [each for each in kinds if each != "null"]
        rest = {name: value for name, value in schema.items() if name != "type"}
        schema = {**rest, "type": others[0]} if len(others) == 1 else rest
    values = schema.get("enum")
    if isinstance(values, list) and _same(values, _BOOLEAN):
        schema = {name: value for name, value in schema.items() if name != "enum"}
        schema = {**schema, "type": "boolean"}
    return schema


def _same(values: list[object], others: list[object]) -> bool:
    return len(values) == len(others) and all(
        type(one) is type(other) and one == other for one, other in zip(values, others, strict=True)
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
