"""Text of others as a terminal may show it."""

from __future__ import annotations

import re

# Escape sequences move the cursor, colour and hide; some terminals are programmed by them. What
# changes the direction of text shows what is before and after it as something else, and halves of
# surrogate pairs cannot be written at all.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""``text`` with ``\x1b`` or ``\u202e`` for the character that it names; lines, tabs stay."""
    return _CONTROL.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def in_one_line(text: str) -> str:
    """As :func:`visible`, lines after each other."""
    return visible(" ".join(text.split()))
