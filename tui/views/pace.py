"""How often a list is painted: the more changes at a time, the less often, for the line's sake."""

from __future__ import annotations

from dataclasses import dataclass

# A terminal at the other end of a slow line takes 50 KiB a second; a cell is up to 8 bytes.
CELLS_A_SECOND = 6_000
# So little is no matter.
FREE_CELLS = 800
LONGEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next painting is due (seconds of any one clock)."""

    at: float = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time; a clock that was set back is no reason to wait."""
        return not now < self.at <= now + LONGEST_SECONDS

    def after(self, now: float, cells: int) -> Pace:
        """The pace once ``cells`` were painted at ``now``."""
        rest = max(0, cells - FREE_CELLS) / CELLS_A_SECOND
        return Pace(now + min(LONGEST_SECONDS, rest))
