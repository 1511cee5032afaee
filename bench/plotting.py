"""How cost grows, as a picture of text."""

from __future__ import annotations

from collections.abc import Sequence

_CELLS = 40
_PARTS = " ▏▎▍▌▋▊▉"


def by_size(title: str, sizes: Sequence[int], seconds: Sequence[float]) -> str:
    """A line for each size, with a bar of the time that one of so many costs.

    Bars of one length are cost in proportion to the number; n log n grows by a third from 1,000 to
    10,000.

    Args:
        sizes: How many of them, the smallest first.
        seconds: Of all of them together.
    """
    each = [1e6 * took / size for size, took in zip(sizes, seconds, strict=True)]
    most = max(each)
    lines = [
        f"{size:>8,} {_bar(cost / most):<{_CELLS}} {cost:>8,.0f} µs each  {took:>7.3f} s"
        for size, took, cost in zip(sizes, seconds, each, strict=True)
    ]
    return "\n".join((title, *lines))


def _bar(share: float) -> str:
    whole, part = divmod(round(share * _CELLS * 8), 8)
    return "█" * whole + _PARTS[part].strip()
