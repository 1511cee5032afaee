"""Reads that look through many executions: a few at once, so that short reads find a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from services.errors import DeadlineExceeded
from services.executor.conditions import matches, reads_documents
from services.executor.indexing import Indexing
from services.executor.readers import Readers
from services.query import EVERYTHING, Query

T = TypeVar("T")

# Of the readers' threads.
_MOST_AT_ONCE = 2
_LONGEST = timedelta(seconds=10)


class Searches:
    """Reads for lists.

    Args:
        words: The index of words, where it may be asked for some.
    """

    def __init__(self, readers: Readers, words: Indexing | None = None) -> None:
        self._readers = readers
        self._words = words
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        # Of the threads that are left, one is for those who follow what is in documents.
        self._documents = asyncio.Semaphore(1)

    async def read(self, work: Callable[..., T], *arguments: Any) -> T:
        """What ``work(db, *arguments)`` returns, once there is a place for it."""
        async with self._places:
            return await self._readers.read(work, *arguments)

    async def search(
        self,
        work: Callable[..., T],
        query: Query,
        *arguments: Any,
        within: timedelta = _LONGEST,
        telling: bool = False,
    ) -> T:
        """What ``work(db, query, *arguments)`` returns.

        Args:
            telling: It reads the documents of what it finds.

        Raises:
            DeadlineExceeded: To find what is asked for takes too long; with the way out.
        """
        if query == EVERYTHING and not telling:
            # It is found where it is looked for.
            return await self._readers.read(work, query, *arguments, within=within)
        async with self._places:
            return await self._read(work, query, *arguments, within=within)

    async def briefly(
        self,
        work: Callable[..., T],
        query: Query,
        *arguments: Any,
        within: timedelta = _LONGEST,
    ) -> T:
        """As :meth:`search`, for work that looks at few executions.

        It waits for no place, but where it looks into their documents for others who do so, too.
        """
        if not reads_documents(query) and not matches(query):
            return await self._read(work, query, *arguments, within=within)
        async with self._documents:
            return await self._read(work, query, *arguments, within=within)

    async def _read(
        self, work: Callable[..., T], query: Query, *arguments: Any, within: timedelta
    ) -> T:
        large = reads_documents(query)
        if self._words is not None and matches(query):
            await self._words.current()
        try:
            return await self._readers.read(work, query, *arguments, within=within, large=large)
        except DeadlineExceeded as error:
            raise DeadlineExceeded(_way_out(error.detail, large=large)) from error


def _way_out(detail: str, *, large: bool) -> str:
    cause = "; it looks into documents, which takes long" if large else ""
    return (
        f"{detail.partition(';')[0].rstrip('.')}{cause}. Add what leaves fewer to look through: "
        "newer:1h, wf:name, status:failed."
    )
