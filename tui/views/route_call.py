"""A call of a route as it is written down: in a form, in a file, as a curl command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from services.json_text import DocumentError, parse_json
from tui.views.command_lines import LONGEST, with_text
from tui.views.forms.requests import call_schema
from tui.views.forms.schemas import Schema

Json = Any
Pairs = tuple[tuple[str, str], ...]

MASK = "***"
# They prove who calls, and are kept nowhere.
SECRET_HEADERS = frozenset(("x-api-key", "authorization", "proxy-authorization", "cookie"))
_KNOWN_HEADERS = {
    "Idempotency-Key": 'In quotes, e.g. "order-7": the same call again has the same answer.',
    "Prefer": "respond-async answers at once, wait=5 after five seconds at most.",
    "Accept": "application/json, or text/event-stream for events as it runs.",
    "If-None-Match": "An ETag: what has not changed is not sent again.",
}
_OTHERS = "others"
_PARAMETER = re.compile(r"\{([^{}/]+)\}")


class CaseUnreadable(ValueError):
    """A file is no case: a sentence."""


@dataclass(frozen=True, slots=True)
class RouteCall:
    """One call; it never holds the key.

    Attributes:
        path: The template, whole or below the service's.
        body: JSON text; empty: none.
    """

    service: str
    method: str
    path: str
    parameters: Pairs = ()
    query: Pairs = ()
    headers: Pairs = ()
    body: str = ""


# As a form


def form_schema(route: Mapping[str, Any], body: Schema | None, key_told: str = "") -> Schema:
    """The form of a call.

    Args:
        route: As its service has it.
        body: The schema of its body, where the route refers to one.
        key_told: What is said of the key; empty: the route wants none.
    """
    parts: dict[str, Any] = dict(call_schema(route, body)["properties"])
    texts: dict[str, Any] = {
        name: {"type": "string", "description": told} for name, told in _KNOWN_HEADERS.items()
    }
    parts["headers"] = {
        "type": "object",
        "description": "Headers besides the key's.",
        "properties": {**texts, _OTHERS: parts["headers"]},
    }
    if key_told:
        key = {"type": "string", "x-secret": True, "description": key_told, "title": "API key"}
        parts = {"key": key, **parts}
    required = ["path"] if "path" in parts else []
    return {"type": "object", "properties": parts, "required": required}


def written_call(service: str, route: Mapping[str, Any], path: str, document: Json) -> RouteCall:
    """The call that a form's ``document`` says; ``path`` is the whole template."""
    given = document if isinstance(document, Mapping) else {}
    parameters = given.get("path") or {}
    body = json.dumps(given["body"], ensure_ascii=False) if "body" in given else ""
    return RouteCall(
        service,
        str(route.get("httpMethod", "GET")),
        path,
        tuple((str(name), str(value)) for name, value in parameters.items()),
        tuple(_fields(given.get("query"))),
        tuple(_headers(given.get("headers"))),
        body,
    )


def _headers(given: Json) -> Iterator[tuple[str, str]]:
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if name != _OTHERS:
            yield str(name), str(value)
    yield from _fields(given.get(_OTHERS) if isinstance(given, Mapping) else given)


