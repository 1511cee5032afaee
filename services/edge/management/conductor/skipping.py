"""A SkipTaskRequest, in whichever of its forms. No IO.

The server of Conductor takes it from the query, field by field; its clients send it there as one,
the Python one as Python prints it, or as the body.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.reading import Query
from services.edge.mapping import parse_body
from services.edge.problems import Problem

_FIELDS = ("taskInput", "taskOutput")
# A longer one is sent as a body.
_MOST_CHARS = 16 << 10


def given(query: Query, body: Mapping[str, Any]) -> Fields:
    """The request: what the body says counts before the query.

    Raises:
        InvalidRequest: What the query has is no object.
    """
    whole = query.text("skipTaskRequest")
    found = dict(_object("skipTaskRequest", whole)) if whole else {}
    found |= {name: _object(name, text) for name in _FIELDS if (text := query.text(name))}
    return Fields(found | dict(body))


def _object(name: str, written: str) -> Mapping[str, Any]:
    value = _value(name, written)
    if not isinstance(value, dict):
        raise refused(name, "must be a JSON object")
    return value


def _value(name: str, written: str) -> Any:
    if len(written) > _MOST_CHARS:
        raise refused(name, f"is longer than {_MOST_CHARS} characters: send it as the body")
    try:
        return parse_body(written.encode())
    except (Problem, UnicodeEncodeError):
        pass
    try:
        # Literals alone, none of which is acted on: {'n': None} of Python is {"n": null}.
        text = json.dumps(ast.literal_eval(written), allow_nan=False, ensure_ascii=False)
        return parse_body(text.encode())
    except (Problem, ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise refused(name, "must be a JSON object") from None


def text_of(document: Mapping[str, Any] | None) -> str:
    """JSON; empty for none."""
    if document is None:
        return ""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
