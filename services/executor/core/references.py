"""References that are filled at hand-off, and how the text around them is told from them.

A secret and the callback URL are never stored: ``${workflow.secrets.NAME}`` or
``${task.callbackUrl}`` stands for them until the request goes out. Text that comes from elsewhere
may read the same, so in a value that holds references each ``$`` before ``{workflow.secrets.`` or
``{task.callbackUrl`` counts half: an even number of them is data, an odd one ends in a reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.executor.core.model import Json

_NAME = re.compile(r"(?:\$\.)?(task\.callbackUrl|workflow\.secrets\.[A-Za-z_][^${}]*)\Z")
# From the first of a row of $ only: else a long row would be looked at from each of its places.
_DOLLARS = r"(?<!\$)\$+"
_OPENING = r"(?:task\.callbackUrl|workflow\.secrets\.)"
_DATA = re.compile(rf"{_DOLLARS}(?=\{{{_OPENING})")
_WRITTEN = re.compile(rf"({_DOLLARS})\{{({_OPENING}[^${{}}]*)(\}}?)")
_SCALARS = frozenset((int, float, bool, type(None)))


def named(expression: str) -> str:
    """What is filled in for ``expression``, e.g. ``workflow.secrets.TOKEN``; empty: nothing is."""
    found = _NAME.match(expression.strip())
    return found[1].strip() if found else ""


def written(name: str) -> str:
    """The reference to ``name`` as it stands in text."""
    return f"${{{name}}}"


def escaped_text(text: str, *, before_reference: bool = False) -> str:
    """``text``, which is data from end to end, as it stands beside references.

    Args:
        before_reference: Whether one follows, to which the last ``$`` could seem to belong.
    """
    if "${" in text:
        text = _DATA.sub(r"\g<0>\g<0>", text)
    if before_reference and text.endswith("$"):
        text += "$" * (len(text) - len(text.rstrip("$")))
    return text


def escaped(value: Json) -> Json:
    """``value``, which is data, with its strings and keys as they stand beside references."""
    if isinstance(value, str):
        return escaped_text(value) if "${" in value else value
    # Documents nest 512 deep: loops and no comprehensions, since each of those is a frame more.
    if isinstance(value, dict):
        fields: dict[str, Json] = {}
        for key, item in value.items():
            name = escaped_text(key) if "${" in key else key
            fields[name] = item if type(item) in _SCALARS else escaped(item)
        return fields
    if isinstance(value, list):
        items = value.copy()
        for index, item in enumerate(items):
            items[index] = escaped(item)
        return items
    return value


def keys_escaped(fields: dict[str, Json]) -> dict[str, Json]:
    """``fields`` with its own keys escaped; the same, where none needs it."""
    if not any("${" in key for key in fields):
        return fields
    return {escaped_text(key): item for key, item in fields.items()}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference where it stands in a text.

    Attributes:
        name: What is filled in for it.
        data: The ``$`` of data that stand right before it.
        text: Both as they are written.
        rest: The text behind it, as it is written.
    """

    name: str
    data: str
    text: str
    rest: str


def pieces(text: str) -> Iterator[str | Reference]:
    """``text`` in order: its references, and what is data between them as it was."""
    end = 0
    for found in _WRITTEN.finditer(text):
        dollars, name, closing = found.groups()
        half = dollars[: len(dollars) // 2]
        yield text[end : found.start()]
        if len(dollars) % 2 == 0:
            yield half + found[0][len(dollars) :]
        elif closing:
            yield Reference(name, half, found[0], text[found.end() :])
        else:
            yield found[0]
        end = found.end()
    yield text[end:]


def filled(text: str, fill: Callable[[str], str | None]) -> str:
    """``text`` with its references filled and what is data in it as it was, in one pass.

    Args:
        fill: Gives what takes the place of a name; None: that is no reference and stays.
    """
    made: list[str] = []
    for piece in pieces(text):
        if isinstance(piece, str):
            made.append(piece)
        else:
            value = fill(piece.name)
            made.append(piece.text if value is None else piece.data + value)
    return "".join(made)
