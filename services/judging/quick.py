"""What is known to be judged quickly: schemas of little weight, and values of little size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from services import json_schema
from services.schema_weight import weight

if TYPE_CHECKING:
    from jsonschema_rs import Validator

# Pointer (RFC 6901) and detail of each.
Faults = tuple[tuple[str, str], ...]

_MOST_KEPT = 1024
# As services.schema_weight counts them: some milliseconds at most, mostly far less.
_MOST_LOOKS = 2_000_000
# Values times weight: each may have so many faults, of 15 µs, before the first is told.
_MOST_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    """A schema whose weight is known, and its validator."""

    weight: int
    validator: Validator


@lru_cache(maxsize=_MOST_KEPT)
def _known(text: str) -> _Known | None:
    """A schema that the registry has accepted; None: it may take any time."""
    schema = json.loads(text)
    heavy = weight(schema)
    if heavy is None or heavy > _MOST_LOOKS:
        return None
    return _Known(heavy, json_schema.compiled(schema))


def quick_faults(text: str, read: Callable[[], Any], size: int) -> Faults | None:
    """What is wrong with a value; None: to find that out may take too long here.

    Args:
        text: JSON text of the schema.
        read: Gives the value, as :mod:`json` reads it.
        size: Of the value, as JSON text.
    """
    known = _known(text)
    if known is None or known.weight * (size + 1) > _MOST_LOOKS:
        return None
    value = read()
    if json_schema.is_valid(known.validator, value):
        return ()
    most = _MOST_TOLD // known.weight
    if json_schema.values_in(value, most + 1) > most:
        return None
    return json_schema.told(known.validator, value)
