"""The part of a service's document that is about one route, with what it refers to. No IO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from services.edge.openapi.words import Document
from services.edge.trie import is_parameter, template_segments

_COMPONENTS = "#/components/"


def part(document: Document, method: str, path: str) -> Document:
    """``document`` with nothing but the operation of a route; whole, where it is not there."""
    wanted = _erased(path)
    key = next((each for each in document["paths"] if _erased(each) == wanted), None)
    operation = document["paths"][key].get(method.lower()) if key is not None else None
    if operation is None:
        return document
    kept: Document = {
        name: value for name, value in document.items() if name not in ("webhooks", "components")
    }
    kept["paths"] = {key: {method.lower(): operation}}
    tags = operation.get("tags", ())
    kept["tags"] = [each for each in document.get("tags", ()) if each["name"] in tags]
    kept["components"] = _needed(operation, document["components"])
    return kept


def _erased(template: str) -> tuple[str, ...]:
    return tuple("{}" if is_parameter(part) else part for part in template_segments(template))


def _needed(operation: Document, components: Document) -> Document:
    """The components that ``operation`` refers to, by way of others too; and the schemes."""
    found: dict[tuple[str, str], None] = {}
    waiting: list[Any] = [operation]
    while waiting:
        for kind, name in _named(waiting.pop()):
            if (kind, name) not in found and name in components.get(kind, {}):
                found[kind, name] = None
                waiting.append(components[kind][name])
    kept: Document = {}
    for kind, named in components.items():
        chosen = {
            name: value
            for name, value in named.items()
            if kind == "securitySchemes" or (kind, name) in found
        }
        if chosen:
            kept[kind] = chosen
    return kept


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of each component that something in ``value`` refers to."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            reference = each.get("$ref")
            if isinstance(reference, str) and reference.startswith(_COMPONENTS):
                kind, _, rest = reference.removeprefix(_COMPONENTS).partition("/")
                yield kind, _name(rest)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _name(rest: str) -> str:
    """The first step of a pointer in a URI."""
    return unquote(rest.partition("/")[0]).replace("~1", "/").replace("~0", "~")
