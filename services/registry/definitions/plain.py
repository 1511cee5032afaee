"""The first look at a document: whether it is JSON that can be kept at all."""

from __future__ import annotations

import math
import re

from services.registry.definitions.model import Json
from services.registry.definitions.reading import Place

# Readers recurse, several frames a level.
DEEPEST = 100
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def check_plain(document: object, at: Place) -> bool:
    """Whether all of ``document`` is JSON that survives storage; tells what is not.

    NaN and infinities, U+0000 and lone surrogates have no place in JSON text or in SQLite.
    """
    told = len(at.reading.faults)
    waiting: list[tuple[object, Place, int]] = [(document, at, 0)]
    while waiting:
        value, place, depth = waiting.pop()
        match value:
            case None | bool() | int():
                pass
            case str():
                _check_text(value, place)
            case float():
                if not math.isfinite(value):
                    place.fault("must be a finite number")
            case list() | dict() if depth >= DEEPEST:
                place.fault(f"is nested deeper than {DEEPEST} levels")
            case list():
                items = [(item, place / i, depth + 1) for i, item in enumerate(value)]
                waiting.extend(reversed(items))
            case dict():
                waiting.extend(reversed(_members(value, place, depth + 1)))
            case _:
                place.fault(f"must be JSON, not {type(value).__name__}")
    return len(at.reading.faults) == told


def _members(
    value: dict[object, object], place: Place, depth: int
) -> list[tuple[object, Place, int]]:
    members: list[tuple[object, Place, int]] = []
    for key, item in value.items():
        if not isinstance(key, str):
            place.fault(f"has a key that is no text but {type(key).__name__}")
        elif _UNWRITABLE.search(key):
            place.fault("has a key with U+0000 or a lone surrogate")
        else:
            members.append((item, place / key, depth))
    return members


def _check_text(value: str, place: Place) -> None:
    if _UNWRITABLE.search(value):
        place.fault("must not hold U+0000 or a lone surrogate")


def kind_of(document: dict[str, Json]) -> Json:
    """What the document says it is; a bare Conductor workflow is known by its tasks."""
    if document.get("kind") is None and "tasks" in document:
        return "workflow"
    return document.get("kind")
