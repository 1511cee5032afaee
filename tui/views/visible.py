"""Text of others as a terminal may show it."""

from __future__ import annotations

import re

# Escape sequences move the cursor, colour and hide; some terminals are programmed by them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    r"""``text`` with ``\x1b`` for the character that it names; lines and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def in_one_line(text: str) -> str:
    """As :func:`visible`, lines after each other."""
    return visible(" ".join(text.split()))
