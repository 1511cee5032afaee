"""Whether a caller would rather have events than one answer (RFC 9110 §12.5.1). No IO."""

from __future__ import annotations

import re
from collections.abc import Iterable

EVENTS = b"text/event-stream"
_JSON = (b"application/json", b"application/*")
_ANY = b"*/*"
_WEIGHT = re.compile(rb"q=([01](?:\.[0-9]{0,3})?)\Z")
# Nobody has so much to choose from.
_LONGEST = 1024


def prefers_events(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether ``Accept`` names events, and wants them more than JSON.

    They must be named: ``*/*`` is content with JSON. Of the same weight, JSON wins where it is
    named too.
    """
    values = [value for name, value in headers if name == b"accept"]
    if not any(b"event-stream" in value.lower() for value in values):
        return False
    weights = _weights(b",".join(values))
    events = weights.get(EVENTS, 0.0)
    named = max(weights.get(each, 0.0) for each in _JSON)
    return events > named and events >= weights.get(_ANY, 0.0)


def _weights(accept: bytes) -> dict[bytes, float]:
    """The weight of each media range; what cannot be read has none."""
    weights: dict[bytes, float] = {}
    for each in accept[:_LONGEST].lower().split(b","):
        media, *parameters = (part.strip() for part in each.split(b";"))
        weights.setdefault(media, _weight(parameters))
    return weights


def _weight(parameters: Iterable[bytes]) -> float:
    for parameter in parameters:
        if parameter.startswith(b"q="):
            found = _WEIGHT.match(parameter)
            return min(float(found[1]), 1.0) if found else 0.0
    return 1.0
