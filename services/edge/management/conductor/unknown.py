"""Conductor's sentences for what is not there, which clients may look for."""

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


def no_execution(execution_id: str) -> NotFound:
    """Of one that names an execution."""
    return NotFound(f"Workflow with id: {execution_id} not found.", execution_id=execution_id)