def _fields(given: Json) -> Iterator[tuple[str, str]]:
    """Of an object by name, or of a list of names and values."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            for each in value if isinstance(value, list) else [value]:
                yield str(name), _text(each)
    for each in given if isinstance(given, list) else ():
        if isinstance(each, Mapping) and each.get("name"):
            yield str(each["name"]), _text(each.get("value", ""))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def form_document(call: RouteCall, route: Mapping[str, Any]) -> dict[str, Json]:
    """What a form of ``route`` holds for ``call``: the inverse of :func:`written_call`."""
    document: dict[str, Json] = {}
    if call.parameters:
        document["path"] = dict(call.parameters)
    if query := _query_of_form(call.query, route.get("queryParameters")):
        document["query"] = query
    if call.headers:
        document["headers"] = _headers_of_form(call.headers)
    if call.body:
        try:
            document["body"] = parse_json(call.body)
        except DocumentError:
            document["body"] = call.body
    return document


def _query_of_form(query: Pairs, declared: object) -> Json:
    if not isinstance(declared, list) or not declared:
        return [{"name": name, "value": value} for name, value in query]
    types = {str(each.get("name")): each.get("type") for each in declared}
    fields: dict[str, Json] = {}
    for name, value in query:
        if types.get(name) == "array":
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = _value(value, types.get(name))
    return fields


def _value(text: str, kind: object) -> Json:
    """The value that a text stands for; the text where it is none of that kind."""
    if kind not in ("integer", "number", "boolean"):
        return text
    try:
        return parse_json(text)
    except DocumentError:
        return text


def _headers_of_form(headers: Pairs) -> dict[str, Json]:
    known = {name.lower(): name for name in _KNOWN_HEADERS}
    told: dict[str, Json] = {}
    others: list[Json] = []
    for name, value in headers:
        usual = known.get(name.lower())
        if usual is not None and usual not in told:
            told[usual] = value
        else:
            others.append({"name": name, "value": value})
    return told | ({_OTHERS: others} if others else {})


# As a file


def case_text(call: RouteCall) -> str:
    """The call as a file holds it: JSON, without anything that proves who calls."""
    case: dict[str, Json] = {"service": call.service, "method": call.method, "path": call.path}
    if call.parameters:
        case["parameters"] = dict(call.parameters)
    if call.query:
        case["query"] = [list(pair) for pair in call.query]
    if headers := [list(pair) for pair in call.headers if pair[0].lower() not in SECRET_HEADERS]:
        case["headers"] = headers
    if call.body:
        case["body"] = _body_of_case(call.body)
    return json.dumps(case, indent=2, ensure_ascii=False) + "\n"


def _body_of_case(body: str) -> Json:
    try:
        return parse_json(body)
    except DocumentError:
        return body


def read_case(text: str) -> RouteCall:
    """The call that a file holds.

    Raises:
        CaseUnreadable: It is no JSON, or no case.
    """
    try:
        case = parse_json(text)
    except DocumentError as error:
        raise CaseUnreadable(f"It is no JSON: {error}") from None
    if not isinstance(case, dict):
        raise CaseUnreadable("A case is an object.")
    names = {"service", "method", "path", "parameters", "query", "headers", "body"}
    if unknown := sorted(set(case) - names):
        raise CaseUnreadable(f"A case has no {unknown[0]!r}; it has {', '.join(sorted(names))}.")
    for name in ("service", "method", "path"):
        if not isinstance(case.get(name), str) or not case[name]:
            raise CaseUnreadable(f"A case has {name}, a text.")
    return RouteCall(
        str(case["service"]),
        str(case["method"]).upper(),
        str(case["path"]),
        _pairs(case, "parameters"),
        _pairs(case, "query"),
        _pairs(case, "headers"),
        json.dumps(case["body"], ensure_ascii=False) if "body" in case else "",
    )


def _pairs(case: Mapping[str, Json], name: str) -> Pairs:
    """An object of texts, or a list of names with their texts."""
    given = case.get(name) or {}
    listed = list(given.items()) if isinstance(given, dict) else given
    if not isinstance(listed, list):
        raise CaseUnreadable(f"The {name} of a case are an object, or a list of pairs.")
    pairs = []
    for each in listed:
        if not isinstance(each, list | tuple) or len(each) != 2 or not isinstance(each[0], str):
            raise CaseUnreadable(f"Each of {name} is a name and a value.")
        pairs.append((each[0], _text(each[1])))
    return tuple(pairs)


# As a command


def target(call: RouteCall) -> str:
    """Path and query, as they are asked for; a parameter without a value is in capitals."""
    values = dict(call.parameters)
    path = "/".join(_segment(part, values) for part in call.path.split("/"))
    return path + (f"?{urlencode(call.query, quote_via=quote)}" if call.query else "")


def _segment(part: str, values: Mapping[str, str]) -> str:
    found = _PARAMETER.fullmatch(part)
    if found is None:
        return quote(part, safe="%:@!$&'()*+,;=~")
    value = values.get(found[1])
    return quote(value, safe="") if value else found[1].upper()


def curl(call: RouteCall, gateway: str, key: str = "", *, is_token: bool = False) -> str:
    """The command that makes the same call.

    Args:
        gateway: A URL without a path.
        key: As it is to stand there, e.g. :data:`MASK`; empty: the route wants none.
        is_token: It is one of an issuer.
    """
    words = ["curl", "-i", "-X", call.method, gateway + target(call)]
    if key:
        words += ["-H", f"Authorization: Bearer {key}" if is_token else f"X-API-Key: {key}"]
    names = {name.lower() for name, _ in call.headers}
    for name, value in _with_type(call, names):
        # What has no value is left out by curl unless it ends so.
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if call.body:
        words += ["--data-raw", call.body]
    return _in_lines(words)


def _with_type(call: RouteCall, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name, value in call.headers:
        yield name, MASK if name.lower() in SECRET_HEADERS else value
    if call.body and "content-type" not in names:
        yield "Content-Type", "application/json"


def _in_lines(words: Sequence[str]) -> str:
    """A line for each option: it is read as well as run."""
    head = shlex.join(words[:5])
    options = [shlex.join(words[at : at + 2]) for at in range(5, len(words), 2)]
    return " \\\n  ".join([head, *options])


def command(call: RouteCall) -> str:
    """The same call by ``podium test-route``, bounded; the key is of its environment."""
    words = ["podium", "test-route", call.service, call.method, call.path]
    for option, pairs in (
        ("--path", call.parameters), ("--query", call.query), ("--header", call.headers)
    ):  # fmt: skip
        for name, value in pairs:
            shown = MASK if name.lower() in SECRET_HEADERS else value
            words += [option, f"{name}={shown}"]
    line = with_text(words, "--body", call.body) if call.body else shlex.join(words)
    return line if len(line) <= LONGEST else "podium test-route --case FILE"
