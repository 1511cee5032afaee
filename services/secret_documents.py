"""Documents of secrets as they are stored: the sealed value, and those that it had before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

VALUE = "value"
# What it was, newest first: who was given it may still tell it, and it has to be masked then.
FORMER = "formerValues"
MOST_FORMER = 3
KEPT_FOR = timedelta(days=30)
# In characters. A shorter value turns up by chance: masked, it would spoil answers, hiding nothing.
SHORTEST_MASKED = 4
# Within longer base64 fewer characters tell a value than it has; below, they turn up by chance.
SHORTEST_WELL_MASKED = 8


def seals_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Every sealed text, the value's first."""
    return tuple(seal for _, seal in _seals(document))


def with_seals(document: Mapping[str, Any], seals: tuple[str, ...]) -> dict[str, Any]:
    """``document`` with ``seals`` in place of :func:`seals_in`."""
    made = {**document, FORMER: list(document.get(FORMER, ()))}
    for (place, _), seal in zip(_seals(document), seals, strict=True):
        if place is None:
            made[VALUE] = seal
        else:
            made[FORMER][place] = {**made[FORMER][place], VALUE: seal}
    if FORMER not in document:
        del made[FORMER]
    return made


def former(document: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The values that it had before and that are still looked for: ``{value, until}``."""
    found = document.get(FORMER, ())
    return [each for each in found if datetime.fromisoformat(each["until"]) > now]


def replaced(before: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """What :data:`FORMER` holds once another value takes the place of that in ``before``."""
    gone = {VALUE: before[VALUE], "until": (now + KEPT_FOR).isoformat(timespec="seconds")}
    return [gone, *former(before, now)][:MOST_FORMER]


def _seals(document: Mapping[str, Any]) -> Iterator[tuple[int | None, str]]:
    if isinstance(document.get(VALUE), str):
        yield None, document[VALUE]
    for place, each in enumerate(document.get(FORMER, ())):
        yield place, each[VALUE]
