"""Ids of executions where there is little room."""

from __future__ import annotations

import re

_CHARS = 8
_GAP = "\N{HORIZONTAL ELLIPSIS}"
# What a query takes for one word, as it stands.
_WORD = re.compile(r"\w[\w-]*", re.ASCII)
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def brief_id(execution_id: str) -> str:
    """Its end: those that began at about the same time begin alike."""
    return execution_id[-_CHARS:]


def is_id(text: str) -> bool:
    """Whether it is an id that was made, and nothing else."""
    return _ID.fullmatch(text) is not None


def with_brief_ids(text: str) -> str:
    """``text`` with the ends of the ids that are in it, marked as such: ``retry …3bf868c0``."""
    return _ID.sub(lambda found: f"{_GAP}{brief_id(found[0])}", text)


def way_to(execution_id: str) -> str:
    """How one finds the execution of which that may be a part; empty: it is a whole id, or none."""
    if not execution_id or is_id(execution_id.lower()):
        return ""
    word = execution_id.strip(f"{_GAP}-")
    if not _WORD.fullmatch(word):
        return "Ids are written whole; podium executions lists them."
    return f"Ids are written whole; podium executions {word} finds those that have it in them."
