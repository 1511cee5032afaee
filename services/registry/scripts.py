"""The syntax of users' scripts, checked in a child process that is started when first needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from services.errors import Overloaded

if TYPE_CHECKING:
    from services.javascript import Scripts


class ScriptChecks:
    """Checks scripts one after another; made by :func:`script_checks`."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._scripts: Scripts | None = None
        self._starting = asyncio.Lock()

    async def check(self, source: str, language: str) -> str | None:
        """What keeps ``source`` from being ``language``; None if nothing does.

        Raises:
            Overloaded: That cannot be said just now.
        """
        from services.javascript import NoWorker, ScriptFailed

        scripts = await self._started()
        try:
            return await scripts.check(source, language)
        except ScriptFailed as error:
            return error.detail
        except NoWorker as error:
            raise Overloaded(f"{error.detail} Try again in a moment.") from error

    async def _started(self) -> Scripts:
        from services.javascript import pool

        async with self._starting:
            if self._scripts is None:
                self._scripts = await self._stack.enter_async_context(pool(size=1))
        return self._scripts


@asynccontextmanager
async def script_checks() -> AsyncGenerator[ScriptChecks]:
    """Checks until the block ends; a registry that is never given a script starts no worker."""
    async with AsyncExitStack() as stack:
        yield ScriptChecks(stack)
