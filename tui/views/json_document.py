"""A JSON document as rows that fold, are searched and have paths: what the viewer shows of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from tui.views.json_lines import Shape, json_line, most_cells
from tui.views.json_paths import Path, nearest
from tui.views.json_tree import (
    Branch,
    Row,
    carried,
    holds,
    index_of,
    path_of,
    row_at,
    spread,
)
from tui.views.json_values import Number, Value
from tui.views.lines import MOST_MATCHES, Line, matcher


class Match(NamedTuple):
    """A key or value that holds what was searched; ``order`` compares places in the document."""

    order: tuple[int, ...]
    path: Path


class JsonDocument:
    """What is unfolded of ``value``, which is never changed.

    All is unfolded at first, or the outer levels of a document that has too many to count.
    """

    def __init__(self, value: Value, *, ascii_only: bool = False) -> None:
        self.value = value
        self._ascii = ascii_only
        self._root = Branch(value) if holds(value) else None
        if self._root is not None:
            spread(self._root, None)

    def __len__(self) -> int:
        return self._root.rows if self._root is not None else 1

    def line(self, index: int) -> Line:
        """The row as text."""
        return json_line(self._shape(index), ascii_only=self._ascii)

    def most_cells(self, index: int) -> int:
        return most_cells(self._shape(index))

    def path(self, index: int) -> Path:
        """Where the value of a row is."""
        row = self.row(index)
        return path_of(row.branch, row.place)

    def value_at(self, index: int) -> Value:
        """The value of a row, of its last row too."""
        row = self.row(index)
        return self.value if row.branch is None else row.branch.member(row.place)

    def row(self, index: int) -> Row:
        """What is on a row."""
        if self._root is None:
            return Row(None, 0, 0, None)
        return row_at(self._root, index)

    def toggle(self, index: int) -> int:
        """Fold or unfold the value of a row, or fold what it is in; the row to go on from."""
        row = self.row(index)
        branch, place = row.branch, row.place
        if branch is not None and not holds(branch.member(place)):
            if branch.outer is None:
                return index
            branch, place = branch.outer, branch.place
        if branch is None:
            self._toggle_all()
            return 0
        if place in branch.inner:
            branch.fold(place)
        else:
            branch.unfold(place)
        return index_of(branch, place)

    def toggle_siblings(self, index: int) -> int:
        """Fold everything beside a row's value, and itself, or unfold it; the row to go on from."""
        row = self.row(index)
        branch, place = row.branch, row.place
        if branch is None:
            return self.toggle(index)
        foldable = holds(branch.member(place))
        if place in branch.inner if foldable else branch.inner:
            for each in list(branch.inner):
                branch.fold(each)
        else:
            spread(branch, 1)
        return index_of(branch, place)

    def fold_to(self, level: int, index: int = 0) -> int:
        """Show the outer ``level`` levels only; where the value of the row ``index`` went."""
        path = self.path(index)
        if self._root is not None:
            self._root = Branch(self.value)
            spread(self._root, level - 1)
        return self.index(path)

    def index(self, path: Path) -> int:
        """The row on which ``path``, or what of it is there and unfolded, begins."""
        branch, place = self._at(path, unfold=False)
        return index_of(branch, place)

    def reveal(self, path: Path) -> int:
        """As :meth:`index`, having unfolded what hid it."""
        branch, place = self._at(path, unfold=True)
        return index_of(branch, place)

    def carry(self, old: JsonDocument) -> None:
        """Fold as ``old``, an earlier state of this document, is folded; by path."""
        if self._root is None or old._root is None:
            return
        if isinstance(self.value, dict) is isinstance(old.value, dict):
            self._root = Branch(self.value)
            carried(old._root, self._root)

    def order(self, index: int) -> tuple[int, ...]:
        """How a row's value compares with a :class:`Match`."""
        row = self.row(index)
        places: list[int] = []
        branch, place = row.branch, row.place
        while branch is not None:
            places.append(place)
            place, branch = branch.place, branch.outer
        return tuple(reversed(places))

    def _toggle_all(self) -> None:
        """The document itself stays open: what is in it is folded, or unfolded again."""
        root = self._root
        if root is None:
            return
        if root.inner:
            for place in list(root.inner):
                root.fold(place)
        else:
            spread(root, None)

    def _shape(self, index: int) -> Shape:
        row = self.row(index)
        state = "end" if row.is_end else "unfolded" if row.unfolded is not None else ""
        if row.branch is None:
            return Shape(self.value, None, 0, state or "plain", is_last=True)
        branch = row.branch
        key = branch.keys()[row.place]
        value = branch.member(row.place)
        return Shape(
            value,
            key if isinstance(key, str) else None,
            row.depth,
            state or ("folded" if holds(value) else "plain"),
            is_last=row.place == len(branch.value) - 1,
        )

    def _at(self, path: Path, *, unfold: bool) -> tuple[Branch | None, int]:
        """The member on whose row ``path`` is to be found."""
        steps = nearest(self.value, path)
        outer, place, branch = None, 0, self._root
        for depth, step in enumerate(steps, 1):
            if branch is None:
                break
            outer, place = branch, branch.place_of(step)
            branch = outer.inner.get(place)
            if branch is None and unfold and depth < len(steps):
                branch = outer.unfold(place)
        return outer, place


