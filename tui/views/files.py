"""Which file a definition has in an exported folder, and what stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from services.json_text import Json

# ``(kind, name, version)``; version 0 for kinds that have none.
Key: TypeAlias = "tuple[str, str, int]"

# Each has a folder of its name.
KINDS = (
    "application", "auth", "event", "schedule", "schema", "secret", "service", "task", "webhook",
    "workflow",
)  # fmt: skip
SUFFIX = ".yaml"
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
# A name on a file system has 255 bytes, and others write their own endings to it.
_LONGEST = 180
_DIGITS = 16


def paths(keys: Iterable[Key]) -> dict[Key, str]:
    """The file of each definition, below the folder: ``service/orders.yaml``.

    Two names that differ in their case only get a mark each: not every file system tells them
    apart.
    """
    plain = {key: path(*key) for key in keys}
    often = Counter(each.casefold() for each in plain.values())
    return {
        key: each if often[each.casefold()] == 1 else _marked(each.removesuffix(SUFFIX), key)
        for key, each in plain.items()
    }


def path(kind: str, name: str, version: int) -> str:
    """The file of a definition: letters, digits and ``_ . -`` as they are, others as ``%XX``.

    No two definitions have the same; no path leads out of the folder of its kind or is hidden.
    """
    escaped = "".join(_escaped(byte, first=not place) for place, byte in enumerate(name.encode()))
    tail = f".v{version}" if version else ""
    if len(escaped) > _LONGEST:
        return _marked(f"{kind}/{escaped[:_LONGEST]}{tail}", (kind, name, version))
    return f"{kind}/{escaped}{tail}{SUFFIX}"


def exported(document: dict[str, Json]) -> dict[str, Json]:
    """A document as it is read back, without what the registry keeps of its keys."""
    if document.get("kind") != "auth":
        return document
    return {name: value for name, value in document.items() if name != "knownKeys"}


def text(document: dict[str, Json]) -> str:
    """What stands in the file."""
    return yaml_text(exported(document))


def _escaped(byte: int, *, first: bool) -> str:
    character = chr(byte)
    if character in _SAFE and not (first and character == "."):
        return character
    return f"%{byte:02X}"


def _marked(path: str, key: Key) -> str:
    # "~" is in no name as it is.
    return f"{path}~{sha256(repr(key).encode()).hexdigest()[:_DIGITS]}{SUFFIX}"
