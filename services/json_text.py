"""Text into JSON, strictly: what other readers let pass is a fault with its line here.

A key that is given twice, NaN and infinities, numbers that no reader holds, U+0000 and lone
surrogates. The quick reader only says that there is something; a slow one then says what, where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
# Python refuses to read longer ones.
MOST_DIGITS = 4300

_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# A backslash means something only from the first character on: text is read as escapes and what
# is between them, in which no escape is U+0000 or half of a pair.
_SOUND = re.compile(
    r"(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F])*+"
)
_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<brace>[{}\[\]])|(?P<word>[-+.\w]+)',
    re.DOTALL | re.ASCII,
)


class DocumentError(ValueError):
    """The text holds no document that can be kept; ``line`` counts from 1."""

    def __init__(self, detail: str, line: int) -> None:
        super().__init__(f"line {line}: {detail}")
        self.detail = detail
        self.line = line


class SyntaxFault(DocumentError):
    """The text is no JSON at all."""


class _Refused(ValueError):
    """JSON that is not kept."""


def parse_json(text: str) -> Json:
    """The one value in ``text``.

    Raises:
        DocumentError: With the first thing that is wrong.
    """
    value, end = parse_json_at(text, skip_blank(text, 0))
    rest = skip_blank(text, end)
    if rest < len(text):
        raise SyntaxFault("there is something after the end of the JSON", line_at(text, rest))
    return value


def parse_json_at(text: str, start: int) -> tuple[Json, int]:
    """The value that begins at ``start``, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise SyntaxFault(f"is no JSON: {error.msg}", line_at(text, error.pos)) from None
    except RecursionError:
        raise DocumentError("is nested too deeply", line_at(text, start)) from None
    except _Refused as refused:
        raise _located(text, start, len(text), f"{refused}") from None
    if UNWRITABLE.search(text, start, end) or not _is_sound(text, start, end):
        for detail, position in _faults(text, start, end):
            raise DocumentError(detail, line_at(text, position))
    return value, end


def _is_sound(text: str, start: int, end: int) -> bool:
    """Whether no escape in this JSON is U+0000 or a lone surrogate."""
    if not _SUSPECT.search(text, start, end):
        return True
    sound = _SOUND.match(text, start, end)
    return sound is not None and sound.end() == end


def skip_blank(text: str, position: int) -> int:
    """The next position that is no white space of JSON's."""
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def line_at(text: str, position: int) -> int:
    """The line of a position, from 1."""
    return text.count("\n", 0, position) + 1


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Refused("a key is given twice")
    return members


def _integer(written: str) -> int:
    if len(written) > MOST_DIGITS:
        raise _Refused(_TOO_LONG)
    return int(written)


def _decimal(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise _Refused(f"{written[:40]} is too large a number")
    return number


def _constant(written: str) -> NoReturn:
    raise _Refused(f"{written} is no JSON")


_TOO_LONG = f"a number has more than {MOST_DIGITS} digits"
_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_constant,
)


def _located(text: str, start: int, end: int, otherwise: str) -> DocumentError:
    for detail, position in _faults(text, start, end):
        return DocumentError(detail, line_at(text, position))
    return DocumentError(otherwise, line_at(text, start))


def _faults(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """What is wrong with JSON that is well-formed so far, in the order of the text."""
    keys: list[set[str]] = []
    for token in _TOKEN.finditer(text, start, end):
        if token["brace"]:
            _open_or_close(token["brace"], keys)
        elif token["word"]:
            if detail := _word_fault(token["word"]):
                yield detail, token.start()
        else:
            try:
                string = json.loads(token["string"], strict=False)
            except json.JSONDecodeError:
                return
            if UNWRITABLE.search(string):
                yield "text must not hold U+0000 or a lone surrogate", token.start()
            if token["colon"] and keys and string in keys[-1]:
                yield f"the key '{string[:60]}' is given twice", token.start()
            elif token["colon"] and keys:
                keys[-1].add(string)


def _open_or_close(brace: str, keys: list[set[str]]) -> None:
    if brace in "{[":
        keys.append(set())
    elif keys:
        keys.pop()


def _word_fault(word: str) -> str:
    if word in ("NaN", "Infinity", "-Infinity"):
        return f"{word} is no JSON"
    if word.lstrip("-").isdigit():
        return _TOO_LONG if len(word) > MOST_DIGITS else ""
    try:
        return f"{word[:40]} is too large a number" if math.isinf(float(word)) else ""
    except ValueError:
        return ""
