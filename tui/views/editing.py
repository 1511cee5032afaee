"""What an editor of definitions decides: which faults stand where, and how lines are indented."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.json_text import DocumentError, parse_json
from tui.views.faults import PlacedFault, nearer
from tui.views.json_places import positions
from tui.views.json_values import read_json
from tui.views.visible import CONTROL, MASK
from tui.views.yaml_reading import yaml_documents

Language: TypeAlias = Literal["json", "yaml", "javascript", "text"]

# Reading YAML takes a second per megabyte or more.
MOST_YAML = 100_000
MOST_HIDDEN = 50
_OPENING = re.compile(r"[{\[(]\s*\Z")
_BEFORE_VALUE = re.compile(r"\s*(?:- +)*(?:[^\s:#][^:#]*: +)?")
_BLOCK = re.compile(r":\s*(?:[|>][-+]?\s*)?\Z")


@dataclass(frozen=True, slots=True, order=True)
class EditorFault:
    """A fault at its place.

    Attributes:
        line: From 1.
        column: In characters, from 1.
        message: A sentence.
        is_warning: It keeps nothing from being put.
    """

    line: int
    column: int
    message: str
    is_warning: bool = False


def syntax_fault(text: str, language: Language) -> EditorFault | None:
    """Why ``text`` cannot be read in its language; None: it can, or nobody says."""
    if not text.strip():
        return None
    if language == "json":
        reading = read_json(text)
        if reading.fault:
            return EditorFault(reading.line, reading.column, reading.fault)
    elif language != "yaml" or len(text) > MOST_YAML:
        return None
    try:
        if language == "json":
            parse_json(text)
        else:
            yaml_documents(text)
    except DocumentError as error:
        return EditorFault(error.line, 1, error.detail)
    return None


def hidden_characters(text: str) -> list[EditorFault]:
    """A warning for each line with characters that are not seen, or change what is."""
    found: dict[int, EditorFault] = {}
    line, at = 1, 0
    for each in CONTROL.finditer(text.replace("\r\n", "\n")):
        line += each.string.count("\n", at, each.start())
        at = each.start()
        column = at - each.string.rfind("\n", 0, at)
        if line not in found:
            name = unicodedata.name(each[0], "a control character")
            message = f"The {MASK} stands for U+{ord(each[0]):04X}, {name.lower()}."
            found[line] = EditorFault(line, column, message, is_warning=True)
        if len(found) >= MOST_HIDDEN:
            break
    return list(found.values())


def placed_faults(
    text: str, language: Language, faults: Sequence[PlacedFault], *, warnings: bool = False
) -> list[EditorFault]:
    """``faults`` of the registry, whose paths are within ``text``, at their places in it."""
    if language == "json":
        places = positions(text, {fault.path for fault in faults})
        where = [(places[fault.path].line, places[fault.path].column) for fault in faults]
    else:
        lines = text.splitlines() if language == "yaml" else []
        where = [
            (line, _value_column(lines[line - 1] if line <= len(lines) else ""))
            for line in _yaml_lines(text, language, faults)
        ]
    return [
        EditorFault(line, column, _message(fault), warnings)
        for fault, (line, column) in zip(faults, where, strict=True)
    ]


def indentation(before: str, language: Language) -> str:
    """What a line begins with that follows ``before``, the part of a line left of the cursor."""
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    deeper = _OPENING.search(before) or (language == "yaml" and _BLOCK.search(before))
    return indent + "  " if deeper else indent


def offset_of(text: str, row: int, column: int) -> int:
    """The place in ``text`` of a column of a row, both from 0."""
    start = 0
    for _ in range(row):
        start = text.index("\n", start) + 1
    return start + column


def location_of(text: str, offset: int) -> tuple[int, int]:
    """As :func:`offset_of`, the other way round."""
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)


def _message(fault: PlacedFault) -> str:
    return f"{fault.path}: {fault.detail}" if fault.path else fault.detail


def _value_column(line: str) -> int:
    """From 1: where the value of a line of YAML begins; its key, where that has none there."""
    found = _BEFORE_VALUE.match(line)
    return found.end() + 1 if found and found.end() < len(line) else 1 + _indent(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _yaml_lines(text: str, language: Language, faults: Sequence[PlacedFault]) -> list[int]:
    """The line of each fault; the first where the text cannot be read."""
    if language != "yaml" or len(text) > MOST_YAML:
        return [1] * len(faults)
    try:
        read = yaml_documents(text)
    except DocumentError as error:
        return [error.line] * len(faults)
    if not read:
        return [1] * len(faults)
    first = read[0]
    lines = []
    for fault in faults:
        placed = PlacedFault(f":{first.line}", fault.path, fault.detail)
        lines.append(int(nearer(placed, first.document, first.lines).origin.rpartition(":")[2]))
    return lines
