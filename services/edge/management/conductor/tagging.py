"""Tags of definitions as Orkes' clients exchange them. No IO.

They send ``{"key", "value", "type"}``. A tag of type ``METADATA`` is a tag of the document. One of
type ``RATE_LIMIT``, by which Orkes' Python client limits a workflow, is the ``rateLimitConfig`` of
the workflow: its value is how many run side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.edge.management.configuration.documents import Document
from services.errors import Fault, InvalidDefinition, InvalidRequest

_LIMIT, _PLAIN = "RATE_LIMIT", "METADATA"
_CONFIG = "rateLimitConfig"
_MOST = 1000

Pair = tuple[str, str]


def read_tags(sent: Any, kind: str) -> list[Document]:
    """The tags in a body: a list of them, or one.

    Raises:
        InvalidDefinition: With every one that is none.
        InvalidRequest: They are too many.
    """
    tags = sent if isinstance(sent, list) else [sent]
    if len(tags) > _MOST:
        # Each may have a fault, which is told.
        raise InvalidRequest(f"At most {_MOST} tags are taken at once.")
    faults = [
        _at(place if isinstance(sent, list) else None, fault)
        for place, tag in enumerate(tags)
        if (fault := _fault(tag, kind)) is not None
    ]
    if faults:
        raise InvalidDefinition("The tags have faults.", faults)
    return tags


def _at(place: int | None, fault: Fault) -> Fault:
    """``fault`` of a tag, as one of what was sent: a list, or (None) the tag alone."""
    step = "." if fault.path else ""
    return fault if place is None else Fault(f"[{place}]{step}{fault.path}", fault.detail)


def _fault(tag: Any, kind: str) -> Fault | None:
    if not isinstance(tag, dict):
        return Fault("", "must be a tag: {key, value, type}")
    if not isinstance(tag.get("key"), str) or not tag["key"]:
        return Fault("key", "must be given: a text that is not empty")
    if tag.get("type") == _LIMIT:
        if kind != "workflow":
            return Fault("type", "RATE_LIMIT is for workflows")
        if not _number(tag.get("value")):
            return Fault("value", "must be given: a whole number from 1")
    elif not isinstance(tag.get("value"), str):
        return Fault("value", "must be given: a text")
    return None


def _number(value: Any) -> int:
    """A limit, which clients write as text, too; 0: it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:12])
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def tags_shown(document: Document) -> list[Document]:
    """The tags of a definition."""
    shown: list[Document] = [
        {"key": key, "type": _PLAIN, "value": value} for key, value in pairs_of(document)
    ]
    limit = document.get(_CONFIG)
    if isinstance(limit, dict) and not limit.get("rateLimitKey"):
        value = limit.get("concurrentExecLimit")
        shown.append({"key": document["name"], "type": _LIMIT, "value": value})
    return shown


def with_more(document: Document, tags: Iterable[Document]) -> Document:
    """A definition with these tags, too."""
    document, there = _limited(document, tags), pairs_of(document)
    return _with(document, [*there, *_named(tags)])


def with_only(document: Document, tags: Iterable[Document]) -> Document:
    """A definition with these tags; its limit stays unless one of them is another."""
    return _with(_limited(document, tags), _named(tags))


def without(document: Document, tags: Iterable[Document]) -> Document:
    """A definition without those of its tags whose key and value are among ``tags``."""
    tags = list(tags)
    gone = set(_named(tags))
    if any(tag.get("type") == _LIMIT for tag in tags):
        document = {name: value for name, value in document.items() if name != _CONFIG}
    return _with(document, [pair for pair in pairs_of(document) if pair not in gone])


def _limited(document: Document, tags: Iterable[Document]) -> Document:
    limits = [_number(tag["value"]) for tag in tags if tag.get("type") == _LIMIT]
    return {**document, _CONFIG: {"concurrentExecLimit": limits[-1]}} if limits else document


def _named(tags: Iterable[Document]) -> list[Pair]:
    return [(tag["key"], tag["value"]) for tag in tags if tag.get("type") != _LIMIT]


def pairs_of(document: Document) -> list[Pair]:
    """Key and value of each tag; documents may have one as one text: ``team:shop``."""
    found = list[Pair]()
    tags = document.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict):
            found.append((str(tag.get("key")), str(tag.get("value"))))
        else:
            key, _, value = str(tag).partition(":")
            found.append((key, value))
    return found


def _with(document: Document, pairs: Iterable[Pair]) -> Document:
    rest = {name: value for name, value in document.items() if name != "tags"}
    tags = [{"key": key, "value": value} for key, value in dict.fromkeys(pairs)]
    return {**rest, "tags": tags} if tags else rest
