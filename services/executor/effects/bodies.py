"""What is sent and what came back, between JSON values and bytes."""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from urllib.parse import urlencode

from services.executor.core.model import Json

# Deeper, code that walks a document by recursion fails; the edge takes no deeper body either.
MAX_DEPTH = 512

# Parsing this many bytes takes a millisecond or more: others should not wait for it.
LARGE = 256 << 10

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

_FORM = "application/x-www-form-urlencoded"

# Codecs that decode text in time proportional to it; Python's others also unpack and execute.
_CHARSET = re.compile(
    r"(utf-?(8|16|32)([-_]?[bl]e)?|us-ascii|ascii|(iso|latin|windows|cp|koi8|mac|shift|s?jis|euc|gb"
    r"|big5|ks_c)[\w-]*)",
    re.IGNORECASE,
)
_CHARSET_PARAMETER = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)

# A lone surrogate cannot be written as UTF-8 again. Pairs and escaped backslashes are stepped over.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class NotSendable(Exception):
    """The body is nothing that its content type can carry. The message is a sentence."""


def encoded(body: Json, content_type: str) -> bytes:
    """``body`` as it is sent: a string as it stands, an object as a form, anything else as JSON.

    In a form a list repeats its key, null leaves its key out, an object is JSON text.

    Raises:
        NotSendable: It holds a number that JSON has no text for, or is to be sent in parts.
    """
    if isinstance(body, str):
        return body.encode(_charset(content_type), "replace")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        raise NotSendable(
            f"A body of {media_type} must be text that is in parts already: nothing else is "
            "made into parts."
        )
    if isinstance(body, dict) and media_type == _FORM:
        return urlencode(
            [
                (name, _field(item))
                for name, value in body.items()
                for item in (value if isinstance(value, list) else [value])
                if item is not None
            ],
            errors="replace",
        ).encode()
    return _json(body)


def decoded(body: bytes, content_type: str | None) -> Json:
    """The JSON value of an answer's body, else its text; None where it is empty.

    An object or a list is JSON under any content type (many servers name none, or a wrong one);
    a bare string, number or word only under a JSON one or none. What JSON has no value for (NaN,
    1e999), integers of more than 4,300 digits and nesting beyond 512 levels stay text.
    """
    if not body:
        return None
    charset, says_json = _read_as(content_type)
    text = body.decode(charset, "replace")
    start = text.removeprefix("\ufeff").lstrip(" \t\r\n")
    if not (says_json or start[:1] in ("{", "[")):
        return text
    try:
        decoder = _DECODER if len(body) < LARGE else _YIELDING
        value: Json = decoder.decode(_without_lone_surrogates(start))
    except (ValueError, RecursionError):
        return text
    return text if _too_deep(value, start) else value


@lru_cache(256)
def _read_as(content_type: str | None) -> tuple[str, bool]:
    """The charset that it names, and whether it says JSON."""
    return _charset(content_type or ""), _says_json(content_type)


def _says_json(content_type: str | None) -> bool:
    if content_type is None:
        return True
    media = content_type.partition(";")[0].strip().lower()
    return media.endswith(("/json", "+json")) or not media


def _charset(content_type: str) -> str:
    named = _CHARSET_PARAMETER.search(content_type)
    if named is None or not _CHARSET.fullmatch(named[1]):
        return "utf-8"
    try:
        "".encode(named[1])
    except LookupError:
        return "utf-8"
    return named[1]


def _json(body: Json) -> bytes:
    try:
        text = _ENCODER.encode(body)
    except ValueError as error:
        raise NotSendable(f"The body cannot be sent as JSON: {error}.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate: JSON can spell it, UTF-8 cannot
        return json.dumps(body, separators=(",", ":")).encode()


def _field(item: Json) -> str:
    return item if isinstance(item, str) else _json(item).decode()


def _refuse(constant: str) -> Json:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def _same(value: dict[str, Json]) -> dict[str, Json]:
    return value


def _whole(digits: str) -> int:
    return int(digits)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
# Calls into Python let the interpreter lock go: other threads run while much is parsed.
_YIELDING = json.JSONDecoder(
    object_hook=_same, parse_float=_finite, parse_int=_whole, parse_constant=_refuse
)


def _without_lone_surrogates(text: str) -> str:
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda escape: "\\ufffd" if escape["lone"] else escape[0], text)


def _too_deep(value: Json, text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (
                node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            )
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
