"""Conductor's sentences for workflows that are not there, which clients may look for."""

from __future__ import annotations

from services.errors import NotFound


def undefined(name: str, version: int) -> NotFound:
    """Of a request that names a workflow in its body; version 0: none is named."""
    said = f"name={name}, version={version or 'null'}"
    return NotFound(f"No such workflow defined. {said}", workflow=name)


def unfound(name: str, version: int) -> NotFound:
    """Of one that names it in its path."""
    said = f"name: {name}, version: {version or 'null'}"
    return NotFound(f"No such workflow found by {said}", workflow=name)
