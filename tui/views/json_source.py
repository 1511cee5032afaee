"""What stands at the cursor of JSON text that is being written, and may be anything yet."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Literal

from tui.views.json_paths import Path

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')
_REST = re.compile(r'(?:[^"\\\n]|\\.)*')
_WORD = re.compile(r'[^\s{}\[\],:"]*')

Part = Literal["key", "value", "none"]


@dataclass(slots=True, eq=False)
class Container:
    """An object or list that was begun, and what of it was read.

    Attributes:
        is_object: Not a list.
        outer: What it is in.
        step: Its key or index there.
        scalars: Its plain members by key or index, as text.
        keys: All its keys so far.
        is_open: It had no end yet.
    """

    is_object: bool
    outer: Container | None
    step: str | int | None
    scalars: dict[str | int, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    is_open: bool = True
    _key: str | None = None
    _index: int = 0
    _has_colon: bool = False
    _is_full: bool = False

    def path(self) -> Path:
        """Where it is."""
        steps: list[str | int] = []
        each: Container | None = self
        while each is not None and each.step is not None:
            steps.append(each.step)
            each = each.outer
        return tuple(reversed(steps))

    def inner(self) -> str | int:
        """The step to the value that is next."""
        return (self._key or "") if self.is_object else self._index

    def expects(self) -> Part:
        """What may come next."""
        if self._is_full:
            return "none"
        if not self.is_object or self._has_colon:
            return "value"
        return "key" if self._key is None else "none"

    def read(self, written: str) -> None:
        """Take one token that opens and closes nothing."""
        if written == ",":
            self._index += 1
            self._key, self._has_colon, self._is_full = None, False, False
        elif written == ":":
            self._has_colon = self.is_object
        elif self.expects() == "key":
            self._key = plain(written)
            self.keys.append(self._key)
        else:
            self.scalars[self.inner()] = plain(written)
            self._is_full = True

    def begin(self, opening: str) -> Container:
        """A value of it that holds others."""
        self._is_full = True
        return Container(opening == "{", self, self.inner())


@dataclass(frozen=True, slots=True)
class Spot:
    """What the cursor is in.

    Attributes:
        path: Of the value, or of the object whose key is written.
        part: ``key``, ``value``, or ``none`` where neither may stand.
        written: What of it stands before the cursor, without quotes.
        start: Where that begins in the text, its opening quote included.
        end: Where all of it ends, behind the cursor perhaps, its closing quote included.
        is_quoted: There is an opening quote.
        holder: The object or list around it; None: it is in none.
        containers: Every object and list that begins before the cursor, in order.
    """

    path: Path
    part: Part
    written: str
    start: int
    end: int
    is_quoted: bool
    holder: Container | None
    containers: list[Container]


def spot_at(text: str, cursor: int) -> Spot:
    """What is written at ``cursor`` (a character's place, from 0) of JSON text."""
    begun, holder, start = _scan(text, cursor)
    written = text[start:cursor]
    quoted = written.startswith('"')
    part: Part = holder.expects() if holder else "value"
    path = holder.path() if holder else ()
    if holder is not None and part != "key":
        path = (*path, holder.inner())
    return Spot(
        path=path,
        part=part,
        written=written.removeprefix('"'),
        start=start,
        end=_end(text, cursor, quoted) if start < cursor else cursor,
        is_quoted=quoted,
        holder=holder,
        containers=begun,
    )


def containers(text: str) -> list[Container]:
    """Every object and list of ``text``, which may be unfinished, in the order they begin."""
    return _scan(text, len(text))[0]


def _scan(text: str, cursor: int) -> tuple[list[Container], Container | None, int]:
    """What begins before the cursor, what is open there, where what is written there begins."""
    begun: list[Container] = []
    holder: Container | None = None
    for token in _TOKEN.finditer(text, 0, cursor):
        written = token[0]
        if token.end() == cursor and _goes_on(written):
            return begun, holder, token.start()
        if written in ("{", "["):
            holder = holder.begin(written) if holder else Container(written == "{", None, None)
            begun.append(holder)
        elif written in ("}", "]"):
            if holder is not None:
                holder.is_open = False
                holder = holder.outer
        elif holder is not None:
            holder.read(written)
    return begun, holder, cursor


def _goes_on(written: str) -> bool:
    """Whether what ends at the cursor is still being written."""
    if written in "{}[],:":
        return False
    return not (written.startswith('"') and len(written) > 1 and _is_closed(written))


def _is_closed(written: str) -> bool:
    """Whether a string, which has more than its opening quote, has its closing one."""
    body = written[1:-1]
    slashes = len(body) - len(body.rstrip("\\"))
    return written.endswith('"') and slashes % 2 == 0


def _end(text: str, cursor: int, quoted: bool) -> int:
    found = (_REST if quoted else _WORD).match(text, cursor)
    end = found.end() if found else cursor
    return end + 1 if quoted and text[end : end + 1] == '"' else end


def plain(written: str) -> str:
    """What a key or a plain value says; the text itself where it is half-written."""
    try:
        value = json.loads(written, strict=False)
    except ValueError:
        return written.strip('"')
    return value if isinstance(value, str) else written
