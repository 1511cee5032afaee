"""How much of something is used, and for how long: what lists of limits and caches show."""

from __future__ import annotations

BAR_CELLS = 8
_FULL, _EMPTY = "■", "□"


def used_bar(used: int, limit: int, cells: int = BAR_CELLS) -> str:
    """``■■■□□□□□ 3/8``: full only where all is used, empty only where nothing is."""
    share = min(1.0, used / limit) if limit > 0 else 1.0
    filled = int(share * cells)
    if used > 0:
        filled = max(1, filled)
    return f"{_FULL * filled}{_EMPTY * (cells - filled)} {used:,}/{limit:,}"


def tone_of_use(used: int, limit: int) -> str:
    """``error``: there is no more; ``warning``: there soon will be none."""
    if used >= limit:
        return "error"
    return "warning" if used * 5 >= limit * 4 else "success" if used else "muted"


def left(seconds: float | None) -> str:
    """``4 s``, ``3 min``, ``2 h``; empty: nothing is waited for."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7_200 else f"{whole // 3_600} h"


def share(part: int, whole: int) -> str:
    """``87 %``; ``-`` of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"
