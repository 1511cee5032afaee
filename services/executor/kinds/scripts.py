"""What the scripts of a definition name: only that is sent to the script's process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from services.executor.core.model import Json
from services.executor.core.remembered import remembered

JAVASCRIPT = ("javascript", "graaljs")

# By name, what is used of a value; of one under which nothing stands, all.
Used: TypeAlias = dict[str, "Used"]

_DEEPEST = 8
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# Where a name goes on with other letters or an escape, it is another name.
_MEMBER = rf"\s*(?:\?\s*)?\.\s*{_NAME}(?![\w$\\]|[^\x00-\x7f])"
# ``$`` as a value of its own: neither a part of a longer name nor before one.
_USE = re.compile(rf"(?<![\w$])\$(?![\w$])((?:{_MEMBER}){{0,{_DEEPEST}}})")
_NAMES = re.compile(_NAME)
# Every object has these: they are about the object that they are asked of, as a whole.
_INHERITED = frozenset(
    (
        "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
        "__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
        "toLocaleString", "toString", "valueOf",
    )
)  # fmt: skip


@remembered(most=1024, longest=16 << 10)
def used(source: str) -> Used | None:
    """What ``source`` uses of ``$``; None: it uses ``$`` as a whole, too.

    ``$.output.body.id`` uses the ``id`` only; ``$.output[name]`` all of the ``output``.
    """
    use: Used = {}
    for found in _USE.finditer(source):
        path = _own(_NAMES.findall(found[1]))
        if not path:
            return None
        _add(use, path)
    return use


def picked(values: Mapping[str, Json], use: Used) -> dict[str, Json]:
    """``values`` without what is not in ``use``; a script that uses no more sees no difference."""
    found: dict[str, Json] = {}
    for name, within in use.items():
        if name in values:
            value = values[name]
            # A list's and a text's members are not names of JSON.
            found[name] = picked(value, within) if within and isinstance(value, dict) else value
    return found


def needed(source: str, values: Mapping[str, Json]) -> dict[str, Json]:
    """Those of ``values`` that ``source`` uses."""
    use = used(source)
    return dict(values) if use is None else picked(values, use)


def _own(path: list[str]) -> list[str]:
    """``path`` as far as its names are members of their own."""
    inherited = (index for index, name in enumerate(path) if name in _INHERITED)
    return path[: next(inherited, len(path))]


def _add(use: Used, path: list[str]) -> None:
    *way, last = path
    for name in way:
        if use.get(name) == {}:
            return
        use = use.setdefault(name, {})
    use[last] = {}
