"""Paths into a JSON document as people write, copy and type them."""

from __future__ import annotations

import re
from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list indexes from the outermost value inwards."""

# A lone ``$`` is the document.
_PLAIN = re.compile(r"(?!\$\Z)[A-Za-z_$][\w$-]*", re.ASCII)
_STEP = re.compile(
    r"""\.?\[(?P<index>\d{1,9})\]
      | \.?\[(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]
      | \.?(?P<name>[^.\[\]]+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def path_text(path: Path) -> str:
    """``output.items[3].sku``; empty for the whole document."""
    return "".join(map(_step, path)).removeprefix(".")


def expression(path: Path, root: str = "") -> str:
    """``${ref.output.items[3].sku}``, where ``root`` is e.g. ``ref``."""
    inner = "".join(map(_step, path))
    return f"${{{root + inner if root else inner.removeprefix('.')}}}"


def read_path(text: str) -> Path | None:
    """The path that ``text`` writes: dotted, ``$.…``, ``${…}`` or a JSON pointer; None: none.

    Digits between dots or slashes are text; :func:`nearest` takes them for an index in a list.
    """
    text = text.strip()
    if text.startswith("/"):
        parts = text[1:].split("/")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1].strip()
    if text in ("", "$"):
        return ()
    return _dotted(text[1:] if text.startswith(("$.", "$[")) else text)


def nearest(value: object, path: Path) -> Path:
    """The longest beginning of ``path`` that is there in ``value``."""
    found: list[str | int] = []
    for step in path:
        match value:
            case dict() if str(step) in value:
                found.append(str(step))
                value = value[str(step)]
            case list() if (place := _index(step)) is not None and place < len(value):
                found.append(place)
                value = value[place]
            case _:
                break
    return tuple(found)


def _dotted(text: str) -> Path | None:
    path: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return None
        if found["index"] is not None:
            path.append(int(found["index"]))
        elif found["quote"]:
            path.append(_ESCAPE.sub(r"\1", found["quoted"]))
        else:
            path.append(found["name"])
        position = found.end()
    return tuple(path)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN.fullmatch(step):
        return f".{step}"
    return "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"


def _index(step: str | int) -> int | None:
    if isinstance(step, int):
        return step
    return int(step) if re.fullmatch(r"\d{1,9}", step, re.ASCII) else None
