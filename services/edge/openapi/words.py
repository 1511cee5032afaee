"""What all parts of a document are written with. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.json_text import Json

Document = dict[str, Any]
Schemas = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""By method, path and ``input`` or ``output``."""

WITH_BODY = ("POST", "PUT", "PATCH")


def json_content(schema: Json, **more: Json) -> Document:
    """The content of a body that is JSON; ``more`` is told of it beside its schema."""
    return {"application/json": {"schema": schema, **more}}


def events_content() -> Document:
    """The content of an answer that goes on."""
    told = "Events `progress`, then `result` or `error`, where `Accept` prefers them."
    return {"text/event-stream": {"schema": {"type": "string", "description": told}}}
