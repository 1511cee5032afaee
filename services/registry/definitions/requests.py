"""What a route asks of a request and promises of an answer: query parameters and schemas."""

from __future__ import annotations

from dataclasses import dataclass

from services.json_text import DocumentError, parse_json
from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, kept, refers_to
from services.registry.definitions.schema import check_json_schema
from services.registry.definitions.values import (
    Anything,
    Boolean,
    Choice,
    ListOf,
    Name,
    Text,
    whole,
)

_TYPES = ("string", "integer", "number", "boolean", "array")
# The edge sets it last, over anything of that name.
_TAKEN = "requestMetadata"


def _is_of(type_: Json, value: Json) -> bool:
    """Whether a default or a value of an enum is what the type says."""
    match type_:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
    return isinstance(value, str)


def _check_parameter(parameter: Document, at: Place) -> None:
    type_, enum = parameter.get("type", "string"), parameter.get("enum")
    if parameter.get("name") == _TAKEN:
        (at / "name").fault(f"'{_TAKEN}' is set by the gateway; name it otherwise")
    for index, value in enumerate(enum if isinstance(enum, list) else ()):
        if not _is_of(type_, value):
            (at / "enum" / index).fault(f"must be {_article(type_)}, not {shown(value)}")
    default = parameter.get("default")
    if default is not None:
        _check_default(default, type_, enum, at / "default")


def _check_default(default: Json, type_: Json, enum: Json, at: Place) -> None:
    several = type_ == "array"
    if several and not isinstance(default, list):
        at.fault(f"must be a list, not {shown(default)}")
        return
    for value in default if isinstance(default, list) and several else (default,):
        if not _is_of(type_, value):
            at.fault(f"must be {_article(type_)}, not {shown(value)}")
        elif isinstance(enum, list) and value not in enum:
            at.fault(f"must be one of enum, not {shown(value)}")


def _article(type_: Json) -> str:
    match type_:
        case "integer":
            return "a whole number"
        case "number":
            return "a number"
        case "boolean":
            return "true or false"
        case "array":
            return "a list of text"
    return "text"


QUERY_PARAMETER = Record(
    "a query parameter",
    (
        Field(
            "name",
            Text(
                shortest=1,
                longest=128,
                pattern=r"[A-Za-z0-9_-]+",
                wants="letters, digits, '_' and '-'",
            ),
            "As it is sent.",
            required=True,
        ),
        Field("required", Boolean(), "Without it, 422.", default=False),
        Field(
            "type",
            Choice(_TYPES),
            "What it must be; an array is text that may be repeated.",
            default="string",
        ),
        Field("default", Anything(), "Its value where it is left out."),
        Field("enum", ListOf(Anything(), shortest=1), "All values that it may have."),
        kept("description", Text(), "For people."),
    ),
    rules=(_check_parameter,),
)


@dataclass(frozen=True)
class JsonSchema:
    """A JSON Schema, or its JSON text, which other gateways write."""

    def check(self, value: Json, at: Place) -> Json:
        if isinstance(value, str):
            try:
                value = parse_json(value) if value.strip() else {}
            except DocumentError as error:
                at.fault(f"cannot be read: {error}")
                return value
        if not isinstance(value, dict):
            at.fault(f"must be a JSON Schema, an object, not {shown(value)}")
            return value
        check_json_schema(value, at)
        return value

    def says(self) -> str:
        return "JSON Schema"

    def schema(self) -> Document:
        return {"type": ["object", "string"]}


_SCRIPT = Text(longest=100_000)


@dataclass(frozen=True)
class Script:
    """JavaScript; its syntax is checked where scripts are run."""

    def check(self, value: Json, at: Place) -> Json:
        checked = _SCRIPT.check(value, at)
        if isinstance(checked, str) and checked.strip():
            at.script(checked)
        return checked

    def says(self) -> str:
        return "JavaScript"

    def schema(self) -> Document:
        return {**_SCRIPT.schema(), "contentMediaType": "text/javascript"}


SCHEMA_REFERENCE = Record(
    "a reference to a schema",
    (
        Field("name", Name(), "The schema definition.", required=True, refers="schema"),
        Field("version", whole(), "Which version; 0 or absent: the latest at each call."),
    ),
    rules=(refers_to("schema"),),
)


def check_parameters(route: Document, names: tuple[str, ...], at: Place) -> None:
    """Tells query parameters that are named twice, or like one of the path."""
    parameters = route.get("queryParameters")
    seen: set[Json] = set()
    for index, each in enumerate(parameters if isinstance(parameters, list) else ()):
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str):
            continue
        where = at / "queryParameters" / index / "name"
        if name in seen:
            where.fault(f"'{name}' is declared twice")
        elif name in names:
            where.fault(f"'{name}' is a parameter of the path")
        seen.add(name)


def check_schemas(route: Document, at: Place) -> None:
    """Tells a schema that stands beside the reference that is used."""
    for field in ("inputSchema", "outputSchema"):
        if route.get(field) and route.get(f"{field}Ref"):
            (at / field).warn(f"is kept, and not used: {field}Ref is")
