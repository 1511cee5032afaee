"""What callers write beside documents, as it may be kept."""

from __future__ import annotations

from services.errors import InvalidRequest

_MOST_CHARS = 1000
# Kept with each of the many that an operation ends.
_MOST_REASON_CHARS = 10_000
# Workers send stack traces.
_MOST_TASK_REASON_CHARS = 100_000


def short(text: str, name: str, most: int = _MOST_CHARS) -> str:
    """``text`` itself. Raises :class:`InvalidRequest` where it is too long, or holds U+0000."""
    if len(text) > most:
        raise InvalidRequest(f"{name} is longer than {most} characters.")
    # Documents must not hold it either; gRPC lets no lone surrogate through.
    if "\0" in text:
        raise InvalidRequest(f"{name} must not hold U+0000.")
    return text


def reason(text: str) -> str:
    """As :func:`short`, of why an execution is ended."""
    return short(text, "reason", _MOST_REASON_CHARS)


def task_reason(text: str) -> str:
    """As :func:`short`, of why a task did not end well."""
    return short(text, "reason", _MOST_TASK_REASON_CHARS)
