"""Text that clients send as a body of its own. No IO.

Conductor's Python client labels it JSON, escapes it as JSON does and takes the quotes off its ends,
those that belong to the text too; its JavaScript client sends a JSON string; a person with curl
sends it as it is.
"""

from __future__ import annotations

import json

from services.edge.mapping import not_utf8

_QUOTE, _ESCAPE = '"', "\\"


def read_text(body: bytes, content_type: bytes | None) -> str:
    """The text that is meant.

    Raises:
        Problem: 400 for what is no UTF-8.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise not_utf8() from None
    if b"json" not in (content_type or b"").lower():
        return text
    # What ends within an escape has lost a quote of its own.
    cut = (len(text) - len(text.rstrip(_ESCAPE))) % 2
    for written in (text, _QUOTE + text + _QUOTE * (1 + cut)):
        read = _string(written)
        if read is not None:
            return read
    return text


def _string(written: str) -> str | None:
    """The JSON string, if it is one; line ends may stand in it as they are."""
    if not written.startswith(_QUOTE):
        return None
    try:
        read = json.loads(written, strict=False)
    except ValueError:
        return None
    return read if isinstance(read, str) else None
