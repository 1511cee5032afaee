"""What one place looks at: what is read again and again rests while the place is out of sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.live.sources import Source

if TYPE_CHECKING:
    from tui.live.session import Feed, Session


class Attention:
    """The feeds of one place. Streams go on: they cost little while nothing changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._feeds: list[Feed] = []
        self._hidden = False

    def open(self, source: Source[Any], query: str = "") -> Feed:
        """Look at ``source`` from now on."""
        feed = self._session.open(source, query)
        self._feeds.append(feed)
        if self._hidden and source.every:
            self._session.rest(feed)
        return feed

    def close(self, feed: Feed) -> None:
        """Look at one of them no more."""
        if feed in self._feeds:
            self._feeds.remove(feed)
            if not self._rests(feed):
                self._session.close(feed)

    def hide(self) -> None:
        """The place is out of sight."""
        if not self._hidden:
            for feed in self._feeds:
                if feed.source.every:
                    self._session.rest(feed)
        self._hidden = True

    def show(self) -> None:
        """It is in sight again."""
        if self._hidden:
            for feed in self._feeds:
                if feed.source.every:
                    self._session.go_on(feed)
        self._hidden = False

    def end(self) -> None:
        """Look at nothing any more."""
        for feed in tuple(self._feeds):
            self.close(feed)

    def _rests(self, feed: Feed) -> bool:
        return self._hidden and bool(feed.source.every)
