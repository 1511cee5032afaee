"""The words behind the name of a place that is no list: ``by:key zoom:24h service:orders``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping


def words_of(text: str) -> dict[str, str]:
    """What is given by name; what is no ``name:value``, or cannot be read, is left out."""
    try:
        given = [word.partition(":") for word in shlex.split(text)]
    except ValueError:
        # A quote is not closed.
        return {}
    return {name.lower(): value for name, colon, value in given if colon}


def text_of(words: Mapping[str, str | None]) -> str:
    """The same as one line; what is None is left out."""
    return " ".join(
        f"{name}:{_quoted(value)}" for name, value in words.items() if value is not None
    )


def _quoted(value: str) -> str:
    plain = value and not any(each.isspace() or each in "\\\"'():,=<>~!" for each in value)
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
