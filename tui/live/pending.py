"""What was asked for and is not yet so: shown until the stream says how it is now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

# A call that was answered and changed nothing leaves its mark no longer than that.
LINGERING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Mark:
    word: str
    state: Any
    done_at: float | None = None


class Pending:
    """Marks by resource and id. ``now`` is on the monotonic clock."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], _Mark] = {}

    def __len__(self) -> int:
        return len(self._marks)

    def sent(
        self, resource: str, word: str, records: Sequence[Any], state: Callable[[Any], Any]
    ) -> None:
        """Something was asked for ``records``, which stand at ``state`` now."""
        for record in records:
            self._marks[resource, record.id] = _Mark(word, state(record))

    def answered(self, resource: str, id_: str, ok: bool, now: float) -> None:
        """The call for one of them was answered."""
        mark = self._marks.get((resource, id_))
        if mark is not None and ok:
            self._marks[resource, id_] = replace(mark, done_at=now)
        elif mark is not None:
            del self._marks[resource, id_]

    def over(self, resource: str, ids: Sequence[str], now: float) -> None:
        """The call has ended: those that it said nothing of were not done."""
        # Whoever is not in sight is not asked for: marks of before would be held for good.
        self._marks = {key: mark for key, mark in self._marks.items() if not _is_old(mark, now)}
        for id_ in ids:
            mark = self._marks.get((resource, id_))
            if mark is not None and mark.done_at is None:
                del self._marks[resource, id_]

    def word(self, resource: str, id_: str, state: Any, now: float) -> str:
        """What is being done to a record that stands at ``state``; empty: nothing."""
        mark = self._marks.get((resource, id_))
        if mark is None:
            return ""
        if _is_old(mark, now) or state != mark.state:
            del self._marks[resource, id_]
            return ""
        return mark.word


def _is_old(mark: _Mark, now: float) -> bool:
    return mark.done_at is not None and now - mark.done_at > LINGERING_SECONDS
