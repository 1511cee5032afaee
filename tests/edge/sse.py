"""Server-sent events read as a browser reads them (HTML Living Standard §9.2.6)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event; ``id`` is the last that was told."""

    name: str
    id: str
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


@dataclass
class Parser:
    """Lines in, events out.

    Attributes:
        last_id: What a browser would send as ``Last-Event-ID``.
        retry: Milliseconds, if they were told.
        comments: How many there were.
    """

    last_id: str = ""
    retry: int | None = None
    comments: int = 0
    _name: str = ""
    _lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> Event | None:
        if not line:
            event = Event(self._name or "message", self.last_id, "\n".join(self._lines))
            told, self._name, self._lines = bool(self._lines), "", []
            return event if told else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments += 1
            case "event":
                self._name = value
            case "data":
                self._lines.append(value)
            case "id":
                self.last_id = value
            case "retry":
                self.retry = int(value)
        return None


async def events(lines: AsyncIterator[str], parser: Parser) -> AsyncIterator[Event]:
    """The events of an answer, as they come."""
    async for line in lines:
        if event := parser.feed(line):
            yield event


def all_events(text: str, parser: Parser | None = None) -> Iterator[Event]:
    """The events of a whole answer."""
    parser = parser or Parser()
    for line in text.split("\n"):
        if event := parser.feed(line):
            yield event
