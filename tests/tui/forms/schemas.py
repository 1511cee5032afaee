"""Schemas for tests of forms: those of the manual, and small ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tui.views.forms.fields import Field, form_of

_FOLDER = Path(__file__).parents[3] / "docs" / "schema"


def schema_of(kind: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((_FOLDER / f"{kind}.json").read_text("utf-8"))
    return read


def form_for(kind: str) -> Field:
    return form_of(schema_of(kind))


def object_of(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}
