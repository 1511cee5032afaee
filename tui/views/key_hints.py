"""Which keys a line has room for: those that do something now, the way to all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

GAP = 2


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key and what it does.

    Attributes:
        key: As it is sent; ``shown`` as it is written.
        enabled: Whether it does something at this moment.
        stays: Whether it is shown where there is no room for all.
    """

    key: str
    shown: str
    title: str
    enabled: bool = True
    stays: bool = False

    @property
    def width(self) -> int:
        """In cells, with the gap behind it."""
        return cell_len(self.shown) + 1 + cell_len(self.title) + GAP


def fit(hints: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """Those that ``width`` cells have room for.

    What can be done now comes first and goes last; at the end is what stays.
    """
    room = width + GAP - sum(hint.width for hint in hints if hint.stays)
    chosen = {id(hint) for hint in hints if hint.stays}
    for hint in sorted((each for each in hints if not each.stays), key=lambda each: -each.enabled):
        if hint.width <= room:
            room -= hint.width
            chosen.add(id(hint))
    kept = (hint for hint in hints if id(hint) in chosen)
    return sorted(kept, key=lambda each: (each.stays, not each.enabled))
