"""Users' documents as JSON text, on the wire and on disk."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from typing import Any

from services.executor.core.model import Json

# The loop is not kept waiting for documents from this size on.
LARGE_CHARS = 256 << 10
# A document of users' that is in another one is seldom deeper in it.
_SHARED_DEPTH = 3
_SLICE = 64


def _writer(
    *, ensure_ascii: bool, string: Callable[[str], str] | None = None
) -> Callable[[object], str]:
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, separators=(",", ":"), check_circular=False
    )
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # JSONEncoder.encode makes one of these at every call, which takes as long as a small document.
    name = "encode_basestring_ascii" if ensure_ascii else "encode_basestring"
    quote = string or getattr(json.encoder, name)
    write = make(None, encoder.default, quote, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


compact = _writer(ensure_ascii=False)
# A text as a JSON string, not escaped beyond what must be.
quoted: Callable[[str], str] = json.encoder.encode_basestring
_ascii = _writer(ensure_ascii=True)
# Calls into Python let the interpreter lock go: other threads run while much is written.
_yielding = _writer(ensure_ascii=False, string=lambda text: quoted(text))


def text_of(value: object) -> str:
    """``value`` as JSON text that is always UTF-8: escaped where a lone surrogate is in it.

    Raises:
        TypeError: It holds something that JSON has no word for.
    """
    return _utf8(compact(value), value)


def _utf8(text: str, value: object) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ascii(value)
    return text


class Writing:
    """Writes large documents, in a thread; what stands in them twice is written once.

    What it was given once, it has at once when it is asked again. It keeps all of that.
    """

    def __init__(self) -> None:
        # By identity, and with the value: another one must not take its place.
        self._whole: dict[int, tuple[object, str]] = {}
        self._parts: dict[int, tuple[object, str]] = {}

    def text_of(self, value: object) -> str:
        """As the function of that name."""
        known = self._whole.get(id(value))
        if known is None:
            text = _utf8(self._written(value, 0), value)
            known = self._whole[id(value)] = value, text
        return known[1]

    def _written(self, value: object, depth: int) -> str:
        if not isinstance(value, (dict, list, str)) or depth > _SHARED_DEPTH:
            return _yielding(value)
        known = self._parts.get(id(value))
        if known is None:
            known = self._parts[id(value)] = value, self._part(value, depth)
        return known[1]

    def _part(self, value: dict[str, object] | list[object] | str, depth: int) -> str:
        if isinstance(value, dict):
            members = (
                f"{quoted(name)}:{self._written(item, depth + 1)}" for name, item in value.items()
            )
            return f"{{{','.join(members)}}}"
        if isinstance(value, list):
            # Numbers alone would not let the lock go.
            slices = (
                _yielding(value[start : start + _SLICE])[1:-1]
                for start in range(0, len(value), _SLICE)
            )
            return f"[{','.join(slices)}]"
        return quoted(value)


def is_large(value: object) -> bool:
    """Whether ``value`` has LARGE_CHARS as text, roughly; it is not looked at beyond those."""
    left, parts = LARGE_CHARS, [value]
    while parts:
        part = parts.pop()
        left -= 4
        if isinstance(part, str):
            left -= len(part)
        elif isinstance(part, (dict, list)):
            # Each of them is at least a name or a number with what is around it.
            if 4 * len(part) > left:
                return True
            parts.extend(part.values() if isinstance(part, dict) else part)
        if left <= 0:
            return True
    return False


def value_of(text: str) -> Json:
    """The value that :func:`text_of` wrote."""
    value: Json = json.loads(text)
    return value


def plain(text: str) -> str:
    """``text`` as UTF-8 can hold it: lone surrogates are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
