"""Whole numbers in what expressions came to: as numbers, or as the text of one."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.model import Json
from services.executor.kinds.calls import shown

_MOST_DIGITS = 18


def whole(fields: Mapping[str, Json], name: str, most: int) -> int | None:
    """The number of that name; None: there is none.

    Raises:
        ValueError: It is no number from 0 to ``most``; the sentence begins with ``name``.
    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    number = _number(value)
    if number is None or not 0 <= number <= most:
        raise ValueError(f"{name} must be a whole number from 0 to {most}, not {shown(value)}.")
    return number


def _number(value: Json) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if value.strip().isdecimal() and len(value) <= _MOST_DIGITS:
            return int(value)
    return None