class JsonSearch:
    """Every key and value that holds ``wanted``, in the order of the document.

    Attributes:
        wanted: What was searched.
        count: How many there are, at most :data:`MOST_MATCHES`.
    """

    def __init__(self, document: JsonDocument, wanted: str) -> None:
        self._document = document
        self.wanted = wanted
        self._matches = find(document.value, wanted) if wanted else []
        self.count = len(self._matches)

    def after(self, row: int) -> int:
        """Which match comes next; the first of all behind the last. There is at least one."""
        order = self._document.order(row)
        return bisect_right(self._matches, order, key=lambda match: match.order) % self.count

    def before(self, row: int) -> int:
        """Which match came last; the last of all before the first."""
        order = self._document.order(row)
        return (bisect_left(self._matches, order, key=lambda match: match.order) - 1) % self.count

    def at(self, row: int) -> int:
        """The match on this row, or the next one."""
        order = self._document.order(row)
        return bisect_left(self._matches, order, key=lambda match: match.order) % self.count

    def line(self, place: int) -> int:
        """The row of a match, unfolded."""
        return self._document.reveal(self._matches[place].path)


def find(value: Value, wanted: str) -> list[Match]:
    """Every key and plain value in ``value`` that holds ``wanted``; at most MOST_MATCHES."""
    test = matcher(wanted)
    if not holds(value):
        return [Match((), ())] if test(_searched(value)) else []
    found: list[Match] = []
    trail: list[tuple[Path, tuple[int, ...], Iterator[tuple[int, str | int, Value]]]]
    trail = [((), (), _members(value))]
    while trail and len(found) < MOST_MATCHES:
        path, order, rest = trail[-1]
        for place, key, item in rest:
            inner = isinstance(item, (dict, list))
            if (isinstance(key, str) and test(key)) or (not inner and test(_searched(item))):
                found.append(Match((*order, place), (*path, key)))
                if len(found) >= MOST_MATCHES:
                    break
            if inner and item:
                trail.append(((*path, key), (*order, place), _members(item)))
                break
        else:
            trail.pop()
    return found


def _members(value: Value) -> Iterator[tuple[int, str | int, Value]]:
    if isinstance(value, list):
        return ((place, place, item) for place, item in enumerate(value))
    return ((place, key, item) for place, (key, item) in enumerate(value.items()))


def _searched(value: Value) -> str:
    """A plain value as it is looked for."""
    if isinstance(value, str):
        return value
    if isinstance(value, Number):
        return value.written
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
