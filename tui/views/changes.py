"""What differs between two documents: by the paths of their fields, in a line, or as a diff."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tui.views.diffs import unified
from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from services.json_text import Json

# JSON lets these stand as they are; terminals take them for commands, or for the end of a line.
_COMMANDS = re.compile("[\x7f-\x9f\u2028\u2029]")
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_LONGEST_VALUE = 40
_MOST_NAMED = 3
_MOST_CHANGES = 1_000


class _Absent:
    """Stands where there is nothing; null is something."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs.

    Attributes:
        path: As an author writes it: ``routes[0].timeoutInSeconds``.
        before: :data:`ABSENT` if it is new.
        after: :data:`ABSENT` if it is gone.
    """

    path: str
    before: Json | _Absent
    after: Json | _Absent

    def __str__(self) -> str:
        if isinstance(self.before, _Absent):
            return f"{self.path} added"
        if isinstance(self.after, _Absent):
            return f"{self.path} removed"
        if _is_short(self.before) and _is_short(self.after):
            return f"{self.path} {_short(self.before)} → {_short(self.after)}"
        return f"{self.path} changed"

    def fields(self) -> dict[str, Any]:
        """As JSON: without what is absent."""
        both = {"before": self.before, "after": self.after}
        return {"path": self.path} | {k: v for k, v in both.items() if v is not ABSENT}


def changes(before: Json, after: Json) -> list[Change]:
    """What differs, the outermost field of each difference, in the order of the documents."""
    return list(islice(_changes("", before, after), _MOST_CHANGES))


def summary(found: Sequence[Change]) -> str:
    """``found`` in a line; empty if there is nothing."""
    named = "; ".join(map(str, found[:_MOST_NAMED]))
    more = len(found) - _MOST_NAMED
    return f"{named}; and {more} more" if more > 0 else named


def diff(before: Json | None, after: Json | None, names: tuple[str, str]) -> list[str]:
    """The lines of a unified diff of two documents as YAML; None is a document that is not there.

    Args:
        before: What is.
        after: What would be.
        names: Of the two, in the diff's head.
    """
    one, two = (
        yaml_text(each).splitlines() if each is not None else [] for each in (before, after)
    )
    return unified(one, two, names)


def _changes(path: str, before: Json | _Absent, after: Json | _Absent) -> Iterator[Change]:
    match before, after:
        case dict(), dict():
            for key in dict.fromkeys((*before, *after)):
                inner = f"{path}{_step(key)}"
                yield from _changes(inner, before.get(key, ABSENT), after.get(key, ABSENT))
        case list(), list():
            yield from _list_changes(path, before, after)
        case _ if not same(before, after):
            yield Change(path.removeprefix("."), before, after)


def _list_changes(path: str, before: list[Json], after: list[Json]) -> Iterator[Change]:
    """Item by item between equal beginnings and ends, then what is over on one side."""
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    for place in range(max(len(old), len(new))):
        was = old[place] if place < len(old) else ABSENT
        now = new[place] if place < len(new) else ABSENT
        yield from _changes(f"{path}[{head + place}]", was, now)


def same(one: object, other: object) -> bool:
    """Whether two values say the same; 1 and true differ, the order of keys says nothing."""
    if isinstance(one, _Absent) or isinstance(other, _Absent):
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _alike(one: Sequence[Any], two: Sequence[Any]) -> int:
    """How many items are the same from the beginning."""
    count = 0
    for a, b in zip(one, two, strict=False):
        if not same(a, b):
            break
        count += 1
    return count


def _step(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return f".{key}"
    return f"[{_short(key)}]"


def _is_short(value: Json | _Absent) -> bool:
    return not isinstance(value, (dict, list, _Absent)) and len(_short(value)) <= _LONGEST_VALUE


def _short(value: Json | _Absent) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
