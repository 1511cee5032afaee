"""What may come next in a definition that is being written: keys, values, tasks, ``${…}``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.views.expressions import expressions
from tui.views.json_source import Container, Spot, spot_at
from tui.views.schema_walk import Plain, Schema, SchemaField, choices, fields, nodes_at
from tui.views.task_words import SKELETONS

MOST_OFFERED = 50

# What of an expression is written before the cursor: a ``$`` before it makes it text.
_BEGUN = re.compile(r"(?<!\$)(?:\$\$)*\$\{([^{}\"\n]*)\Z")
_REST = re.compile(r"[\w.$\[\]'-]*\}?")
_COLON = re.compile(r"\s*:")
_INDENT = re.compile(r"[ \t]*")
# Behind it another value of the list follows, and no comma is there yet.
_MORE = re.compile(r"\s*[^\s,\]}]")


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that may come next.

    Attributes:
        label: As it is offered.
        detail: What it is, for people.
        text: What stands there then.
        start: Where what it replaces begins in the text.
        end: Where that ends.
        cursor: Where the cursor is then, from ``start``.
    """

    label: str
    detail: str
    text: str
    start: int
    end: int
    cursor: int


@dataclass(frozen=True, slots=True)
class Words:
    """What is known beside the text.

    Attributes:
        schema: JSON Schema of the document; empty: there is none.
        values: By the key that they are the value of, such as ``failureWorkflow``: names.
        names: By the kind of definition that a place refers to, as the schema says it: names.
        secrets: Names of secrets.
        inputs: Names of the workflow's input.
        skeletons: By task type: what a task of it begins with; empty: nothing is a task.
    """

    schema: Schema = field(default_factory=dict)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    inputs: Sequence[str] = ()
    skeletons: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SKELETONS)


def complete(text: str, cursor: int, words: Words) -> list[Completion]:
    """What may stand at ``cursor`` of the JSON ``text``, the likeliest first."""
    spot = spot_at(text, cursor)
    begun = _BEGUN.search(text, spot.start, cursor) if spot.is_quoted else None
    if begun is not None:
        return _best(_expressions(text, cursor, begun[1], spot, words), begun[1])
    if spot.part == "none":
        return []
    nodes = nodes_at(words.schema, spot.path, _plain(spot.holder))
    if spot.part == "key":
        offered = _keys(text, spot, fields(nodes))
    else:
        offered = _values(text, spot, nodes, words)
    return _best(offered, spot.written)


def _best(offered: Iterable[Completion], written: str) -> list[Completion]:
    """Those that begin with what is written, then those that hold it; in their order."""
    wanted = written.lower()
    begins: list[Completion] = []
    holds: list[Completion] = []
    for each in offered:
        label = each.label.lower()
        if label.startswith(wanted):
            begins.append(each)
        elif wanted in label:
            holds.append(each)
    return (begins + holds)[:MOST_OFFERED]


def _expressions(
    text: str, cursor: int, written: str, spot: Spot, words: Words
) -> Iterator[Completion]:
    start = cursor - len(written)
    found = _REST.match(text, cursor)
    end = found.end() if found else cursor
    known = expressions(text, spot, secrets=words.secrets, inputs=words.inputs)
    for name, detail in known.items():
        yield Completion(name, detail, f"{name}}}", start, end, len(name) + 1)


def _keys(text: str, spot: Spot, known: Sequence[SchemaField]) -> Iterator[Completion]:
    there = spot.holder.keys if spot.holder else []
    has_value = _COLON.match(text, spot.end) is not None
    for each in known:
        if each.name in there:
            continue
        key = json.dumps(each.name, ensure_ascii=False)
        written = key if has_value else f"{key}: {each.opening}"
        within = len(written) - (1 if each.opening and not has_value else 0)
        detail = f"required. {each.description}" if each.is_required else each.description
        yield Completion(each.name, detail, written, spot.start, spot.end, within)


def _values(text: str, spot: Spot, nodes: Sequence[Schema], words: Words) -> Iterator[Completion]:
    key = spot.path[-1] if spot.path else ""
    if isinstance(key, int) and not spot.is_quoted and _are_tasks(nodes):
        yield from _tasks(text, spot, words)
    for value in choices(nodes):
        if not spot.is_quoted or isinstance(value, str):
            yield _value(spot, value, "")
    for name in words.values.get(key, ()) if isinstance(key, str) else ():
        yield _value(spot, name, "known")
    for kind in dict.fromkeys(node["x-refersTo"] for node in nodes if "x-refersTo" in node):
        for name in words.names.get(kind, ()):
            yield _value(spot, name, f"{kind} that there is")


def _value(spot: Spot, value: Any, detail: str) -> Completion:
    written = json.dumps(value, ensure_ascii=False)
    label = value if isinstance(value, str) else written
    return Completion(label, detail, written, spot.start, spot.end, len(written))


def _are_tasks(nodes: Sequence[Schema]) -> bool:
    return any("taskReferenceName" in node.get("properties", {}) for node in nodes)


def _tasks(text: str, spot: Spot, words: Words) -> Iterator[Completion]:
    """A task of each type with what it takes."""
    line = text.rfind("\n", 0, spot.start) + 1
    found = _INDENT.match(text, line, spot.start)
    indent = found[0] if found else ""
    for kind, skeleton in words.skeletons.items():
        task = {"name": "", "taskReferenceName": "", "type": kind, **skeleton}
        written = json.dumps(task, indent=2, ensure_ascii=False).replace("\n", f"\n{indent}")
        cursor = written.index('"name": "') + len('"name": "')
        comma = "," if _MORE.match(text, spot.end) else ""
        yield Completion(
            f"{kind} task", "a task with what it takes", f"{written}{comma}", spot.start, spot.end,
            cursor,
        )  # fmt: skip


def _plain(holder: Container | None) -> list[Plain]:
    """The plain members of each object and list around the cursor, the outermost first."""
    around: list[Plain] = []
    while holder is not None:
        around.append(holder.scalars)
        holder = holder.outer
    return around[::-1]
