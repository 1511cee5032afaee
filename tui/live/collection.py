"""Records of one kind by id, as a stream tells of them, and who wants to know what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection as Many, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar


class Record(Protocol):
    """What a row is of: an immutable value. A change is another value under the same id."""

    @property
    def id(self) -> str:
        """Unique in its collection; what cursors and marks hold on to."""
        ...


R = TypeVar("R", bound=Record)
Listener = Callable[[Many[str]], None]


class Collection(Generic[R]):
    """Records by id. One loop changes it; a view of it hears which ids changed.

    Attributes:
        records: Read it, never change it.
        dropped: How many were let go of because there were too many (see ``most``).
        place: Where the stream left off, as the service said it: it goes on from there.
        facts: What the stream tells of the whole, by name.
    """

    def __init__(self, most: int = 100_000) -> None:
        """Hold ``most`` records; those put first go first."""
        self.records: dict[str, R] = {}
        self.dropped = 0
        self.place: Any = None
        self.facts: dict[str, Any] = {}
        self._most = most
        self._listeners: list[Listener] = []
        self._told: set[str] | None = None

    def __len__(self) -> int:
        return len(self.records)

    @property
    def in_snapshot(self) -> bool:
        """Whether a snapshot is being taken in."""
        return self._told is not None

    def get(self, id_: str) -> R | None:
        """The record, or None."""
        return self.records.get(id_)

    def put(self, records: Iterable[R]) -> None:
        """Take in new and changed records."""
        ids: list[str] = []
        for record in records:
            self.records[record.id] = record
            ids.append(record.id)
        if self._told is not None:
            self._told.update(ids)
        self._let_go(ids)
        self._tell(ids)

    def drop(self, ids: Iterable[str]) -> None:
        """Forget records; those that are not there are no matter."""
        gone = [id_ for id_ in ids if self.records.pop(id_, None) is not None]
        self._tell(gone)

    def begin_snapshot(self) -> None:
        """What is not put from here to :meth:`end_snapshot` is no longer there.

        Until then it stays, so that a break of the stream empties no screen.
        """
        self._told = set()

    def end_snapshot(self) -> None:
        """The snapshot is complete."""
        if self._told is None:
            return
        told, self._told = self._told, None
        self.drop([id_ for id_ in self.records if id_ not in told])

    def replace(self, records: Mapping[str, R]) -> None:
        """All that there is, where a source can tell no changes: equal records do not change."""
        self.drop([id_ for id_ in self.records if id_ not in records])
        self.put([record for id_, record in records.items() if self.records.get(id_) != record])

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Within, ``listener`` is called with the ids that changed."""
        self.listen(listener)
        try:
            yield
        finally:
            self.forget(listener)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with the ids that changed, from now on."""
        self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Call ``listener`` no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _tell(self, ids: Many[str]) -> None:
        if ids:
            for listener in tuple(self._listeners):
                listener(ids)

    def _let_go(self, just_put: list[str]) -> None:
        surplus = len(self.records) - self._most
        if surplus <= 0:
            return
        self.dropped += surplus
        oldest = iter(self.records)
        gone = [next(oldest) for _ in range(surplus)]
        for id_ in gone:
            del self.records[id_]
        just_put.extend(gone)
