"""Text of others as a terminal may show it."""

from __future__ import annotations

import re

# Escape sequences move the cursor, colour and hide; some terminals are programmed by them. What
# changes the direction of text shows what is before and after it as something else, what has no
# width is not seen, and halves of surrogate pairs cannot be written at all.
UNSEEN = "\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f{UNSEEN}]")
# For one such character, where each must keep its place.
MASK = "?"


def visible(text: str) -> str:
    r"""``text`` with ``\x1b`` or ``\u202e`` for the character that it names; lines, tabs stay."""
    return CONTROL.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def masked(text: str) -> str:
    """``text`` with :data:`MASK` for each such character: as long, and of no hidden width."""
    return CONTROL.sub(MASK, text)


def in_one_line(text: str) -> str:
    """As :func:`visible`, lines after each other."""
    return visible(" ".join(text.split()))
