"""Which executions somebody has in a list, so that those are told as gone, and few others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# As ids: some 20 MB.
MOST_SHOWN = 200_000


class Shown:
    """The executions of one list; it knows none of what was told before it was made.

    Args:
        most: Beyond so many none of them is known any more.
    """

    def __init__(self, most: int = MOST_SHOWN) -> None:
        self._most = most
        self._ids: set[str] = set()
        self._all_known = False

    def begin(self) -> None:
        """The list is empty."""
        self._ids.clear()
        self._all_known = True

    def show(self, ids: Iterable[str]) -> None:
        """These are in the list now."""
        if self._all_known:
            self._ids.update(ids)
            if len(self._ids) > self._most:
                self._ids.clear()
                self._all_known = False

    def changed(self, ids: Sequence[str], kept: set[str]) -> list[str]:
        """Of those that changed, which are in the list no more; where that is not known, all."""
        gone = [each for each in ids if each not in kept]
        if self._all_known:
            gone = [each for each in gone if each in self._ids]
            self._ids.difference_update(gone)
        self.show(kept)
        return gone
