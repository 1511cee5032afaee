"""Names with ``*`` for any characters."""

from __future__ import annotations

from services.query.patterns import fits

# In a pattern that somebody asks for: to try it takes time by each.
MOST_STARS = 10


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` is of the ``pattern``; in time that grows with their lengths' product."""
    return fits(tuple(pattern.split("*")), name)
