"""How large what an execution holds may become: its documents, and the reasons it gives."""

from __future__ import annotations

from math import isfinite

from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json

# A message holds 32 MiB at most, and an answer of 10 MiB stands in its task's output twice.
MAX_DOCUMENT_BYTES = 24 << 20
# Deeper, code that walks or writes a document by recursion comes to Python's own limit.
MAX_DEPTH = 700
MAX_REASON_CHARS = 4096


def checked(value: Json) -> Json:
    """``value``, as it is.

    Raises:
        TooCostly: It is larger or deeper than a document may be, or holds a number that JSON has
            no text for. What stands in it twice is looked at once and counts twice: each step can
            double what the one before it made.
    """
    if type(value) in _HOLDERS and (size := _size(value, {}, 0)) > MAX_DOCUMENT_BYTES:
        raise TooCostly(
            f"it would hold about {size >> 20:,} MiB, and {MAX_DOCUMENT_BYTES >> 20} are allowed"
        )
    return value


def shortened(reason: str) -> str:
    """``reason`` as it is kept: what others say can be of any length."""
    if len(reason) <= MAX_REASON_CHARS:
        return reason
    return f"{reason[: MAX_REASON_CHARS - 1]}…"


_HOLDERS = frozenset((dict, list, str))


def _size(value: Json, known: dict[int, int], depth: int) -> int:
    """About the bytes of ``value`` as JSON text; ``known`` has those of its parts, by identity."""
    if isinstance(value, str):
        return len(value) + 3 if value.isascii() else _text_size(value)
    if not isinstance(value, (dict, list)):  # a union takes twice as long
        if isinstance(value, float) and not isfinite(value):
            raise TooCostly(f"it would hold {value}, which JSON has no number for")
        return 6
    if (size := known.get(id(value))) is not None:
        return size
    if depth > MAX_DEPTH:
        raise TooCostly(f"it would nest deeper than {MAX_DEPTH} levels")
    size = 2
    if isinstance(value, dict):
        for name, item in value.items():
            size += len(name) if name.isascii() else _text_size(name)
            size += 4 + _size(item, known, depth + 1)
    else:
        for item in value:
            size += 1 + _size(item, known, depth + 1)
    known[id(value)] = size
    return size


def _text_size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) + 3
