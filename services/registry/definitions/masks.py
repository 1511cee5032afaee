"""``maskedFields``: which values are read by nobody."""

from __future__ import annotations

from services.registry.definitions.records import Field
from services.registry.definitions.values import ListOf, Text


def masked_fields(where: str) -> Field:
    """The field of a definition that masks values in ``where``."""
    return Field(
        "maskedFields",
        ListOf(Text(shortest=1)),
        f"Keys whose values are shown as `***`, at any depth of inputs and outputs of {where}.",
        default=[],
    )
