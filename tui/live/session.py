"""One console's time with one suite: what it follows, and what it has done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from services.errors import PermissionDenied
from services.home import HomeUnusable
from tui.live.actions import ActionLog
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.link import Link, worst
from tui.live.pending import Pending
from tui.live.results import Outcome, Outcomes, Results
from tui.live.sources import Source
from tui.live.trying import KnownKeys, Trials

if TYPE_CHECKING:
    from tui.clients import Connection


@dataclass(slots=True)
class Feed:
    """A collection, the line that fills it, and how many look at it."""

    source: Source[Any]
    query: str
    collection: Collection[Any]
    line: Line
    users: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Session:
    """Feeds by source and query, each followed while somebody looks at it.

    Attributes:
        log: What was done from this console.
        pending: What was asked for, until the streams tell that it is so.
        trials: The calls of routes that were tried.
        keys: Keys of callers, as far as they were shown or typed here.
    """

    def __init__(self, connection: Connection, log: ActionLog | None = None) -> None:
        self.connection = connection
        self.log = log or ActionLog()
        self.pending = Pending()
        self.trials = Trials()
        self.keys = KnownKeys()
        self._feeds: dict[tuple[str, str], Feed] = {}

    def open(self, source: Source[Any], query: str = "") -> Feed:
        """The feed of ``source``, followed from now on; :meth:`close` must follow."""
        key = (source.name, query)
        feed = self._feeds.get(key)
        if feed is None:
            feed = Feed(source, query, Collection(source.most), Line(source.service))
            self._feeds[key] = feed
        feed.users += 1
        self._begin(feed)
        return feed

    def _begin(self, feed: Feed) -> None:
        if feed.task is None:
            name = f"follow {feed.source.name}"
            feed.task = asyncio.create_task(self._follow(feed), name=name)

    def close(self, feed: Feed) -> None:
        """One looks at it no more; the last one ends the stream. What came is kept for the next."""
        feed.users -= 1
        if feed.users <= 0 and feed.task is not None:
            feed.task.cancel()
            feed.task = None
            if feed.query:
                self._feeds.pop((feed.source.name, feed.query), None)

    def rest(self, feed: Feed) -> None:
        """It is out of sight, and goes on by :meth:`go_on`; what came is kept."""
        feed.users -= 1
        if feed.users <= 0 and feed.task is not None:
            feed.task.cancel()
            feed.task = None

    def go_on(self, feed: Feed) -> None:
        """It is in sight again."""
        self._feeds.setdefault((feed.source.name, feed.query), feed)
        feed.users += 1
        self._begin(feed)

    def known(self, source: Source[Any]) -> Mapping[str, Any]:
        """What has come of ``source`` so far, by id, without following it."""
        feed = self._feeds.get((source.name, ""))
        return feed.collection.records if feed is not None else {}

    def await_outcomes(
        self, source: Source[Any], results: Results, state: Callable[[Any], Any],
        outcome: Callable[[Any], Outcome | None], told: Callable[[], None],
    ) -> Outcomes[Any]:  # fmt: skip
        """What the stream of ``source`` tells of records that were accepted, put into ``results``.

        Args:
            state: What of a record must change before anything is said of it.
            outcome: What came of it by where it stands; None: not yet.
            told: Is called when there was news.
        """
        feed = self.open(source)
        ended = partial(self.close, feed)
        return Outcomes(results, feed.collection, state, outcome, told, ended)

    async def _follow(self, feed: Feed) -> None:
        async def watch() -> None:
            try:
                clients = await self.connection.clients(needs_token=feed.source.needs_token)
            except HomeUnusable as error:
                if feed.source.lost is not None:
                    feed.source.lost(feed.collection, str(error))
                raise
            try:
                with self.connection.calling():
                    await feed.source.watch(clients, feed.query, feed.collection, feed.line)
            except PermissionDenied:
                # What may not be seen any more is not shown any more.
                feed.collection.place = None
                feed.collection.facts.clear()
                feed.collection.replace({})
                raise

        await feed.line.follow(watch)

    @property
    def links(self) -> list[Link]:
        """Of what is followed now."""
        feeds = self._feeds.values()
        return [link for feed in feeds if feed.task is not None for link in feed.line.links]

    @property
    def services(self) -> list[Link]:
        """The worst of them to each service, in the order in which they were opened."""
        by_service: dict[str, list[Link]] = {}
        for link in self.links:
            by_service.setdefault(link.service, []).append(link)
        return [worst(links) for links in by_service.values()]

    @property
    def link(self) -> Link:
        """The worst of them; while nothing is followed, of those that rest."""
        links = self.links or [feed.line.now() for feed in self._feeds.values()]
        return worst(links) if links else Link("suite")

    def retry(self) -> None:
        """Try every broken line again now."""
        for feed in self._feeds.values():
            feed.line.retry()

    async def aclose(self) -> None:
        """End all streams."""
        tasks = [feed.task for feed in self._feeds.values() if feed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._feeds.clear()
        await self.connection.aclose()
