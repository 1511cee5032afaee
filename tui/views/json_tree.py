"""What of a JSON value is unfolded, and which row shows what: counted, never listed.

Only unfolded objects and lists are kept, each with how many rows it takes: a row is found by
descending, so that a list of a million numbers costs nothing until it is looked at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from tui.views.json_paths import Path
from tui.views.json_values import Value

# Unfolding stops here: what is deeper stays folded until it is asked for.
MOST_UNFOLDED = 50_000


def holds(value: Value) -> bool:
    """Whether there is something to unfold."""
    return isinstance(value, (dict, list)) and bool(value)


class Branch:
    """One unfolded object or list.

    Attributes:
        value: Itself; never empty.
        outer: What it is in; None: it is the document.
        place: Which of the outer's members it is, from 0.
        rows: How many rows it takes, its first and its last with them.
        inner: Its unfolded members by place.
    """

    __slots__ = ("_keys", "_places", "_starts", "inner", "outer", "place", "rows", "value")

    def __init__(self, value: Value, outer: Branch | None = None, place: int = 0) -> None:
        self.value = value
        self.outer = outer
        self.place = place
        self.rows = len(value) + 2
        self.inner: dict[int, Branch] = {}
        self._keys: Sequence[str] | None = None
        self._places: list[int] | None = None
        self._starts: list[int] = []

    def keys(self) -> Sequence[str | int]:
        """Its members' keys, or indexes."""
        if isinstance(self.value, list):
            return range(len(self.value))
        if self._keys is None:
            self._keys = list(self.value)
        return self._keys

    def member(self, place: int) -> Value:
        """The member of that place."""
        return self.value[self.keys()[place]]

    def place_of(self, key: str | int) -> int:
        """Which of its members ``key`` names; it is one of them."""
        return key if isinstance(key, int) else self.keys().index(key)

    def containers(self) -> Iterable[tuple[int, Value]]:
        """Its members that could be unfolded."""
        values = self.value.values() if isinstance(self.value, dict) else self.value
        return ((place, each) for place, each in enumerate(values) if holds(each))

    def unfold(self, place: int) -> Branch:
        """Its member of ``place``, unfolded; as it is if it was already."""
        known = self.inner.get(place)
        if known is None:
            known = self.inner[place] = Branch(self.member(place), self, place)
            self.grown(known.rows - 1)
        return known

    def fold(self, place: int) -> None:
        """Fold its member of ``place``, and forget what was unfolded in it."""
        folded = self.inner.pop(place, None)
        if folded is not None:
            self.grown(1 - folded.rows)

    def grown(self, rows: int) -> None:
        """Count ``rows`` more, here and outwards."""
        branch: Branch | None = self
        while branch is not None:
            branch.rows += rows
            branch._places = None
            branch = branch.outer

    def at(self, row: int) -> tuple[int, int]:
        """The member that takes ``row`` (from 0, the first member's), and its row there."""
        places, starts = self._positions()
        before = bisect_right(starts, row) - 1
        if before < 0:
            return row, 0
        place = places[before]
        within = row - starts[before]
        if within < self.inner[place].rows:
            return place, within
        return place + 1 + within - self.inner[place].rows, 0

    def start(self, place: int) -> int:
        """The first row of a member, as :meth:`at` counts."""
        places, starts = self._positions()
        before = bisect_right(places, place - 1) - 1
        if before < 0:
            return place
        last = places[before]
        return starts[before] + self.inner[last].rows + place - last - 1

    def _positions(self) -> tuple[list[int], list[int]]:
        """The places of what is unfolded, and the first row of each."""
        if self._places is None:
            self._places = sorted(self.inner)
            extra = accumulate((self.inner[each].rows - 1 for each in self._places), initial=0)
            self._starts = [place + more for place, more in zip(self._places, extra, strict=False)]
        return self._places, self._starts


class Row(NamedTuple):
    """What a row shows.

    Attributes:
        branch: What it is in; None: it is the document's first row, or all of it.
        place: Which member.
        depth: How far it is indented.
        unfolded: The member's branch; None: it is folded, or cannot be unfolded.
        is_end: It is the closing row of ``unfolded``.
    """

    branch: Branch | None
    place: int
    depth: int
    unfolded: Branch | None
    is_end: bool = False


def row_at(root: Branch, index: int) -> Row:
    """The row ``index`` of a document; ``0 <= index < root.rows``."""
    branch, outer, depth = root, None, 0
    while True:
        if index == 0:
            return Row(outer, branch.place, depth, branch)
        if index == branch.rows - 1:
            return Row(outer, branch.place, depth, branch, is_end=True)
        place, index = branch.at(index - 1)
        depth += 1
        inner = branch.inner.get(place)
        if inner is None:
            return Row(branch, place, depth, None)
        outer, branch = branch, inner


def index_of(branch: Branch | None, place: int) -> int:
    """The row on which the member of ``place`` begins."""
    index = 0
    while branch is not None:
        index += 1 + branch.start(place)
        place, branch = branch.place, branch.outer
    return index


def path_of(branch: Branch | None, place: int) -> Path:
    """Where the member of ``place`` is."""
    steps: list[str | int] = []
    while branch is not None:
        steps.append(branch.keys()[place])
        place, branch = branch.place, branch.outer
    return tuple(reversed(steps))


def spread(branch: Branch, deepest: int | None, room: int = MOST_UNFOLDED) -> int:
    """Unfold what is in ``branch`` level by level.

    Args:
        branch: Whose members are unfolded.
        deepest: How many levels; None: all.
        room: How many objects and lists at most.

    Returns:
        The room that is left; negative if there was too little.
    """
    level, depth = [branch], 0
    while level and (deepest is None or depth < deepest):
        below: list[Branch] = []
        for each in level:
            if not _opened(each, below, room):
                return -1
        room -= len(below)
        level, depth = below, depth + 1
    return room


def _opened(branch: Branch, opened: list[Branch], room: int) -> bool:
    """Unfold the members of ``branch`` into ``opened``; False: that would be more than ``room``."""
    rows = 0
    for place, value in branch.containers():
        if len(opened) >= room:
            break
        inner = branch.inner.get(place)
        if inner is None:
            inner = branch.inner[place] = Branch(value, branch, place)
            rows += inner.rows - 1
        opened.append(inner)
    else:
        branch.grown(rows)
        return True
    branch.grown(rows)
    return False


def carried(old: Branch, new: Branch) -> None:
    """Unfold in ``new`` what is unfolded in ``old``, and what is new, both by path."""
    pairs, room = [(old, new)], MOST_UNFOLDED
    while pairs and room > 0:
        before, after = pairs.pop()
        places = {key: place for place, key in enumerate(before.keys())}
        keys = after.keys()
        for place, _ in after.containers():
            known = places.get(keys[place])
            was = before.inner.get(known) if known is not None else None
            if room > 0 and was is not None:
                room -= 1
                pairs.append((was, after.unfold(place)))
            elif room > 0 and (known is None or not holds(before.member(known))):
                room = spread(after.unfold(place), None, room - 1)
