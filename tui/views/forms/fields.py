"""The fields of a form, read from a JSON Schema (2020-12 and draft 7, as far as forms go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from services.json_text import Json
from tui.views.forms.documents import MISSING, Missing
from tui.views.forms.schemas import Plainer, Schema

Sort = Literal[
    "text", "integer", "number", "boolean", "choice", "items",
    "object", "list", "union", "json", "any",
]  # fmt: skip

# What is nested deeper is written as JSON.
_MOST_DEPTH = 8
_MOST_FIELDS = 600
_NEUTRAL: tuple[Json, ...] = (None, False, 0, "", [], {})
_SCALARS = frozenset(("text", "integer", "number", "choice"))
_NAMES = frozenset(("name", "id", "description"))
_SCRIPTS = frozenset(("text/javascript", "application/javascript"))


@dataclass(frozen=True, slots=True)
class Hints:
    """What a schema leaves unsaid. Paths are dotted, without indices: ``routes[].path``.

    Attributes:
        refers: The kind of definition that a field names.
        immutable: Fields that may not change after creation.
        secrets: Fields that nobody is to read over a shoulder.
        scripts: Fields that hold JavaScript.
    """

    refers: Mapping[str, str] = field(default_factory=dict)
    immutable: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text or a number must be; None: anything."""

    pattern: str | None = None
    shortest: int | None = None
    longest: int | None = None
    least: float | None = None
    most: float | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Its key in the document; of an item or an option of a union, what it is called.
        choices: All values that it may have, for ``choice``, and for the items of ``items``.
        fields: Those within an ``object``.
        item: What stands in a ``list`` or in ``items``.
        options: What a ``union`` may be.
        constant: The only value that it may have; it is not shown.
        refers_to: The kind of definition that it names; empty: none.
        script: It holds a program, and is edited elsewhere.
    """

    name: str
    sort: Sort
    title: str = ""
    description: str = ""
    required: bool = False
    default: Json | Missing = MISSING
    choices: tuple[Json, ...] = ()
    fields: tuple[Field, ...] = ()
    item: Field | None = None
    options: tuple[Field, ...] = ()
    limits: Limits = Limits()
    constant: Json | Missing = MISSING
    refers_to: str = ""
    immutable: bool = False
    secret: bool = False
    script: bool = False

    @property
    def label(self) -> str:
        return self.title or self.name

    def field(self, name: str) -> Field | None:
        """That within it which has a name."""
        return next((each for each in self.fields if each.name == name), None)


def form_of(schema: Schema, hints: Hints | None = None) -> Field:
    """The form of documents that ``schema`` describes: a field of all of them.

    Besides the standard's words it heeds ``x-refersTo`` (a kind of definition), ``x-immutable``,
    ``x-secret`` and ``x-script``; ``writeOnly`` and the format ``password`` mean a secret, too.
    """
    return _Reading(schema, hints or Hints()).field("", schema, _At(), required=True)


def constants(form: Field) -> dict[str, Json]:
    """What a new document has without anybody saying it: the required fields of one value."""
    return {
        each.name: each.constant
        for each in form.fields
        if each.required and not isinstance(each.constant, Missing)
    }


@dataclass(frozen=True, slots=True)
class _At:
    """Where a field stands: its path without indices, and whether what is around it is secret."""

    path: str = ""
    depth: int = 0
    secret: bool = False

    def within(self, step: str) -> _At:
        path = f"{self.path}.{step}" if self.path and step[:1] != "[" else self.path + step
        return replace(self, path=path, depth=self.depth + 1)


class _Reading:
    def __init__(self, root: Schema, hints: Hints) -> None:
        self._plainer = Plainer(root)
        self._hints = hints
        self._left = _MOST_FIELDS
        # By where it lies in memory: what is kept beside it lies there for good.
        self._plain: dict[int, tuple[object, Schema]] = {}

    def field(self, name: str, schema: object, at: _At, *, required: bool) -> Field:
        """The field of a schema; within a secret one, all texts that may be the secret are."""
        self._left -= 1
        meant = self._meant(schema)
        hidden = _is_secret(meant) or at.path in self._hints.secrets
        made = self._sorted(name, meant, replace(at, secret=at.secret or hidden))
        default = meant.get("default", MISSING)
        return replace(
            made,
            title=_text(meant.get("title")) if at.depth else "",
            description=_text(meant.get("description")),
            required=required,
            # Null as a default says that there is none.
            default=MISSING if default is None else default,
            limits=_limits(meant),
            refers_to=_text(meant.get("x-refersTo")) or self._hints.refers.get(at.path, ""),
            immutable=meant.get("x-immutable") is True or at.path in self._hints.immutable,
            secret=hidden or (at.secret and _may_be_secret(name, meant)),
            script=_is_script(meant) or at.path in self._hints.scripts,
        )

    def _meant(self, schema: object) -> Schema:
        known = self._plain.get(id(schema))
        if known is None:
            known = self._plain[id(schema)] = schema, self._plainer.plain(schema)
        return known[1]

    def _sorted(self, name: str, schema: Schema, at: _At) -> Field:
        values = schema.get("enum")
        if "const" in schema:
            return Field(name, "any", constant=schema["const"])
        if isinstance(values, list) and values:
            return _chosen(name, values)
        if schema.get("oneOf"):
            return self._union(name, schema["oneOf"], at)
        match schema.get("type"):
            case "string":
                return Field(name, "text")
            case "boolean":
                return Field(name, "boolean")
            case "integer":
                return Field(name, "integer")
            case "number":
                return Field(name, "number")
            case "array":
                return self._list(name, schema, at)
            case "object" | None if isinstance(schema.get("properties"), Mapping):
                return self._object(name, schema, at)
            case None:
                return Field(name, "any")
            case _:
                return Field(name, "json")

    def _is_too_much(self, at: _At) -> bool:
        return at.depth >= _MOST_DEPTH or self._left <= 0

    def _object(self, name: str, schema: Schema, at: _At) -> Field:
        if self._is_too_much(at):
            return Field(name, "json")
        names = schema.get("required")
        required = set(map(str, names)) if isinstance(names, list) else set()
        return Field(name, "object", fields=tuple(self._fields(schema["properties"], required, at)))

    def _fields(
        self, properties: Mapping[str, Any], required: set[str], at: _At
    ) -> Iterator[Field]:
        for name, schema in properties.items():
            meant = self._meant(schema)
            # What a server writes, and what is not supported yet, is nobody's to fill in.
            if meant.get("readOnly") is not True and not _is_neutral(meant.get("enum")):
                yield self.field(name, schema, at.within(name), required=name in required)

    def _list(self, name: str, schema: Schema, at: _At) -> Field:
        items = schema.get("items")
        if not isinstance(items, Mapping) or self._is_too_much(at):
            return Field(name, "json")
        item = self.field("item", items, at.within("[]"), required=True)
        if item.sort in ("any", "json"):
            return Field(name, "json")
        if item.sort in _SCALARS and not item.script:
            return Field(name, "items", choices=item.choices, item=item)
        return Field(name, "list", item=item)

    def _union(self, name: str, options: list[Schema], at: _At) -> Field:
        if self._is_too_much(at):
            return Field(name, "any")
        inner = replace(at, depth=at.depth + 1)
        fields = tuple(
            self.field(_option_name(option, number), option, inner, required=True)
            for number, option in enumerate(options, 1)
        )
        return Field(name, "union", options=fields)


def _chosen(name: str, values: list[Json]) -> Field:
    choices = [value for value in values if value is not None]
    if len(choices) == 1:
        return Field(name, "choice", choices=tuple(choices), constant=choices[0])
    return Field(name, "choice", choices=tuple(choices))


def _option_name(option: Schema, number: int) -> str:
    return _text(option.get("title")) or _text(option.get("type")) or f"option {number}"


def _limits(schema: Schema) -> Limits:
    return Limits(
        pattern=schema["pattern"] if isinstance(schema.get("pattern"), str) else None,
        shortest=_whole(schema.get("minLength")),
        longest=_whole(schema.get("maxLength")),
        least=_number(schema.get("minimum")),
        most=_number(schema.get("maximum")),
        format=_text(schema.get("format")),
    )


def _is_neutral(values: object) -> bool:
    """Whether a field may only say that it says nothing: it is known, and not supported yet."""
    return isinstance(values, list) and None in values and all(each in _NEUTRAL for each in values)


def _is_secret(schema: Schema) -> bool:
    if schema.get("x-secret") is True or schema.get("writeOnly") is True:
        return True
    return schema.get("format") == "password"


def _may_be_secret(name: str, schema: Schema) -> bool:
    """Whether a part of what is secret is so, too: not what it is called, nor its dates."""
    return schema.get("type") == "string" and "format" not in schema and name not in _NAMES


def _is_script(schema: Schema) -> bool:
    return schema.get("x-script") is True or schema.get("contentMediaType") in _SCRIPTS


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
