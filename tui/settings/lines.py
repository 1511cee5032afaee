"""On which line of a TOML text a key is said."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

# Beyond, a place is not worth its search.
MOST_LINES = 2_000


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line, from 1, that says the key of ``path``; 0: it is not found.

    It is the one after the longest beginning of the text that is whole and does not say it.
    """
    lines = text.splitlines()
    before = 0
    for number in range(1, min(len(lines), MOST_LINES) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        if _says(document, path):
            return before + 1
        before = number
    return 0


def _says(document: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = document
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
