"""(pure) For how long fetched keys are good: by HTTP's word (RFC 9111), within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

DEFAULT_SECONDS = 300.0
SHORTEST_SECONDS = 60.0
LONGEST_SECONDS = 86_400.0
# Of their life, after which they are fetched again behind the scenes.
EARLY = 0.8

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,9})\"?\s*(?:,|$)", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|,)\s*(?:no-store|no-cache)\s*(?:,|=|$)", re.IGNORECASE)


def life_of(headers: Mapping[str, Sequence[str]]) -> float:
    """Seconds from now on; headers by their names in lower case."""
    directives = ",".join(headers.get("cache-control", ()))
    if _NOT_KEPT.search(directives):
        return SHORTEST_SECONDS
    found = _MAX_AGE.search(directives)
    if found is None:
        return DEFAULT_SECONDS
    age = next(iter(headers.get("age", ())), "0").strip()
    spent = int(age) if age.isascii() and age.isdecimal() and len(age) < 10 else 0
    return min(max(float(int(found[1]) - spent), SHORTEST_SECONDS), LONGEST_SECONDS)
