"""Where in JSON text the parts are that paths name, for editors to mark them."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from services.json_paths import step

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')
_OPENS = {"{": "}", "[": "]"}
# What nobody finds his way in anyway; a text may be unfinished or no JSON at all.
_DEEPEST = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text.

    Attributes:
        line: From 1.
        column: In characters, from 1.
    """

    line: int
    column: int


@dataclass(slots=True)
class _Container:
    """An object or an array that is open.

    Attributes:
        path: None where no path that is wanted leads into it.
        name: The key whose value is next.
        start: Where that key stands.
    """

    is_object: bool
    path: str | None
    index: int = 0
    name: str | None = None
    start: int = 0


def positions(text: str, paths: Collection[str]) -> dict[str, Position]:
    """By each of ``paths``, where the innermost part of it that is there begins.

    A member of an object begins with its key. The text is read as far as it can be.

    Args:
        text: JSON, perhaps unfinished.
        paths: As faults have them: ``tasks[2].decisionCases['a b'][0].name``; empty: the whole.
    """
    found = dict.fromkeys(paths, 0)
    depth = dict.fromkeys(paths, -1)
    for path, start in _parts(text, paths):
        for wanted in paths:
            if len(path) > depth[wanted] and _leads(path, wanted):
                found[wanted], depth[wanted] = start, len(path)
    begins = [0, *(match.end() for match in re.finditer("\n", text))]
    return {path: _position(begins, start) for path, start in found.items()}


def _position(begins: list[int], start: int) -> Position:
    line = bisect_right(begins, start)
    return Position(line, start - begins[line - 1] + 1)


def _parts(text: str, paths: Collection[str]) -> Iterator[tuple[str, int]]:
    """Paths of the parts on the way to ``paths``, and where they begin."""
    within: list[_Container] = []
    for token in _TOKEN.finditer(text):
        written, holder = token[0], within[-1] if within else None
        if written in ("}", "]"):
            if within:
                within.pop()
        elif written == ",":
            _next(holder)
        elif written == ":":
            continue
        elif holder is not None and holder.is_object and holder.name is None:
            holder.name, holder.start = _string(written), token.start()
        else:
            path, start = _place(holder, token.start())
            if path is not None and not any(_leads(path, wanted) for wanted in paths):
                path = None
            if path is not None:
                yield path, start
            if written in _OPENS:
                within.append(_Container(written == "{", path))
            if len(within) > _DEEPEST:
                return


def _next(holder: _Container | None) -> None:
    if holder is not None:
        holder.index += 1
        holder.name = None


def _place(holder: _Container | None, start: int) -> tuple[str | None, int]:
    """The path of a value in ``holder``, and where its member begins."""
    if holder is None:
        return "", start
    if holder.path is None:
        return None, start
    if holder.is_object:
        return (holder.path + step(holder.name or "")).removeprefix("."), holder.start
    return holder.path + step(holder.index), start


def _string(written: str) -> str:
    try:
        value = json.loads(written, strict=False)
    except ValueError:
        return written
    return value if isinstance(value, str) else written


def _leads(path: str, wanted: str) -> bool:
    """Whether ``wanted`` is ``path`` or within it."""
    if not wanted.startswith(path):
        return False
    return not path or len(wanted) == len(path) or wanted[len(path)] in ".["
