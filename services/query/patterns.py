"""Text against patterns with ``*``, in time that grows with their lengths' product."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from services.query.tree import Pattern

_UNESCAPED = re.compile(r"\\(.)|(\*)", re.DOTALL)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def pattern_of(written: str, *, loose: bool = False) -> Pattern:
    r"""What was written, without its quotes: ``*`` is a gap, a backslash takes what follows as is.

    >>> pattern_of(r"2\*3 = *").parts
    ('2*3 = ', '')
    """
    parts, last = [""], 0
    for found in _UNESCAPED.finditer(written):
        parts[-1] += written[last : found.start()] + (found[1] or "")
        last = found.end()
        # Two stars are as good as one.
        if found[2] and (len(parts) == 1 or parts[-1]):
            parts.append("")
    parts[-1] += written[last:]
    return Pattern(tuple(parts), loose)


def lowered(text: str) -> str:
    """``text`` with the letters A to Z in lower case, and no others: as SQLite does it."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def fits(parts: tuple[str, ...], text: str) -> bool:
    """Whether ``text`` consists of ``parts`` with anything between them."""
    first, *rest = parts
    if not rest:
        return first == text
    last = rest.pop()
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    if not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in rest:
        position = text.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True


def equals(pattern: Pattern) -> Callable[[str], bool]:
    """Whether a text is of ``pattern``; ``*`` alone wants any text but the empty one."""
    if pattern.anything:
        return bool
    if pattern.literal:
        return pattern.parts[0].__eq__
    parts = pattern.parts
    return lambda text: fits(parts, text)


def contains(pattern: Pattern) -> Callable[[str], bool]:
    """Whether a text has ``pattern`` in it, letters A to Z in either case."""
    parts = tuple(lowered(part) for part in pattern.parts)
    if len(parts) == 1:
        needle = parts[0]
        return lambda text: needle in lowered(text)
    within = ("", *parts, "")
    return lambda text: fits(within, lowered(text))
