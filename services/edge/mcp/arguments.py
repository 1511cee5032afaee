"""A tool's arguments as the request that they stand for. No IO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.edge.mcp.tools import Tool
from services.edge.problems import Problem
from services.edge.trie import is_parameter, template_segments


@dataclass(frozen=True, slots=True)
class Asked:
    """What goes over the wire where a route is called without tools; None: no body."""

    method: str
    raw_path: bytes
    query: bytes
    body: bytes | None


def request_of(tool: Tool, arguments: Mapping[str, Any]) -> Asked:
    """The request that calls the route of ``tool``.

    Raises:
        Problem: 422: the path cannot be written.
    """
    path = {name: arguments.get(name) for name in tool.route.parameters}
    faults = tuple(_faults(path))
    if faults:
        raise Problem("invalid-input", errors=faults)
    query = {name: value for name, value in arguments.items() if _in_query(tool, name)}
    return Asked(
        tool.route.method,
        _path(tool.route.path, path),
        b"&".join(_fields(query)),
        _body(tool, arguments) if tool.has_body else None,
    )


def _in_query(tool: Tool, name: str) -> bool:
    return name in tool.query or (tool.every_query and name not in tool.route.parameters)


def _faults(path: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in path.items():
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if value is None:
            yield pointer, "is required"
        elif isinstance(value, dict | list):
            yield pointer, "must be text"
        elif value == "":
            yield pointer, "must not be empty"


def _path(template: str, values: Mapping[str, Any]) -> bytes:
    parts = (
        _quoted(values[part[1:-1]]) if is_parameter(part) else quote(part, safe="")
        for part in template_segments(template)
    )
    return b"/" + "/".join(parts).encode()


def _fields(query: Mapping[str, Any]) -> Iterator[bytes]:
    for name, value in query.items():
        # What is null is as good as left out: models write it for what they do not want.
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield f"{_quoted(name)}={_quoted(each)}".encode()


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    try:
        # A segment of dots would be taken for a step in the path.
        return quote(text, safe="").replace(".", "%2E") if set(text) <= {"."} else quote(text, "")
    except UnicodeEncodeError:
        raise Problem("invalid-input", "An argument has a lone surrogate.") from None


def _body(tool: Tool, arguments: Mapping[str, Any]) -> bytes | None:
    if tool.whole_body:
        body = tool.whole_body
        return _encoded(arguments[body]) if body in arguments else None
    elsewhere = tool.query.union(tool.route.parameters) - tool.fields
    return _encoded({key: each for key, each in arguments.items() if key not in elsewhere})


def _encoded(value: Any) -> bytes:
    # What UTF-8 has not is an escape, which the route refuses in its own words.
    return json.dumps(value, separators=(",", ":")).encode()
