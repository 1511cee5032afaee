"""An ordered part of a collection: what a filter keeps, by what it is sorted, kept up to date."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection as Many, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from tui.live.collection import Collection, Record

R = TypeVar("R", bound=Record)
Key = tuple[Any, ...]

# From here on it costs less to sort all than to find the place of each: so many, and such a share.
_MOST_ONE_BY_ONE = 2_000
_SHARE_ONE_BY_ONE = 4


class View(Generic[R]):
    """Ids of records in order. Changes gather until :meth:`refresh`; a paused view stays as it is.

    Attributes:
        version: Rises whenever the order or the choice of rows may have changed.
        chosen_anew: Whether another choice or order was asked for since the last refresh.
    """

    def __init__(self, collection: Collection[R]) -> None:
        self._collection = collection
        self._keeps: Callable[[R], bool] | None = None
        self._sort: Callable[[R], Any] = _by_id
        self._reverse = False
        self._keys: dict[str, Key] = {}
        self._order: list[Key] = []
        self._dirty: set[str] = set()
        self._all_dirty = True
        self.chosen_anew = False
        self._frozen: tuple[list[str], dict[str, R]] | None = None
        self.version = 0
        collection.listen(self._heard)

    def close(self) -> None:
        """Hear of no more changes."""
        self._collection.forget(self._heard)

    def turn_to(self, collection: Collection[R]) -> None:
        """Show another collection from now on."""
        self.close()
        self._collection = collection
        self._dirty.clear()
        self._all_dirty = self.chosen_anew = True
        collection.listen(self._heard)

    def _heard(self, ids: Many[str]) -> None:
        most = max(_MOST_ONE_BY_ONE, len(self._order) // _SHARE_ONE_BY_ONE)
        if len(self._dirty) + len(ids) > most:
            self._all_dirty = True
        elif not self._all_dirty:
            self._dirty.update(ids)

    def choose(self, keeps: Callable[[R], bool] | None) -> None:
        """Keep the records for which ``keeps`` holds; None: all."""
        self._keeps = keeps
        self._all_dirty = self.chosen_anew = True

    def sort(self, by: Callable[[R], Any], reverse: bool = False) -> None:
        """Order by ``by``, which gives values that can be compared, None last; then by id."""
        self._sort, self._reverse = by, reverse
        self._all_dirty = self.chosen_anew = True

    @property
    def changed(self) -> bool:
        """Whether :meth:`refresh` has something to do."""
        return bool(self._dirty) or self._all_dirty

    @property
    def pending(self) -> int:
        """How many records have come, changed or gone since the view was paused."""
        if self._frozen is None:
            return 0
        _, records = self._frozen
        now = self._collection.records
        gone = sum(id_ not in now for id_ in records)
        return gone + sum(records.get(id_) is not record for id_, record in now.items())

    @property
    def paused(self) -> bool:
        return self._frozen is not None

    def pause(self) -> None:
        """Show what is shown now until :meth:`resume`; what changes meanwhile is not lost."""
        self.refresh()
        self._frozen = (list(self._ids()), dict(self._collection.records))
        self.version += 1

    def resume(self) -> None:
        """Show what there is."""
        self._frozen = None
        self.version += 1

    def refresh(self) -> bool:
        """Bring the order up to date; whether anything had changed."""
        if not self.changed:
            return False
        if self._all_dirty:
            self._rebuild()
        else:
            for id_ in self._dirty:
                self._place(id_)
        self._dirty.clear()
        self._all_dirty = self.chosen_anew = False
        self.version += 1
        return True

    def _rebuild(self) -> None:
        records, keeps, key = self._collection.records, self._keeps, self._key
        self._keys = {
            id_: key(record) for id_, record in records.items() if keeps is None or keeps(record)
        }
        self._order = sorted(self._keys.values())

    def _place(self, id_: str) -> None:
        record = self._collection.records.get(id_)
        wanted = record is not None and (self._keeps is None or self._keeps(record))
        new = self._key(record) if wanted and record is not None else None
        old = self._keys.get(id_)
        if old == new:
            return
        if old is not None:
            del self._keys[id_]
            del self._order[bisect_left(self._order, old)]
        if new is not None:
            self._keys[id_] = new
            insort(self._order, new)

    def _key(self, record: R) -> Key:
        value = self._sort(record)
        if value is None:
            return (1, "", record.id)
        return (0, _Reversed(value) if self._reverse else value, record.id)

    def _ids(self) -> Iterator[str]:
        return (key[2] for key in self._order)

    # What is shown

    def __len__(self) -> int:
        return len(self._frozen[0]) if self._frozen is not None else len(self._order)

    def id_at(self, index: int) -> str:
        """The id in that row. Raises IndexError."""
        return self._frozen[0][index] if self._frozen is not None else self._order[index][2]

    def record(self, id_: str) -> R | None:
        """The record as it is shown."""
        if self._frozen is not None:
            return self._frozen[1].get(id_)
        return self._collection.records.get(id_)

    def at(self, index: int) -> R | None:
        """The record in that row. Raises IndexError."""
        return self.record(self.id_at(index))

    def index(self, id_: str) -> int | None:
        """In which row an id is; None: in none."""
        if self._frozen is not None:
            ids = self._frozen[0]
            return ids.index(id_) if id_ in self._frozen[1] and id_ in ids else None
        key = self._keys.get(id_)
        return None if key is None else bisect_left(self._order, key)

    def hidden(self, ids: Many[str]) -> int:
        """How many of ``ids`` are in no row."""
        rows: Many[str] = set(self._frozen[0]) if self._frozen is not None else self._keys
        return sum(id_ not in rows for id_ in ids)

    def ids(self) -> Sequence[str]:
        """All ids, in order."""
        return list(self._frozen[0]) if self._frozen is not None else list(self._ids())

    def all_records(self) -> Iterable[R]:
        """All records of the collection, in no order, whatever is chosen."""
        return self._collection.records.values()

    def shown(self) -> list[R]:
        """All records, in order."""
        found = (self.record(id_) for id_ in self.ids())
        return [record for record in found if record is not None]


class _Reversed:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def _by_id(record: Record) -> str:
    return record.id
