"""Ids of executions where there is little room."""

from __future__ import annotations

import re

_CHARS = 8
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def brief_id(execution_id: str) -> str:
    """Its end: those that began at about the same time begin alike."""
    return execution_id[-_CHARS:]


def is_id(text: str) -> bool:
    """Whether it is an id that was made, and nothing else."""
    return _ID.fullmatch(text) is not None


def with_brief_ids(text: str) -> str:
    """``text`` with the ends of the ids that are in it, marked as such: ``retry …3bf868c0``."""
    return _ID.sub(lambda found: f"…{brief_id(found[0])}", text)
