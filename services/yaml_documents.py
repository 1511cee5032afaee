"""Text into documents: JSON values, or YAML 1.2 by its core schema, read strictly.

``NO`` is text, ``0123`` the number 123, ``2027-01-31`` text, and every key is text as it is
written. Anchors and ``<<`` work; tags make nothing but JSON. A key that is given twice, NaN,
U+0000 and lone surrogates are faults with their line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from services.json_text import (
    MOST_DIGITS,
    UNWRITABLE,
    DocumentError,
    Json,
    SyntaxFault,
    line_at,
    parse_json_at,
    skip_blank,
)

DEEPEST = 150
# Aliases of aliases can name more values than a machine holds.
MOST_VALUES = 1_000_000

_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"(?:~|null|Null|NULL)?\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_NO_NUMBER = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


_TAGGED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


Lines: TypeAlias = "Mapping[int, Mapping[str, int] | Sequence[int]]"
"""Of each object and list, by its ``id()``: the line of each key or item."""


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document of a text, the line on which it begins, and those of what is in it.

    ``lines`` may know nothing of a part of it: of JSON, or of an object that ``<<`` completes.
    """

    document: Json
    line: int
    lines: Lines = field(default_factory=dict)


def read_documents(text: str, *, json_only: bool = False) -> list[SourceDocument]:
    """Every document in ``text``: JSON values one after another, or YAML parted by ``---``.

    A list is as many documents as it has items. Empty YAML documents are left out.

    Raises:
        DocumentError: With the first thing that is wrong, and its line.
    """
    text = text.removeprefix("\ufeff")
    if not json_only and text.lstrip()[:1] not in ("{", "["):
        return list(_yaml_documents(text))
    try:
        return list(_json_documents(text))
    except SyntaxFault:
        if json_only:
            raise
        # YAML has flow mappings without quotes; what is no YAML either was meant as JSON.
        try:
            return list(_yaml_documents(text))
        except DocumentError as fault:
            failure = fault
        if not isinstance(failure, SyntaxFault):
            raise failure from None
        raise


def _json_documents(text: str) -> Iterator[SourceDocument]:
    position, in_list = skip_blank(text, 0), False
    while position < len(text):
        if text[position] == "[" and not in_list:
            position = skip_blank(text, position + 1)
            in_list = text[position : position + 1] != "]"
            position = position if in_list else skip_blank(text, position + 1)
            continue
        document, end = parse_json_at(text, position)
        yield SourceDocument(document, line_at(text, position))
        position = skip_blank(text, end)
        if in_list:
            position, in_list = _after_item(text, position)
    if in_list:
        raise SyntaxFault("is no JSON: a list has no end", line_at(text, position))


def _after_item(text: str, position: int) -> tuple[int, bool]:
    mark = text[position : position + 1]
    if mark not in (",", "]") or not mark:
        raise SyntaxFault("is no JSON: ',' or ']' is missing", line_at(text, position))
    return skip_blank(text, position + 1), mark == ","


def _yaml_documents(text: str) -> Iterator[SourceDocument]:
    try:
        events = YAML(typ="safe", pure=True).parse(text)
        for event in events:
            if isinstance(event, DocumentStartEvent):
                yield from _Composer(events).documents()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise SyntaxFault(f"is no YAML: {error.problem or error.context}", line) from None
    except ReaderError as error:
        line = line_at(text, error.position)
        raise SyntaxFault("is no YAML: it holds a character that text has not", line) from None
    except YAMLError as error:
        raise SyntaxFault(f"is no YAML: {error}", 1) from None


