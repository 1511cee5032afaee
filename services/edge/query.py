"""A request's query: its fields as sent, and as a route declares them. No IO."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.edge.problems import Faults, Problem
from services.edge.trie import BadPath, percent_decoded
from services.json_text import Json

MOST_FIELDS = 1000

Pairs = Sequence[tuple[str, str]]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,308})\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,308})(\.[0-9]{1,308})?([eE][+-]?[0-9]{1,3})?\Z")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared field of the query.

    Attributes:
        type: string, integer, number, boolean or array (of strings).
        default: Its value where it is left out; None: it has none.
        enum: The values that it may have, an array's items; empty: any.
    """

    name: str
    type: str = "string"
    required: bool = False
    default: Json = None
    enum: tuple[Json, ...] = ()


def read_parameters(declared: Iterable[Mapping[str, Any]] | None) -> tuple[Parameter, ...]:
    """A route's ``queryParameters``, as the registry keeps them."""
    return tuple(
        Parameter(
            name=each["name"],
            type=each.get("type", "string"),
            required=each.get("required") is True,
            default=each.get("default"),
            enum=tuple(each.get("enum") or ()),
        )
        for each in declared or ()
    )


def parse_pairs(query: bytes) -> Pairs:
    """The query's fields, decoded; ``+`` is a space, a field without ``=`` is empty text.

    Raises:
        Problem: 400 for an encoding that is broken, or very many fields.
    """
    if not query:
        return ()
    pieces = query.split(b"&", MOST_FIELDS)
    if len(pieces) > MOST_FIELDS:
        raise Problem("malformed-query", f"The query has more than {MOST_FIELDS} fields.")
    return [_field(piece) for piece in pieces if piece]


def parse_query(query: bytes) -> dict[str, str]:
    """The fields by name.

    Raises:
        Problem: 400 as :func:`parse_pairs`; 422 for a field that is given twice.
    """
    fields, faults = as_sent(parse_pairs(query))
    if faults:
        raise Problem("invalid-query", errors=faults)
    return fields


def as_sent(pairs: Pairs) -> tuple[dict[str, str], Faults]:
    """All fields as text, and a fault for each that is given twice."""
    fields: dict[str, str] = {}
    twice: dict[str, None] = {}
    for name, value in pairs:
        if name in fields:
            twice[name] = None
        fields[name] = value
    return fields, tuple((_pointer(name), "is given twice") for name in twice)


def as_declared(pairs: Pairs, parameters: Iterable[Parameter]) -> tuple[dict[str, Json], Faults]:
    """The declared fields, of their types, and every fault; what is not declared is left out."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    fields: dict[str, Json] = {}
    faults: list[tuple[str, str]] = []
    for parameter in parameters:
        values = given.get(parameter.name)
        if values is None:
            if parameter.default is not None:
                fields[parameter.name] = parameter.default
            elif parameter.required:
                faults.append((_pointer(parameter.name), "is required"))
            continue
        read, fault = _read(parameter, values)
        if fault:
            faults.append((_pointer(parameter.name), fault))
        else:
            fields[parameter.name] = read
    return fields, tuple(faults)


def _read(parameter: Parameter, values: list[str]) -> tuple[Json, str]:
    """The value, and why there is none."""
    if parameter.type == "array":
        strange = any(value not in parameter.enum for value in values) if parameter.enum else False
        return list(values), _one_of(parameter) if strange else ""
    if len(values) > 1:
        return None, "is given twice"
    value = _typed(parameter.type, values[0])
    if value is None:
        return None, f"must be {_WANTED[parameter.type]}"
    if parameter.enum and not any(_same(value, each) for each in parameter.enum):
        return None, _one_of(parameter)
    return value, ""


_WANTED = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _typed(kind: str, text: str) -> Json:
    """``text`` as that type; None: it is none of it."""
    match kind:
        case "integer":
            return int(text) if _INTEGER.match(text) else None
        case "number":
            return _number(text)
        case "boolean":
            return {"true": True, "false": False}.get(text)
    return text


def _number(text: str) -> Json:
    if _INTEGER.match(text):
        return int(text)
    value = float(text) if _NUMBER.match(text) else None
    # 1e999 is written like a number, and is none that JSON has.
    return value if value is not None and abs(value) != float("inf") else None


def _same(value: Json, other: Json) -> bool:
    """As JSON has it: 1 is 1.0, and true is no 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _one_of(parameter: Parameter) -> str:
    return f"must be one of {', '.join(map(_shown, parameter.enum))}"


def _shown(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.replace(b"+", b" ").partition(b"=")
    try:
        return percent_decoded(name), percent_decoded(value)
    except BadPath as error:
        raise Problem("malformed-query", str(error)) from None
    except UnicodeDecodeError:
        raise Problem("malformed-query", "The query is not percent-encoded UTF-8.") from None


def _pointer(name: str) -> str:
    # RFC 6901 §3
    return "/query/" + name.replace("~", "~0").replace("/", "~1")
