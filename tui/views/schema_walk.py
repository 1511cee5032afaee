"""What a JSON Schema says of a place in a document that is being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tui.views.json_paths import Path

Schema: TypeAlias = Mapping[str, Any]
Plain: TypeAlias = Mapping[str | int, str]

# Schemas refer to themselves.
_MOST_NODES = 500


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A key that a schema knows.

    Attributes:
        name: Itself.
        description: For people.
        is_required: The schema says so.
        opening: How its value begins: ``""``, ``{}``, ``[]``, or nothing where nobody knows.
    """

    name: str
    description: str
    is_required: bool
    opening: str


def nodes_at(schema: Schema, path: Path, plain: Sequence[Plain]) -> list[Schema]:
    """The parts of ``schema`` that speak of ``path``.

    Args:
        schema: Of the whole document.
        path: From the outermost value inwards.
        plain: What plain members each object and list on the way has, the outermost first: by
            them the conditions of the schema are judged.
    """
    nodes = _expanded([schema], schema, plain[0] if plain else {})
    for depth, step in enumerate(path, 1):
        inner = [each for node in nodes for each in _into(node, step)]
        nodes = _expanded(inner, schema, plain[depth] if depth < len(plain) else {})
    return nodes


def fields(nodes: Sequence[Schema]) -> list[SchemaField]:
    """The keys that an object may have; those that it must have first."""
    required = {name for node in nodes for name in node.get("required", ())}
    known: dict[str, list[Schema]] = {}
    for node in nodes:
        for name, each in node.get("properties", {}).items():
            if isinstance(each, Mapping):
                known.setdefault(name, []).append(each)
    found = [
        SchemaField(name, _description(all_of), name in required, _opening(all_of))
        for name, all_of in known.items()
    ]
    return sorted(found, key=lambda each: not each.is_required)


def choices(nodes: Sequence[Schema]) -> list[Any]:
    """The values that a place may have, where they are few; no text for what is a word of JSON."""
    found: list[Any] = []
    for node in nodes:
        values = [*node.get("enum", ()), *([node["const"]] if "const" in node else ())]
        if node.get("type") == "boolean":
            values += [True, False]
        found += [each for each in values if not any(each is known for known in found)]
    words = {"true": True, "false": False}
    return [each for each in found if not (isinstance(each, str) and words.get(each) in found)]


def description(nodes: Sequence[Schema]) -> str:
    """What is said of a place; the first that is."""
    return next((str(node["description"]) for node in nodes if node.get("description")), "")


def _expanded(nodes: Sequence[Schema], root: Schema, plain: Plain) -> list[Schema]:
    """``nodes`` and all that they refer to, combine, or say under conditions that may hold."""
    found: list[Schema] = []
    waiting = list(nodes)
    while waiting and len(found) < _MOST_NODES:
        node = waiting.pop(0)
        if not isinstance(node, Mapping) or any(node is each for each in found):
            continue
        found.append(node)
        waiting += _parts(node, root, plain)
    return found


def _parts(node: Schema, root: Schema, plain: Plain) -> Iterator[Schema]:
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield _referred(root, reference)
    for name in ("allOf", "anyOf", "oneOf"):
        yield from node.get(name, ())
    if "if" in node:
        holds = _holds(node["if"], plain)
        if holds is not False and "then" in node:
            yield node["then"]
        if holds is not True and "else" in node:
            yield node["else"]


def _holds(condition: Schema, plain: Plain) -> bool | None:
    """Whether a condition on plain members holds; None: it is not to be said yet."""
    for name, each in condition.get("properties", {}).items():
        values = each.get("enum", [each["const"]] if "const" in each else None)
        if values is None or name not in plain:
            return None
        if plain[name] not in [str(value) for value in values]:
            return False
    return True


def _into(node: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        prefix = node.get("prefixItems", ())
        inner = prefix[step] if step < len(prefix) else node.get("items")
    else:
        inner = node.get("properties", {}).get(step, node.get("additionalProperties"))
    if isinstance(inner, Mapping):
        yield inner


def _referred(root: Schema, reference: str) -> Schema:
    node: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        node = node.get(step.replace("~1", "/").replace("~0", "~"), {})
    return node if isinstance(node, Mapping) else {}


def _description(nodes: Sequence[Schema]) -> str:
    return description(nodes).split("\n", 1)[0]


def _opening(nodes: Sequence[Schema]) -> str:
    """By the first type that any of the schemas, or of what they combine, has."""
    for node in nodes:
        kinds = [node, *node.get("anyOf", ()), *node.get("oneOf", ())]
        kinds += [inner for each in kinds[1:] for inner in each.get("anyOf", ())]
        for each in kinds:
            opening = {"string": '""', "object": "{}", "array": "[]"}.get(str(each.get("type")))
            if opening or each.get("$ref"):
                return opening or "{}"
            if any(isinstance(value, str) for value in each.get("enum", ())):
                return "" if True in each["enum"] else '""'
            if each.get("type") in ("integer", "number", "boolean"):
                return ""
    return ""