@dataclass
class _Composer:
    """Puts one document together from its events."""

    events: Iterator[NodeEvent]
    anchors: dict[str, tuple[Json, int]] = field(default_factory=dict)
    lines: dict[int, dict[str, int] | list[int]] = field(default_factory=dict)
    values: int = 0
    depth: int = 0

    def documents(self) -> Iterator[SourceDocument]:
        first = next(self.events)
        if isinstance(first, ScalarEvent) and not first.value and not first.style:
            return
        if isinstance(first, CollectionStartEvent) and not isinstance(first, MappingStartEvent):
            yield from self._items(first)
        else:
            yield SourceDocument(self._value(first), _line(first), self.lines)

    def _items(self, start: Event) -> Iterator[SourceDocument]:
        self._count(start, 1)
        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield SourceDocument(self._value(event), _line(event), self.lines)

    def _value(self, event: NodeEvent) -> Json:
        before = self.values
        self._count(event, 1)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        value = _scalar(event) if isinstance(event, ScalarEvent) else self._collection(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, self.values - before
        return value

    def _count(self, event: Event, values: int) -> None:
        self.values += values
        if self.values > MOST_VALUES:
            raise DocumentError(f"holds more than {MOST_VALUES} values", _line(event))

    def _alias(self, event: NodeEvent) -> Json:
        if event.anchor not in self.anchors:
            raise DocumentError(f"*{event.anchor} has no anchor before it", _line(event))
        value, size = self.anchors[event.anchor]
        self._count(event, size)
        return value

    def _collection(self, event: NodeEvent) -> Json:
        _check_tag(event, "map" if isinstance(event, MappingStartEvent) else "seq")
        self.depth += 1
        if self.depth > DEEPEST:
            raise DocumentError(f"is nested deeper than {DEEPEST} levels", _line(event))
        value = self._mapping() if isinstance(event, MappingStartEvent) else self._sequence()
        self.depth -= 1
        return value

    def _sequence(self) -> Json:
        items: list[Json] = []
        lines: list[int] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            lines.append(_line(event))
            items.append(self._value(event))
        self.lines[id(items)] = lines
        return items

    def _mapping(self) -> Json:
        own: dict[str, Json] = {}
        merged: dict[str, Json] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = _key(event)
            if key == "<<" and _is_plain(event):
                merged = _merged(self._value(next(self.events)), event) | merged
            elif key in own:
                raise DocumentError(f"the key '{key[:60]}' is given twice", _line(event))
            else:
                lines[key] = _line(event)
                own[key] = self._value(next(self.events))
        whole = merged | own if merged else own
        self.lines[id(whole)] = lines
        return whole


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _is_plain(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and not event.style


def _key(event: Event) -> str:
    if not isinstance(event, ScalarEvent):
        raise DocumentError("a key must be text", _line(event))
    return _text(event)


def _merged(value: Json, event: Event) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for item in reversed(value if isinstance(value, list) else [value]):
        if not isinstance(item, dict):
            raise DocumentError("<< takes an object or a list of objects", _line(event))
        result |= item
    return result


def _scalar(event: ScalarEvent) -> Json:
    tag = _check_tag(event, "str", "int", "float", "bool", "null")
    if tag == "str" or (event.style and not tag):
        return _text(event)
    value = _plain(event)
    if tag and not isinstance(value, _TAGGED[tag]):
        raise DocumentError(f"{event.value[:60]!r} is no !!{tag}", _line(event))
    return value


def _check_tag(event: NodeEvent, *known: str) -> str:
    """The explicit tag of a value in short: ``str``; empty if it has none."""
    tag = getattr(event, "tag", None)  # an alias has none
    written = "" if tag is None else str(tag)
    if not written:
        return ""
    short = "str" if written == "!" and "str" in known else written.removeprefix(_TAG)
    if short not in known:
        raise DocumentError(f"the tag {written[:60]} makes no JSON", _line(event))
    return short


def _plain(event: ScalarEvent) -> Json:
    written: str = event.value
    if _NULL.match(written):
        return None
    if _TRUE.match(written) or _FALSE.match(written):
        return written[0] in "tT"
    if _INTEGER.match(written):
        return _integer(written, event)
    if _NO_NUMBER.match(written):
        raise DocumentError(f"{written} is no JSON", _line(event))
    if _DECIMAL.match(written):
        number = float(written)
        if math.isinf(number):
            raise DocumentError(f"{written[:40]} is too large a number", _line(event))
        return number
    return _text(event)


def _integer(written: str, event: Event) -> int:
    if len(written) > MOST_DIGITS:
        raise DocumentError(f"a number has more than {MOST_DIGITS} digits", _line(event))
    return int(written, 0) if written[1:2] in ("o", "x") else int(written)


def _text(event: ScalarEvent) -> str:
    written: str = event.value
    if not UNWRITABLE.search(written):
        return written
    try:
        # JSON writes what lies beyond U+FFFF as two escapes.
        joined = written.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        joined = "\x00"
    if "\x00" in joined:
        raise DocumentError("text must not hold U+0000 or a lone surrogate", _line(event))
    return joined
