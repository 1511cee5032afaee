"""Ids of executions where there is little room."""

from __future__ import annotations

_CHARS = 8


def brief_id(execution_id: str) -> str:
    """Its end: those that began at about the same time begin alike."""
    return execution_id[-_CHARS:]
