"""The suites that this console knows of, and whether they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.collection import Collection
from tui.settings import Context

CHECK_SECONDS = 2.0
NOT_ASKED = "…"
Check = Callable[[Context], Awaitable[str]]


class ContextRow(NamedTuple):
    """One context.

    Attributes:
        id: Its name.
        state: ``up``, or why it is not; ``…`` until that is known.
        where: Its home or its registry.
    """

    id: str
    current: bool
    state: str
    where: str
    read_only: bool
    protected: bool


class ContextList:
    """Contexts as a list that is asked when somebody looks at it."""

    def __init__(self, contexts: Iterable[Context], check: Check) -> None:
        """``check`` gives a few words on how a suite is; it may raise what services refuse with."""
        self._contexts = {context.name: context for context in contexts}
        self._check = check
        self._current = ""
        self.collection: Collection[ContextRow] = Collection()
        self.collection.put(self._row(context, NOT_ASKED) for context in self._contexts.values())

    def chosen(self, name: str) -> None:
        """Another one is the current one."""
        self._current = name
        self.collection.put(
            row._replace(current=row.id == name) for row in list(self.collection.records.values())
        )

    async def ask(self) -> None:
        """Ask all suites how they are, side by side."""
        async with asyncio.TaskGroup() as group:
            for context in self._contexts.values():
                group.create_task(self._ask(context))

    async def _ask(self, context: Context) -> None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                state = await self._check(context)
        except TimeoutError:
            state = "does not answer"
        except ServiceError as error:
            state = error.detail
        except HomeUnusable as error:
            state = str(error)
        self.collection.put([self._row(context, state)])

    def _row(self, context: Context, state: str) -> ContextRow:
        return ContextRow(
            context.name, context.name == self._current, state,
            context.home or context.registry, context.read_only, context.protected,
        )  # fmt: skip
