"""Workflows that would start themselves, by way of others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.errors import Fault
from services.json_paths import shortened
from services.registry.definitions import Definition, Json
from services.registry.references import Lookup

Started = tuple[str, int | None]
"""The name and the version of a workflow that is started; None: the latest."""


def cycles(definition: Definition, lookup: Lookup) -> Iterator[Fault]:
    """A fault for each sub-workflow of ``definition`` that leads back to it.

    Its own tasks come first; what they start is looked up.
    """
    if definition.kind != "workflow":
        return
    for reference in definition.references:
        if reference.kind == "workflow" and "subWorkflowParam" in reference.path:
            way = _way_back(definition, (reference.name, reference.version), lookup)
            if way:
                shown = " → ".join(shortened(name) for name in (definition.name, *way))
                yield Fault(reference.path, f"leads back to this workflow: {shown}")


def _way_back(definition: Definition, first: Started, lookup: Lookup) -> list[str]:
    """The names on a way from ``first`` to ``definition``; empty: there is none."""
    before: dict[Started, Started | None] = {first: None}
    pending = [first]
    while pending:
        started = pending.pop()
        document = lookup("workflow", *started)
        if document is None:
            continue
        if _is_same(definition, document):
            return _names(started, before)
        for following in _started(document):
            if following not in before:
                before[following] = started
                pending.append(following)
    return []


def _is_same(definition: Definition, document: Mapping[str, Json]) -> bool:
    version = document.get("version", 1)
    return document.get("name") == definition.name and version == definition.version


def _names(last: Started, before: Mapping[Started, Started | None]) -> list[str]:
    names: list[str] = []
    place: Started | None = last
    while place is not None:
        names.append(place[0])
        place = before[place]
    return names[::-1]


def _started(value: Json | Mapping[str, Json]) -> Iterator[Started]:
    """What the tasks anywhere in a workflow start and wait for, where that is named plainly."""
    pending: list[Json | Mapping[str, Json]] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            param = part.get("subWorkflowParam")
            if isinstance(param, Mapping) and param.get("workflowDefinition") is None:
                yield from _named(param)
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def _named(param: Mapping[str, Json]) -> Iterator[Started]:
    name, version = param.get("name"), param.get("version")
    if isinstance(name, str) and "${" not in name:
        yield name, version if isinstance(version, int) and version else None
