"""What a value is called where it is none that a task can use."""

from __future__ import annotations

from services.executor.core.model import Json


def called(value: Json) -> str:
    """With its article, in JSON's words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
