"""Every key of the console: its binding's id, where it holds, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import isclass
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

from tui.resources import RESOURCES, names
from tui.screens.list_pane import list_pane
from tui.settings import Known
from tui.themes import NAMES

ROOMS = ("tui.widgets", "tui.screens", "tui")


@dataclass(frozen=True, slots=True)
class Key:
    """One binding.

    Attributes:
        scope: The class that has it; of a resource's actions the resource's name.
        keys: As they are written in a keymap, with commas.
    """

    scope: str
    id: str
    keys: str
    title: str
    tooltip: str


def all_keys() -> list[Key]:
    """Every binding of every part of the console, by scope and in its order."""
    found: list[Key] = []
    for class_ in sorted(_classes(), key=lambda each: (each.__module__, each.__name__)):
        found.extend(_of(class_, class_.__name__))
    for resource in RESOURCES:
        # A record's detail has the keys of its row.
        found.extend(_of(list_pane(resource.name), resource.name))
    return found


def _of(class_: type[DOMNode], scope: str) -> Iterator[Key]:
    for each in class_.__dict__.get("BINDINGS", ()):
        if isinstance(each, Binding):
            yield Key(scope, each.id or "", each.key, each.description, each.tooltip)
        else:
            yield Key(scope, "", each[0], each[-1] if len(each) > 2 else "", "")


def _classes() -> set[type[DOMNode]]:
    """Every class below :data:`ROOMS` that has bindings of its own."""
    return {
        class_
        for room in ROOMS
        for module in _modules(room)
        for class_ in vars(import_module(module)).values()
        if isclass(class_) and issubclass(class_, DOMNode)
        and class_.__module__ == module and class_.__dict__.get("BINDINGS")
    }  # fmt: skip


def _modules(room: str) -> list[str]:
    if room == "tui":
        return ["tui.app"]
    folder = Path(str(import_module(room).__file__)).parent
    return [
        ".".join((room, *path.relative_to(folder).with_suffix("").parts))
        for path in sorted(folder.rglob("*.py"))
        if path.stem != "__init__"
    ]


def known() -> Known:
    """What the settings may name. It imports every part of the console."""
    ids = {key.id for key in all_keys() if key.id}
    return Known(NAMES, ids, names())
