"""Objects with known fields: the tables from which parsing, manual and JSON Schema come."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.values import Anything, OrExpression, Type

NEUTRAL: tuple[Json, ...] = (None, False, 0, "", [], {})

Rule = Callable[[Document, Place], None]


class Status(Enum):
    """What becomes of a field that is known."""

    SUPPORTED = "supported"
    KEPT = "kept for people; it changes nothing"
    NO_EFFECT = "checked and kept; it has no effect yet"
    ELSEWHERE = "of other task types; without effect here"
    SERVER = "written by servers: accepted and dropped"
    LATER = "not supported yet: refused unless neutral"


class Unknown(Enum):
    """What becomes of a field that is not known."""

    FAULT = "refused"
    WARN = "kept, ignored and told"
    GUESS = "kept; told only when it looks like a misspelt field"


@dataclass(frozen=True)
class Field:
    """One field of an object.

    Attributes:
        default: What its absence means, for the manual.
        neutral: Values that a LATER or ELSEWHERE field takes beside :data:`NEUTRAL`.
        refusal: What a LATER field says at any other value.
        refers: The kind of the definition that it names, or ``.type``: the kind that the field
            ``type`` beside it says. For people: rules make the references.
    """

    name: str
    type: Type
    doc: str
    required: bool = False
    default: Json = None
    status: Status = Status.SUPPORTED
    neutral: tuple[Json, ...] = ()
    refusal: str = "is not supported yet"
    refers: str = ""

    def check(self, value: Json, at: Place) -> Json:
        if self.status in (Status.LATER, Status.ELSEWHERE):
            return self._unless_neutral(value, at)
        checked = self.type.check(value, at)
        # Who writes down a default that asks for something counts on it.
        quiet = self.neutral if self.default is True else (self.default, *self.neutral)
        if self.status is Status.NO_EFFECT and checked not in quiet:
            at.warn("is kept, and has no effect yet")
        return checked

    def _unless_neutral(self, value: Json, at: Place) -> Json:
        if value in NEUTRAL or value in self.neutral:
            return value
        if self.status is Status.LATER:
            at.fault(self.refusal)
        else:
            at.warn("is kept, and has no effect on a task of this type")
        return value

    def schema(self) -> Document:
        """Of the value; a field that is refused allows its neutral values only."""
        schema: Document = {"description": self.doc}
        if self.refers and not self.refers.startswith("."):
            schema["x-refersTo"] = self.refers
        if self.status is Status.LATER:
            return schema | {"enum": [*NEUTRAL, *self.neutral]}
        if self.status is Status.SERVER:
            return schema | {"readOnly": True}
        if self.status is Status.ELSEWHERE:
            return schema
        if self.default is not None:
            schema["default"] = self.default
        value = self.type.schema()
        if not self.required and value:
            value = {"anyOf": [value, {"type": "null"}]}
        return schema | value


def later(name: str, doc: str, *neutral: Json, refusal: str = "is not supported yet") -> Field:
    """A field that is known and not built yet."""
    return Field(name, Anything(), doc, status=Status.LATER, neutral=neutral, refusal=refusal)


def kept(name: str, type: Type, doc: str) -> Field:
    """A field for people, which changes nothing."""
    return Field(name, type, doc, status=Status.KEPT)


@dataclass(frozen=True)
class Record:
    """An object with fields.

    Attributes:
        noun: What it is, for ``is no field of a …``.
        templated: Whether any value may be text with ``${…}`` instead.
        rules: What no single field can say; each gets the object as kept, whose values may be of
            any type where a fault was told.
    """

    noun: str
    fields: tuple[Field, ...]
    unknown: Unknown = Unknown.FAULT
    templated: bool = False
    rules: tuple[Rule, ...] = field(default=())

    @cached_property
    def by_name(self) -> dict[str, Field]:
        if not self.templated:
            return {field.name: field for field in self.fields}
        return {field.name: replace(field, type=OrExpression(field.type)) for field in self.fields}

    def check(self, value: Json, at: Place) -> Json:
        if isinstance(value, dict):
            return self.read(value, at)
        at.fault(f"must be an object, not {shown(value)}")
        return value

    def read(self, value: Document, at: Place) -> Document:
        """``value`` as it is kept: without nulls in known fields and what servers write."""
        result: Document = {}
        for key, item in value.items():
            known = self.by_name.get(key)
            if known is None:
                self._tell_unknown(key, at / key)
                result[key] = item
            elif item is not None and known.status is not Status.SERVER:
                result[key] = known.check(item, at / key)
        for known in self.fields:
            if known.required and known.name not in result:
                (at / known.name).fault("is required")
        for rule in self.rules:
            rule(result, at)
        return result

    def _tell_unknown(self, key: str, at: Place) -> None:
        if self.unknown is Unknown.FAULT:
            at.fault(f"is no field of {self.noun}{at.guess_field(key, self.by_name)}")
            return
        hint = at.guess(key, self.by_name)
        if self.unknown is Unknown.WARN or hint:
            at.warn(f"is no field of {self.noun}: kept and ignored{hint}")

    def only(self, names: Collection[str]) -> Record:
        """The same with no other fields than ``names``, none of them required."""
        fields = (replace(f, required=False) for f in self.fields if f.name in names)
        return replace(self, fields=tuple(fields), unknown=Unknown.GUESS)

    def without(self, names: Collection[str]) -> Record:
        """The same, where ``names`` are known and none of them is required."""
        fields = (replace(f, required=f.required and f.name not in names) for f in self.fields)
        return replace(self, fields=tuple(fields))

    def says(self) -> str:
        return self.noun.partition(" ")[2]

    def schema(self) -> Document:
        required: list[Json] = [f.name for f in self.fields if f.required]
        schema: Document = {
            "type": "object",
            "properties": {name: f.schema() for name, f in self.by_name.items()},
        }
        if required:
            schema["required"] = required
        if self.unknown is Unknown.FAULT:
            schema["additionalProperties"] = False
        return schema


def refers_to(kind: str) -> Rule:
    """The rule of an object that names a definition of ``kind``, perhaps in one version."""

    def rule(document: Document, at: Place) -> None:
        name, version = document.get("name"), document.get("version")
        if isinstance(name, str) and name:
            pinned = version if isinstance(version, int) and version else None
            (at / "name").refer(kind, name, pinned)

    return rule


SERVER_WRITTEN = tuple(
    Field(name, Anything(), "Written by the server.", status=Status.SERVER)
    for name in ("createTime", "updateTime", "createdBy", "updatedBy", "ownerApp", "orgId")
)
