"""The schemas that routes name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SchemaUse:
    """How a route names a schema.

    Attributes:
        name: Of a schema definition; empty: the route has the schema itself.
        version: Of that definition; 0: the latest.
        text: JSON text of the route's own schema.
    """

    name: str = ""
    version: int = 0
    text: str = ""


def read_use(route: Mapping[str, Any], field: str) -> SchemaUse | None:
    """What a route's ``inputSchema`` or ``outputSchema`` says, or the reference beside it."""
    reference, own = route.get(f"{field}Ref"), route.get(field)
    if reference:
        return SchemaUse(name=reference["name"], version=reference.get("version") or 0)
    return SchemaUse(text=json.dumps(own, ensure_ascii=False)) if own else None
