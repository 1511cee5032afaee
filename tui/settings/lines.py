"""On which line of a TOML text each key is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

KeyPath = tuple[str, ...]

# A text of several lines is one token: what stands in it is no key.
_TOKEN = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"{3,5}(?!")|\'\'\'[\s\S]*?\'{3,5}(?!\')'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|\n|[A-Za-z0-9_-]+|[^\s]'
)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


def lines_of(text: str) -> Mapping[KeyPath, int]:
    """The line, from 1, that says a key first, by its path; of all keys but those in arrays.

    Args:
        text: TOML that can be read; it is gone through once.
    """
    return _Scan().over(text)


class _Scan:
    """Where a scan stands.

    Attributes:
        around: What is open, innermost last: a table's path by ``{``; None: an array.
        keys: What was read of a key so far.
        in_value: Whether the key's ``=`` is behind.
    """

    def __init__(self) -> None:
        self.found: dict[KeyPath, int] = {}
        self.table: KeyPath = ()
        self.around: list[KeyPath | None] = []
        self.keys: list[str] = []
        self.in_value = False

    def over(self, text: str) -> Mapping[KeyPath, int]:
        for line, token in _tokens(text):
            if token == "\n":
                self._line_ended()
            elif not token.startswith("#"):
                self._take(line, token)
        return self.found

    def _line_ended(self) -> None:
        if not self.around:
            self.keys, self.in_value = [], False

    def _take(self, line: int, token: str) -> None:
        if not self.in_value and token == "[" and not self.keys:
            # A header; that of an array of tables has two.
            self.table = ()
        elif not self.in_value and token == "]":
            self.table = tuple(self.keys)
            self._say(line, ())
        elif token in _OPENING:
            self._open(token)
        elif token in _CLOSING:
            self._close()
        elif token == ",":
            self._next()
        elif token == "=" and not self.in_value:
            self._say(line, self._base())
            self.in_value = True
        elif not self.in_value and token != ".":
            self.keys.append(_name(token))

    def _base(self) -> KeyPath | None:
        """The path of the table that keys are said in now; None: it is in an array."""
        return self.around[-1] if self.around else self.table

    def _say(self, line: int, base: KeyPath | None) -> None:
        for count in range(1, len(self.keys) + 1):
            if base is not None:
                self.found.setdefault((*base, *self.keys[:count]), line)

    def _open(self, token: str) -> None:
        base = self._base()
        is_table = token == "{" and base is not None
        self.around.append((*(base or ()), *self.keys) if is_table else None)
        if token == "{":
            self.keys, self.in_value = [], False

    def _close(self) -> None:
        if self.around:
            self.around.pop()
        self.in_value = True

    def _next(self) -> None:
        """Behind a comma a table has its next key; an array, another value."""
        if self.around and self.around[-1] is not None:
            self.keys, self.in_value = [], False


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    for found in _TOKEN.finditer(text):
        yield line, found[0]
        line += found[0].count("\n")


def _name(token: str) -> str:
    """A bare key as it is, a quoted one without its quotes."""
    if token.startswith("'"):
        return token[1:-1]
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token))
    except ValueError:
        # TOML has escapes that JSON has not, e.g. eight digits: nobody looks for such a name.
        return token
