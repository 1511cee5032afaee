"""Streams that are open: no more of a caller's than may be, and none that lost its right."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from typing import Any

from services.access.principals import Principal
from services.errors import Overloaded, ServiceError
from services.rpc import Context

Check = Callable[[], None]
"""Raises a :class:`ServiceError` once the caller may no longer do what it does."""

# Of the stream that is being served.
_checks: ContextVar[list[Check]] = ContextVar("podium_stream_checks")


def keep_checking(check: Check) -> None:
    """Have the stream that is being served end as soon as ``check`` raises, whatever it waits for.

    For handlers that know what the call is about. A service's own stream ends by none.
    """
    checks = _checks.get(None)
    if checks is not None:
        checks.append(check)


class Streams:
    """Those of one server.

    Args:
        look_seconds: A right that is taken ends its streams within that time.
    """

    def __init__(self, look_seconds: float = 0.5) -> None:
        self._seconds = look_seconds
        self._open: Counter[tuple[str, str]] = Counter()

    def bounded(
        self, behaviour: Any, method: str, principal: Principal, most: int, check: Check
    ) -> Any:
        """``behaviour``, of a handler whose responses are a stream, within its bounds.

        Args:
            method: ``/package.Service/Method``.
            most: So many may ``principal`` have at once; those that others have in its name do not
                count.
        """

        async def call(request: Any, context: Context) -> None:
            checks = [check]
            _checks.set(checks)
            async with self._place(method, principal, most), self._while(checks):
                if not inspect.isasyncgenfunction(behaviour):
                    await behaviour(request, context)
                    return
                async with aclosing(behaviour(request, context)) as responses:
                    # Not handed on: what ends it must reach it while it writes, too.
                    async for response in responses:
                        await context.write(response)

        return call

    @asynccontextmanager
    async def _place(self, method: str, principal: Principal, most: int) -> AsyncGenerator[None]:
        key = method, principal.name
        if not principal.access_key_id:
            # A service bounds itself what it asks for others.
            yield
            return
        if self._open[key] >= most:
            raise Overloaded(
                f"The application {principal.application_id!r} has {most} streams of "
                f"{method.rpartition('/')[2]} open already: end one.",
                application=principal.application_id,
            )
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    @asynccontextmanager
    async def _while(self, checks: list[Check]) -> AsyncGenerator[None]:
        """The block, broken off with what one of ``checks`` raises as soon as it does."""
        loop = asyncio.get_running_loop()
        refusals: list[ServiceError] = []
        handle: asyncio.TimerHandle

        def look() -> None:
            nonlocal handle
            try:
                for check in checks:
                    check()
            except ServiceError as error:
                refusals.append(error)
                limit.reschedule(loop.time())
            else:
                handle = loop.call_later(self._seconds, look)

        handle = loop.call_later(self._seconds, look)
        try:
            async with asyncio.timeout(None) as limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise refusals[0] from None
        finally:
            handle.cancel()
