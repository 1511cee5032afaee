"""What requests hold besides their own words: documents as text, and statuses of tasks."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from services.errors import InvalidRequest
from services.executor.core.model import Json, TaskStatus
from services.executor.documents import LARGE_CHARS
from services.executor.states import TASK_STATUS_NAME
from services.json_text import DocumentError, parse_json

_UPDATES = frozenset(
    ("IN_PROGRESS", "COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED")
)


def status_of(status: int) -> TaskStatus:
    """What somebody may say of a task; raises :class:`InvalidRequest` for anything else."""
    name = TASK_STATUS_NAME.get(cast("Any", status), "")
    if name not in _UPDATES:
        raise InvalidRequest(f"status must be one of {', '.join(sorted(_UPDATES))}.")
    return TaskStatus(name)


async def document(text: str) -> Json:
    """JSON; None for an empty text. Raises :class:`InvalidRequest`."""
    if len(text) >= LARGE_CHARS:
        return await asyncio.to_thread(_parsed, text)
    return _parsed(text)


async def object_of(text: str, name: str) -> dict[str, Json] | None:
    """As :func:`document`, an object; ``name`` is what the error calls it."""
    value = await document(text)
    if value is not None and not isinstance(value, dict):
        raise InvalidRequest(f"The {name} must be a JSON object.")
    return value


def _parsed(text: str) -> Json:
    if not text:
        return None
    try:
        return parse_json(text)
    except DocumentError as error:
        raise InvalidRequest(f"The document cannot be taken: {error}.") from error
