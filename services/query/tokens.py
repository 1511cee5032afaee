"""The text of a query cut into tokens; what a token may be follows from those before it.

Nothing is judged here but quotes that never end: a fault of grammar is the parser's to find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from services.query.tree import QueryFault


class Sort(Enum):
    """What a token is."""

    OPEN = "("
    CLOSE = ")"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    NAME = "a field"
    OPERATOR = "an operator"
    VALUE = "a value"
    COMMA = ","
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text.

    Attributes:
        text: Of a value or a word: without its quotes, escapes as they were written.
        quoted: Whether it stood in quotes.
    """

    sort: Sort
    text: str
    start: int
    end: int
    quoted: bool = False


_BLANK = re.compile(r"\s*")
# A path's steps begin with a character that no step before them can hold: no way to read it twice.
_NAME = re.compile(
    r"""([A-Za-z_][\w-]*(?:\.(?:"[^"\\]+"|[^\s.\[\]:=!<>~,()"'\\]+)|\[[0-9]{1,9}\])*)"""
    r"(?:\s*(==|!=|<>|>=|<=|!~|[:=><~])|\s+((?:NOT\s+)?IN)(?=\s*\())",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(AND|OR|NOT)(?=[\s()!\"']|\Z)", re.IGNORECASE)
_BARE = re.compile(r"""(?:\\.|[^\s,()"'\\])(?:\\.|[^\s,()"\\])*\\?|\\\Z""", re.DOTALL)
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"' + r"|'((?:\\.|[^'\\])*)'", re.DOTALL)
_PUNCTUATION = {"(": Sort.OPEN, ")": Sort.CLOSE, ",": Sort.COMMA}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of ``text``. Raises :class:`QueryFault` for a quote that is never closed."""
    position = _after_blank(text, 0)
    while position < len(text):
        for token in _next(text, position):
            yield token
            position = token.end
            if token.sort is Sort.OPERATOR:
                for value in _values(text, position):
                    yield value
                    position = value.end
        position = _after_blank(text, position)


def _after_blank(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _next(text: str, position: int) -> Iterator[Token]:
    """The token at ``position`` where a term may begin; a field comes with its operator."""
    if sort := _PUNCTUATION.get(text[position]):
        yield Token(sort, text[position], position, position + 1)
    elif text[position] == "!":
        yield Token(Sort.NOT, "!", position, position + 1)
    elif found := _NAME.match(text, position):
        yield Token(Sort.NAME, found[1], position, found.end(1))
        place = 2 if found[2] else 3
        yield Token(Sort.OPERATOR, found[place], found.start(place), found.end())
    elif found := _JOINT.match(text, position):
        yield Token(Sort[found[1].upper()], found[1], position, found.end())
    else:
        yield _text(text, position, Sort.WORD)


def _values(text: str, position: int) -> Iterator[Token]:
    """After an operator: one value, several between commas, or such a list in parentheses."""
    position = _after_blank(text, position)
    within = text.startswith("(", position)
    if within:
        yield Token(Sort.OPEN, "(", position, position + 1)
        position += 1
    wanted = True
    while (position := _after_blank(text, position)) < len(text):
        if text[position] == ",":
            token, wanted = Token(Sort.COMMA, ",", position, position + 1), True
        elif wanted and text[position] not in "()":
            token, wanted = _text(text, position, Sort.VALUE), False
        else:
            break
        yield token
        position = token.end
    if within and text.startswith(")", position):
        yield Token(Sort.CLOSE, ")", position, position + 1)


def _text(text: str, position: int, sort: Sort) -> Token:
    if text[position] in "\"'":
        quoted = _QUOTED.match(text, position)
        if quoted is None:
            raise QueryFault("The quote is never closed.", position, len(text))
        inner = quoted[1] if quoted[1] is not None else quoted[2]
        return Token(sort, inner, position, quoted.end(), quoted=True)
    bare = _BARE.match(text, position)
    end = bare.end() if bare else position + 1
    return Token(sort, text[position:end], position, end)
