"""Every key of the console: its binding's id, where it holds, and what it does.

    python -m tui.bindings [FILE]

writes them as a page of the manual, ``docs/console-keys.md`` if none is named.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode

from tui.resources import RESOURCES, names
from tui.resources.keys import KeyRow
from tui.resources.model import Action
from tui.screens.list_pane import list_pane
from tui.settings import Known
from tui.settings.keymaps import PRESETS
from tui.themes import NAMES
from tui.views.confirmation import FEW, asks, types

_INTRODUCTION = """\
# Keys of the console

Written by `python -m tui.bindings` from the keys themselves. `[keys]` of
[the settings](console.md#settings) gives others to an id. The parts are those that have the focus;
what is under *Everywhere* holds in all of them, the keys of a noun in its list and in its records.
"""

_KEYMAPS = """
## Keymaps

`keymap = "vim"` in [the settings](console.md#settings) gives these ids other keys; `[keys]` goes
before it.

| keymap | id | keys |
|---|---|---|
"""

_ASKED = f"""
## What is asked before it is done

*done*: at once. *asked*: what it will come to is shown, with Cancel in focus. *typed*: so, and how
many they are is typed before, in a protected context its name. Several are what was marked.

| action | one | 2 to {FEW} | more | one where protected | many where protected |
|---|---|---|---|---|---|
"""
_NEVER_SO = "-"

# Where the name of a class says too little of where its keys hold.
_SCOPES = {
    "Console": "Everywhere",
    "ConsoleScreen": "Everywhere, around all places",
    "AskScreen": "A question",
    "ConfirmScreen": "A question before something is done",
    "SaveScreen": "Saving",
    "OnceScreen": "A new key, shown once",
    "OtherScreen": "What to compare with",
    "ListPane": "Lists",
    "LiveTable": "Rows of lists",
    "DetailPane": "Records",
    "FormPane": "Form of a definition",
    "LineScreen": "One line, to be written",
    "LinePane": "Long texts",
    "JsonView": "JSON view",
    "ApiKeysTab": "Keys of an auth",
    "AccessKeysTab": "Access keys of an application",
    "OpenApiTab": "OpenAPI tab",
    "ExecutionTab": "Executions: every tab",
    "TimelineTab": "Executions: timeline",
    "DiffTab": "Executions: diff",
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+")

ROOMS = ("tui.widgets", "tui.screens", "tui")


@dataclass(frozen=True, slots=True)
class Key:
    """One binding.

    Attributes:
        scope: Which part of the console has it, in words; of a resource's actions its name.
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
        found.extend(_of(class_, scope_of(class_.__name__)))
    for resource in RESOURCES:
        # A record's detail has the keys of its row.
        found.extend(_of(list_pane(resource.name), resource.name))
    return found


def scope_of(name: str) -> str:
    """The name of a class as words: ``Timeline tab``."""
    if name in _SCOPES:
        return _SCOPES[name]
    words: list[str] = _WORDS.findall(name)
    if words[-1] in ("Screen", "Pane") and len(words) > 1:
        words.pop()
    kept = [word if word.isupper() else word.lower() for word in words]
    return kept[0][0].upper() + " ".join(kept)[1:]


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


def table() -> str:
    """docs/console-keys.md."""
    parts = [_INTRODUCTION]
    scope = ""
    for key in all_keys():
        if key.scope != scope:
            scope = key.scope
            parts.append(f"\n## {scope}\n\n| keys | does | id |\n|---|---|---|\n")
        keys = " ".join(f"`{each.strip()}`" for each in key.keys.split(","))
        parts.append(f"| {keys} | {key.tooltip or key.title} | `{key.id}` |\n")
    return "".join([*parts, *_keymaps(), _ASKED, *map(_asked, all_actions())])


def _keymaps() -> Iterator[str]:
    yield _KEYMAPS
    for preset, keys in PRESETS.items():
        for id_, written in keys.items():
            shown = " ".join(f"`{each}`" for each in written.split(","))
            yield f"| `{preset}` | `{id_}` | {shown} |\n"


def all_actions() -> list[Action[Any]]:
    """Everything that is done to records, by id."""
    found = {each.id: each for resource in RESOURCES for each in resource.actions}
    for module in _modules("tui.resources"):
        for value in vars(import_module(module)).values():
            if isinstance(value, Action):
                found[value.id] = value
    return [found[id_] for id_ in sorted(found)]


def _asked(action: Action[Any]) -> str:
    """The row of an action: what stands before one, several and many, and where it is protected."""
    cases = ((1, False), (2, False), (FEW + 1, False), (1, True), (FEW + 1, True))
    cells = [
        _NEVER_SO if count > 1 and not action.many else _before(action, count, protected)
        for count, protected in cases
    ]
    return f"| `{action.id}` | {' | '.join(cells)} |\n"


def _before(action: Action[Any], count: int, protected: bool) -> str:
    if types(action.danger, count, protected):
        return "typed"
    return "asked" if action.questions or asks(action.danger, count, protected) else "done"


def rows(keymap: Mapping[str, str]) -> list[KeyRow]:
    """Every binding as a row, with the keys that it has by ``keymap``."""
    found: dict[str, KeyRow] = {}
    for key in all_keys():
        keys = keymap.get(key.id, key.keys)
        if key.id in found and keys not in found[key.id].keys.split(","):
            keys = f"{found[key.id].keys},{keys}"
        found[key.id] = KeyRow(key.id, keys, key.scope, key.tooltip or key.title)
    return list(found.values())


def known() -> Known:
    """What the settings may name. It imports every part of the console."""
    ids = {key.id for key in all_keys() if key.id}
    return Known(NAMES, ids, names())


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/console-keys.md").write_text(table(), "utf-8")
