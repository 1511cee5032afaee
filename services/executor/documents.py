"""Users' documents as JSON text, on the wire and on disk."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from typing import Any

from services.executor.core.model import Json


def _writer(*, ensure_ascii: bool) -> Callable[[object], str]:
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, separators=(",", ":"), check_circular=False
    )
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # JSONEncoder.encode makes one of these at every call, which takes as long as a small document.
    name = "encode_basestring_ascii" if ensure_ascii else "encode_basestring"
    string = getattr(json.encoder, name)
    write = make(None, encoder.default, string, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


compact = _writer(ensure_ascii=False)
# A text as a JSON string, not escaped beyond what must be.
quoted: Callable[[str], str] = json.encoder.encode_basestring
_ascii = _writer(ensure_ascii=True)


def text_of(value: object) -> str:
    """``value`` as JSON text that is always UTF-8: escaped where a lone surrogate is in it.

    Raises:
        TypeError: It holds something that JSON has no word for.
    """
    text = compact(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ascii(value)
    return text


def value_of(text: str) -> Json:
    """The value that :func:`text_of` wrote."""
    value: Json = json.loads(text)
    return value


def plain(text: str) -> str:
    """``text`` as UTF-8 can hold it: lone surrogates are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
