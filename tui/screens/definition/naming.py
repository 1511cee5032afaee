"""The definitions that a text may name, as they come and go, and what documents may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.live import putting
from tui.live.link import LinkState
from tui.live.session import Feed, Session
from tui.resources import find
from tui.resources.catalog import Definition
from tui.views.completion import Completion, Words, complete
from tui.views.task_words import SKELETONS

# By kind: those that its documents refer to by name.
_NAMED = {
    "workflow": ("task", "secret"),
    "service": ("workflow", "schema", "auth"),
    "auth": ("application",),
    "application": ("workflow",),
}


class Known:
    """What of the registry an editor of definitions of ``kind`` looks at, until it is closed."""

    def __init__(self, session: Session, kind: str) -> None:
        self._session = session
        self._kind = kind
        self._schema = session.open(putting.schema_of(kind))
        self._feeds: dict[str, Feed] = {}
        for each in (kind, *_NAMED.get(kind, ())):
            resource = find(each)
            if resource is not None and resource.source is not None:
                self._feeds[each] = session.open(resource.source)

    def close(self) -> None:
        """Look at nothing any more."""
        for feed in (self._schema, *self._feeds.values()):
            self._session.close(feed)
        self._feeds = {}

    @property
    def is_live(self) -> bool:
        """Whether the registry tells what happens."""
        feed = self._feeds.get(self._kind)
        return feed is not None and feed.line.now().state is LinkState.LIVE

    def definition(self, name: str) -> Definition | None:
        """A definition of the kind, as the stream has it."""
        feed = self._feeds.get(self._kind)
        found = feed.collection.get(name) if feed is not None else None
        return found.definition if found is not None else None

    def complete(self, text: str, cursor: int) -> Sequence[Completion]:
        """What may come at a place of JSON text."""
        return complete(text, cursor, self._words())

    def _words(self) -> Words:
        told = self._schema.collection.get(self._kind)
        names = {kind: sorted(feed.collection.records) for kind, feed in self._feeds.items()}
        tasks: Mapping[str, Mapping[str, Any]] = SKELETONS if self._kind == "workflow" else {}
        return Words(
            schema=told.schema if told is not None else {},
            names=names,
            secrets=names.get("secret", ()),
            skeletons=tasks,
        )
