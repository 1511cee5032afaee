"""Names with ``*`` for any characters."""

from __future__ import annotations

# In a pattern that somebody asks for: to try it takes time by each.
MOST_STARS = 10


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` is of the ``pattern``; in time that grows with their lengths' product."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    last = rest.pop()
    if not name.startswith(first) or len(name) < len(first) + len(last):
        return False
    if not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for part in rest:
        position = name.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True
