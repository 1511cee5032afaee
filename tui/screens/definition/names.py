"""The names that a form offers where a field refers to a definition, as they come and go."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tui.live.session import Feed, Session
from tui.resources import find
from tui.views.forms.fields import Field
from tui.widgets.form import Form


class Names:
    """Follows every kind of definition that fields of a form refer to, until it is closed."""

    def __init__(self, session: Session, field: Field) -> None:
        self._session = session
        self._feeds: dict[str, Feed] = {}
        self._changed: set[str] = set()
        for kind in sorted(set(_kinds(field))):
            resource = find(kind)
            if resource is not None and resource.source is not None:
                feed = session.open(resource.source)
                feed.collection.listen(self._heard)
                self._feeds[kind] = feed

    def close(self) -> None:
        """Follow no more."""
        for feed in self._feeds.values():
            feed.collection.forget(self._heard)
            self._session.close(feed)
        self._feeds = {}

    def known(self) -> dict[str, list[str]]:
        """The names that are known now, by kind."""
        return {kind: sorted(feed.collection.records) for kind, feed in self._feeds.items()}

    def offer(self, form: Form) -> None:
        """Tell a form what has come since."""
        if self._changed:
            self._changed = set()
            for kind, names in self.known().items():
                form.offer(kind, names)

    def _heard(self, ids: Collection[str]) -> None:
        self._changed.update(ids)


def _kinds(field: Field) -> Iterator[str]:
    if field.refers_to:
        yield field.refers_to
    for each in (*field.fields, *field.options, *((field.item,) if field.item else ())):
        yield from _kinds(each)
