"""Values within JSON documents by their path: read, put, taken out, moved. Documents are values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from services.json_paths import step
from services.json_text import Json

Path: TypeAlias = tuple[str | int, ...]


class Missing:
    """What stands where there is no value; null is one."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

_WRITTEN = re.compile(r"\.?([A-Za-z_$][\w$-]*)|\[([0-9]{1,9})\]|\['((?:[^'\\]|\\.)*)'\]", re.ASCII)


def value_at(document: Json, path: Path) -> Json | Missing:
    """What stands at ``path``; :data:`MISSING` where nothing does."""
    value = document
    for each in path:
        match value, each:
            case dict(), str() if each in value:
                value = value[each]
            case list(), int() if 0 <= each < len(value):
                value = value[each]
            case _:
                return MISSING
    return value


def with_value(document: Json, path: Path, value: Json) -> Json:
    """``document`` with ``value`` at ``path``; objects and lists on the way are made.

    What stands on the way and is neither an object nor a list is replaced. An index behind the end
    of a list appends.
    """
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        items = list(document) if isinstance(document, list) else []
        if first < len(items):
            items[first] = with_value(items[first], rest, value)
        else:
            items.append(with_value(None, rest, value))
        return items
    members = dict(document) if isinstance(document, dict) else {}
    members[first] = with_value(members.get(first), rest, value)
    return members


def without_value(document: Json, path: Path) -> Json:
    """``document`` without what stands at ``path``, nor objects that are empty by that."""
    if not path:
        return {}
    if value_at(document, path) is MISSING:
        return document
    inner = value_at(document, path[:-1])
    if isinstance(inner, list):
        return with_value(
            document, path[:-1], [*inner[: int(path[-1])], *inner[int(path[-1]) + 1 :]]
        )
    if not isinstance(inner, dict):
        return document
    left = {name: value for name, value in inner.items() if name != path[-1]}
    # An item of a list stays an item, and the whole stays a document.
    if left or len(path) == 1 or isinstance(path[-2], int):
        return with_value(document, path[:-1], left)
    return without_value(document, path[:-1])


def with_item(document: Json, path: Path, index: int, item: Json) -> Json:
    """``document`` with ``item`` put into the list at ``path``, before that of ``index``."""
    items = value_at(document, path)
    known = items if isinstance(items, list) else []
    return with_value(document, path, [*known[:index], item, *known[index:]])


def moved(document: Json, path: Path, by: int) -> tuple[Json, Path]:
    """``document`` with the item at ``path`` moved within its list, and where it is then."""
    items = value_at(document, path[:-1])
    index = path[-1]
    if not isinstance(items, list) or not isinstance(index, int):
        return document, path
    to = min(max(index + by, 0), len(items) - 1)
    others = [*items[:index], *items[index + 1 :]]
    ordered = [*others[:to], items[index], *others[to:]]
    return with_value(document, path[:-1], ordered), (*path[:-1], to)


def written(path: Path) -> str:
    """``routes[2].path``."""
    return "".join(map(step, path)).removeprefix(".")


def read_path(text: str) -> Path:
    """A path as faults write it, ``routes[2].path``, or a JSON Pointer, ``/routes/2/path``.

    What cannot be read ends it: the path is then that of what is around.
    """
    if text.startswith("/"):
        names = [each.replace("~1", "/").replace("~0", "~") for each in text[1:].split("/")]
        return tuple(int(each) if each.isdecimal() and len(each) < 9 else each for each in names)
    found: list[str | int] = []
    position = 0
    while match := _WRITTEN.match(text, position):
        name, index, quoted = match.groups()
        found.append(int(index) if index else name or quoted.replace("\\'", "'"))
        position = match.end()
    return tuple(found)


def nearest(path: Path, known: Sequence[Path]) -> Path:
    """The longest of ``known`` that ``path`` begins with; the empty one where none does."""
    begins = (each for each in known if path[: len(each)] == each)
    return max(begins, key=len, default=())
