"""Numbers as a chart tells them: short, with their unit, on round marks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10

_THOUSANDS = ("", "k", "M", "G", "T", "P")
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_NONE = "-"
# What is smaller is nothing.
LEAST = 1e-12


def amount(value: float | None, unit: str = "") -> str:
    """``1.2k``, ``35 ms``, ``2.5 s``, ``99.5 %``, ``1.5 MiB``: at most three digits.

    Args:
        unit: ``ms`` becomes seconds and minutes, ``B`` KiB and more; others are written as they
            are. None, and what is no number, is ``-``.
    """
    if value is None or not isfinite(value):
        return _NONE
    if unit == "ms":
        return _duration(value)
    if unit == "B":
        return _scaled(value, 1024, _BYTES, " ")
    text = _scaled(value, 1000, _THOUSANDS, "")
    return f"{text} {unit}" if unit and unit[0] != "/" else text + unit


def _duration(milliseconds: float) -> str:
    size = abs(milliseconds)
    if size < 1000:
        return f"{_digits(milliseconds)} ms"
    if size < 120_000:
        return f"{_digits(milliseconds / 1000)} s"
    if size < 7_200_000:
        return f"{_digits(milliseconds / 60_000)} min"
    return f"{_digits(milliseconds / 3_600_000)} h"


def _scaled(value: float, by: int, units: Sequence[str], gap: str) -> str:
    place = 0
    # What is rounded up to a thousand is one of the next unit.
    while abs(value) >= by - 0.5 and place < len(units) - 1:
        value, place = value / by, place + 1
    return _digits(value) + (gap + units[place] if units[place] else "")


def _digits(value: float) -> str:
    """Three digits, without zeros at the end."""
    size = abs(value)
    if size >= 100 or value == 0:
        return f"{value:.0f}"
    if size < 0.001:
        return "0"
    places = 1 if size >= 10 else 2 if size >= 0.1 else 3
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round marks from at most ``low`` to at least ``high``: two to ``most`` of them."""
    span = high - low
    if span <= LEAST + 1e-9 * max(abs(low), abs(high)):
        # One value, as far as marks go: half of it above it, or a whole of nothing.
        span = max(abs(low), abs(high)) / 2 if abs(high) > LEAST else 1.0
        high = low + span
    raw = span / max(1, most - 1)
    power = 10.0 ** floor(log10(raw))
    for factor in (*_ROUND, 20.0, 25.0, 50.0):
        step = factor * power
        first, last = floor(low / step), ceil(high / step - 1e-9)
        if last - first + 1 <= max(2, most):
            break
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """The powers of ten from at most ``low`` to at least ``high``; both are above :data:`LEAST`."""
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]
