"""The types that a field's value can have: each checks, says what it wants, and gives its schema.

``check`` returns the value as it is kept: a number that was written as text, which Conductor
takes, becomes the number. Each fault is told to the place; what is returned after one is unused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.registry.definitions.model import LARGEST, Document, Json
from services.registry.definitions.reading import Place, shown

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\Z")
# Terminals take those above ASCII for commands, too; the last two begin a line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Type(Protocol):
    """What a value must be."""

    def check(self, value: Json, at: Place) -> Json: ...

    def says(self) -> str:
        """In a few words, for the manual and for ``must be …``."""

    def schema(self) -> Document:
        """As JSON Schema 2020-12."""


def holds_expression(value: Json) -> bool:
    """Whether ``value`` is text that is known only when an execution resolves it."""
    return isinstance(value, str) and "${" in value.replace("$${", "")


@dataclass(frozen=True)
class Anything:
    """Any JSON."""

    def check(self, value: Json, at: Place) -> Json:
        return value

    def says(self) -> str:
        return "anything"

    def schema(self) -> Document:
        return {}


@dataclass(frozen=True)
class Text:
    """Text; ``quoted`` is False where a fault must not repeat it."""

    shortest: int = 0
    longest: int | None = None
    pattern: str = ""
    wants: str = "text"
    quoted: bool = True

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            return self._refuse("text", value, at)
        if not value and self.shortest:
            at.fault("must not be empty")
        elif self.longest is not None and len(value) > self.longest:
            at.fault(f"must be at most {self.longest} characters, not {len(value)}")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            return self._refuse(self.wants, value, at)
        return value

    def _refuse(self, wants: str, value: Json, at: Place) -> Json:
        at.fault(f"must be {wants}, not {shown(value)}" if self.quoted else f"must be {wants}")
        return value

    def says(self) -> str:
        return self.wants

    def schema(self) -> Document:
        schema: Document = {"type": "string"}
        if self.shortest:
            schema["minLength"] = self.shortest
        if self.longest is not None:
            schema["maxLength"] = self.longest
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True)
class Code(Text):
    """Text that is JavaScript, unless something beside it says that it is not."""


@dataclass(frozen=True)
class Name:
    """The name of something: text of one line."""

    longest: int = 255

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be text, not {shown(value)}")
        elif not value.strip():
            at.fault("must not be empty")
        elif len(value) > self.longest:
            at.fault(f"must be at most {self.longest} characters, not {len(value)}")
        elif _CONTROL.search(value):
            at.fault("must not hold control characters")
        return value

    def says(self) -> str:
        return "name"

    def schema(self) -> Document:
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True)
class Boolean:
    """True or false; Conductor takes the words as text, too."""

    def check(self, value: Json, at: Place) -> Json:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        at.fault(f"must be true or false, not {shown(value)}")
        return value

    def says(self) -> str:
        return "true or false"

    def schema(self) -> Document:
        return {"enum": [True, False, "true", "false"]}


@dataclass(frozen=True)
class Number:
    """A number, or text that is one."""

    minimum: float = 0
    maximum: float = LARGEST
    whole: bool = False

    def check(self, value: Json, at: Place) -> Json:
        number = self._number(value)
        if number is None:
            at.fault(f"must be {self._noun()}, not {shown(value)}")
            return value
        if number < self.minimum:
            at.fault(f"must be at least {self.minimum}, not {shown(value)}")
        elif number > self.maximum:
            at.fault(f"must be at most {self.maximum}, not {shown(value)}")
        return number

    def _number(self, value: Json) -> float | None:
        if isinstance(value, str):
            written = value.strip()
            if _WHOLE.match(written):
                return int(written)
            if _DECIMAL.match(written):
                value = float(written)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if not self.whole or isinstance(value, int):
            return value
        return int(value) if value.is_integer() else None

    def _noun(self) -> str:
        return "a whole number" if self.whole else "a number"

    def says(self) -> str:
        limit = f" to {self.maximum}" if self.maximum != LARGEST else " or more"
        return f"{self._noun().removeprefix('a ')}, {self.minimum}{limit}"

    def schema(self) -> Document:
        number: Document = {
            "type": "integer" if self.whole else "number",
            "minimum": self.minimum,
            "maximum": self.maximum,
        }
        written = r"^\s*[-+]?[0-9]+(\.[0-9]+)?\s*$"
        return {"anyOf": [number, {"type": "string", "pattern": written}]}


def whole(minimum: int = 0, maximum: int = LARGEST) -> Number:
    """A whole number within bounds."""
    return Number(minimum, maximum, whole=True)


@dataclass(frozen=True)
class Choice:
    """One of a few words.

    Attributes:
        later: Words that mean something, which is not built yet.
        never: Words that mean something elsewhere and will not be built.
    """

    values: tuple[str, ...]
    later: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def check(self, value: Json, at: Place) -> Json:
        if value in self.values:
            return value
        if value in self.later:
            at.fault(f"{value} is not supported yet")
        elif value in self.never:
            at.fault(f"{value} is not supported; take one of {self.says()}")
        else:
            hint = at.guess(value, self.values) if isinstance(value, str) else ""
            at.fault(f"must be one of {self.says()}, not {shown(value)}{hint}")
        return value

    def says(self) -> str:
        return ", ".join(self.values)

    def schema(self) -> Document:
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class Object:
    """An object with whatever keys its author likes."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, dict):
            at.fault(f"must be an object, not {shown(value)}")
        return value

    def says(self) -> str:
        return "object"

    def schema(self) -> Document:
        return {"type": "object"}


