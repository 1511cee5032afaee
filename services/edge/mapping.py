"""A request's body, query and path into the input of a workflow. No IO.

Later wins: the body's fields, the query, the path's parameters, and ``requestMetadata`` last of
all, which nobody but the edge can set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from services.edge.problems import Problem
from services.json_text import DocumentError, Json, parse_json

DEEPEST_LEVEL = 512
METADATA = "requestMetadata"

# In a workflow's input they would be stored, and shown to whoever may read executions.
NEVER_IN_METADATA = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-authorization"}
)

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_JSON_TYPE = re.compile(
    rb"\s*(?:application/json|[\w!#$&^.-]+/[\w!#$&^.+-]+\+json)\s*(?:;(.*))?\Z",
    re.IGNORECASE | re.DOTALL,
)
_TYPE_CHARS = 100
_UNSHOWN = re.compile(r"[^ -~]")
_CHARSET = re.compile(rb"charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


def check_content_type(content_type: bytes | None) -> None:
    """Pass what is JSON by its type, and what has none.

    Raises:
        Problem: 415, for any other type and any character set but UTF-8.
    """
    if content_type is None or content_type in (b"application/json", b""):
        return
    known = _JSON_TYPE.match(content_type)
    charset = _CHARSET.search(known[1] or b"") if known else None
    if known is None or (charset and charset[1].lower() not in (b"utf-8", b"us-ascii", b"utf8")):
        raise Problem("unsupported-media-type", _refused_type(content_type))


def _refused_type(content_type: bytes) -> str:
    shown = _UNSHOWN.sub("?", content_type[:_TYPE_CHARS].decode("latin-1"))
    more = "…" if len(content_type) > _TYPE_CHARS else ""
    return (
        f"Content-Type is {shown}{more}; it must be application/json or +json, of no character set "
        "but UTF-8."
    )


def parse_body(body: bytes) -> Json:
    """The one JSON value in ``body``; no bytes at all are ``{}``.

    Raises:
        Problem: 400, with what is wrong: no UTF-8, no JSON, a key given twice, NaN, a number that
            no reader holds, U+0000, a lone surrogate, more than 512 levels.
    """
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
        check_depth(text)
        return parse_json(text)
    except UnicodeDecodeError:
        raise not_utf8() from None
    except DocumentError as error:
        raise Problem("malformed-body", f"The body cannot be read: {error}.") from None


def not_utf8() -> Problem:
    """What is told of a body that is no text."""
    return Problem("malformed-body", "The body is not UTF-8.")


def check_depth(text: str) -> None:
    """Refuse JSON of more than 512 levels. Raises :class:`Problem` (400)."""
    if text.count("[") + text.count("{") <= DEEPEST_LEVEL:
        return
    depth = 0
    for token in _NESTING.finditer(text):
        if token[1]:
            depth += 1
            if depth > DEEPEST_LEVEL:
                raise Problem(
                    "malformed-body", f"The body is nested more than {DEEPEST_LEVEL} levels deep."
                )
        elif token[2]:
            depth -= 1


def workflow_input(
    body: Json,
    query: Mapping[str, Json],
    path_parameters: Mapping[str, str],
    metadata: Mapping[str, Json],
) -> str:
    """The input as JSON text of an object, in the order of the module's head."""
    fields: dict[str, Json] = dict(body) if isinstance(body, dict) else {"body": body}
    fields.update(query)
    fields.update(path_parameters)
    # Taken out first: it stands last even where the body had one.
    fields.pop(METADATA, None)
    fields[METADATA] = dict(metadata)
    return _encode(fields)


def is_utf8(text: str) -> bool:
    """Whether it has no lone surrogate, which a script's strings may hold."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def scripted_input(made: Json, metadata: Mapping[str, Json]) -> str:
    """The input that a script has made of it; a result that is no object goes under ``body``."""
    return workflow_input(made, {}, {}, metadata)


def metadata_headers(
    headers: Sequence[tuple[bytes, bytes]], allow: frozenset[bytes]
) -> dict[str, Json]:
    """The headers that a workflow may see; of one that was sent twice, the values with a comma."""
    shown: dict[str, Json] = {}
    for name, value in headers:
        if name in allow:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            shown[key] = f"{shown[key]}, {text}" if key in shown else text
    return shown
