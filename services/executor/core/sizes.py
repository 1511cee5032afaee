"""How large what an execution holds may become: its documents, and the reasons it gives."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable, Mapping
from math import isfinite

from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json

# A message holds 32 MiB at most, and an answer of 10 MiB stands in its task's output twice.
MAX_DOCUMENT_BYTES = 24 << 20
# Deeper, code that walks or writes a document by recursion comes to Python's own limit.
MAX_DEPTH = 700
MAX_REASON_CHARS = 4096
MAX_VARIABLES_BYTES = 256 << 10

_HOLDERS = frozenset((dict, list, str))


def checked(value: Json) -> Json:
    """``value``, as it is.

    Raises:
        TooCostly: It is larger or deeper than a document may be, or holds a number that JSON has
            no text for. What stands in it twice is looked at once and counts twice: each step can
            double what the one before it made.
    """
    if type(value) in _HOLDERS and (size := json_bytes(value)) > MAX_DOCUMENT_BYTES:
        raise TooCostly(
            f"it would hold about {size >> 20:,} MiB, and {MAX_DOCUMENT_BYTES >> 20} are allowed"
        )
    return value


def json_bytes(value: Json) -> int:
    """At least the bytes of ``value`` as JSON text, and seldom many more.

    Raises:
        TooCostly: As :func:`checked`, whatever the size.
    """
    try:
        return _size(value, {}, 0, _utf8_bytes)
    except UnicodeEncodeError:
        # One lone surrogate, and the whole is written in ASCII.
        return _size(value, {}, 0, _ascii_bytes)


def too_large(variables: Mapping[str, Json]) -> str | None:
    """A sentence that says so where the variables of an execution would hold too much."""
    text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    # What came from elsewhere may hold half a surrogate pair, which is no reason to fail.
    size = len(text.encode("utf-8", "surrogatepass"))
    if size <= MAX_VARIABLES_BYTES:
        return None
    return f"The variables would hold {size} bytes; at most {MAX_VARIABLES_BYTES} are allowed."


def shortened(reason: str) -> str:
    """``reason`` as it is kept: what others say can be of any length."""
    if len(reason) <= MAX_REASON_CHARS:
        return reason
    return f"{reason[: MAX_REASON_CHARS - 1]}…"


# A text as JSON has it: with its quotes, and what must be escaped.
_quoted: Callable[[str], str] = json.encoder.encode_basestring
_ascii: Callable[[str], str] = json.encoder.encode_basestring_ascii
# Looking at a shorter text takes no longer than looking up what is known of it.
_SHORT_TEXT = 256
_FLOAT_BYTES = 24
_WORD_BYTES = 5


def _size(value: Json, known: dict[int, int], depth: int, text: Callable[[str], int]) -> int:
    """What :func:`json_bytes` says of a part.

    Args:
        known: The sizes of its parts, by identity.
        text: Gives those of texts.
    """
    # Exact types: a chain of isinstance takes half as long again.
    if type(value) is str:
        return text(value) if len(value) <= _SHORT_TEXT else _long(value, known, text)
    if type(value) is int:
        return value.bit_length() // 3 + 2
    if type(value) is float:
        return _float_bytes(value)
    if type(value) is not dict and type(value) is not list:
        return _WORD_BYTES
    if (size := known.get(id(value))) is not None:
        return size
    if depth > MAX_DEPTH:
        raise TooCostly(f"it would nest deeper than {MAX_DEPTH} levels")
    size = 2
    if type(value) is dict:
        for name, item in value.items():
            size += text(name) + 2 + _size(item, known, depth + 1, text)
    else:
        for item in value:
            size += 1 + _size(item, known, depth + 1, text)
    known[id(value)] = size
    return size


def _long(value: str, known: dict[int, int], text: Callable[[str], int]) -> int:
    if (size := known.get(id(value))) is None:
        size = known[id(value)] = text(value)
    return size


def _float_bytes(value: float) -> int:
    if not isfinite(value):
        raise TooCostly(f"it would hold {value}, which JSON has no number for")
    return _FLOAT_BYTES


def _utf8_bytes(text: str) -> int:
    written = _quoted(text)
    return len(written) if written.isascii() else len(written.encode())


def _ascii_bytes(text: str) -> int:
    return len(_ascii(text))