@dataclass(frozen=True)
class MapOf:
    """An object whose values are all of one type."""

    inner: Type
    shortest: int = 0

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, dict):
            at.fault(f"must be an object, not {shown(value)}")
            return value
        if len(value) < self.shortest:
            at.fault("must not be empty")
        return {key: self.inner.check(item, at / key) for key, item in value.items()}

    def says(self) -> str:
        return f"object of {self.inner.says()}"

    def schema(self) -> Document:
        schema: Document = {"type": "object", "additionalProperties": self.inner.schema()}
        return schema | ({"minProperties": self.shortest} if self.shortest else {})


@dataclass(frozen=True)
class ListOf:
    """A list of one type; ``quoted`` is False where a fault must not repeat what is no list."""

    inner: Type
    shortest: int = 0
    quoted: bool = True

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, list):
            at.fault(f"must be a list, not {shown(value)}" if self.quoted else "must be a list")
            return value
        if len(value) < self.shortest:
            at.fault("must not be empty")
        return [self.inner.check(item, at / index) for index, item in enumerate(value)]

    def says(self) -> str:
        return f"list of {self.inner.says()}"

    def schema(self) -> Document:
        schema: Document = {"type": "array", "items": self.inner.schema()}
        return schema | ({"minItems": self.shortest} if self.shortest else {})


@dataclass(frozen=True)
class ByShape:
    """One type for each shape that is taken: text, number, boolean, list, object."""

    shapes: Mapping[str, Type] = field(hash=False)
    quoted: bool = True

    def check(self, value: Json, at: Place) -> Json:
        inner = self.shapes.get(_shape(value))
        if inner is not None:
            return inner.check(value, at)
        at.fault(f"must be {self.says()}" + (f", not {shown(value)}" if self.quoted else ""))
        return value

    def says(self) -> str:
        return " or ".join(inner.says() for inner in self.shapes.values())

    def schema(self) -> Document:
        return {"anyOf": [inner.schema() for inner in self.shapes.values()]}


def _shape(value: Json) -> str:
    match value:
        case str():
            return "text"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list():
            return "list"
        case dict():
            return "object"
        case None:
            return "null"


@dataclass(frozen=True)
class OrExpression:
    """A value that may also be text with ``${…}``, judged when an execution resolves it."""

    inner: Type

    def check(self, value: Json, at: Place) -> Json:
        return value if holds_expression(value) else self.inner.check(value, at)

    def says(self) -> str:
        return self.inner.says()

    def schema(self) -> Document:
        inner = self.inner.schema()
        if not inner:
            return inner
        return {"anyOf": [inner, {"type": "string", "pattern": r"\$\{"}]}
