"""The suite for as long as a console is open: found again, its token renewed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress

import grpc

from services.errors import ServiceError, Unauthenticated, Unavailable
from services.home import HomeUnusable
from services.rpc import raising_ours
from tui.clients.calling import CALL_SECONDS, Clients, clients_of
from tui.clients.tokens import (
    RENEWAL_SECONDS,
    TOKEN_MARGIN_SECONDS,
    Token,
    forget_token,
    token_of,
)
from tui.suite import Suite

# Where one can do without.
TOKEN_SECONDS = 2.0


class Connection:
    """The suite for as long as a console is open.

    It is looked for again when it is away, and its token is renewed before it ends.
    """

    def __init__(self, find: Callable[[], Suite]) -> None:
        """``find`` says where the suite is; it may raise HomeUnusable until there is one."""
        self._find = find
        self._clients: Clients | None = None
        self._channels = AsyncExitStack()
        self._token = Token("", 0.0)
        self._lock = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def clients(self, *, needs_token: bool = True) -> Clients:
        """The three services, to be asked for before each call or stream, never kept.

        Args:
            needs_token: Without one there is nothing to ask; else calls may be Unauthenticated.

        Raises:
            HomeUnusable: No suite runs there.
            ServiceError: The key is not accepted, or the registry is away and no token holds.
        """
        suite = self._find()
        if self._token.ends_at - time.time() < TOKEN_MARGIN_SECONDS:
            with self.calling():
                await self._renew(suite, needs_token)
        async with self._lock:
            if self._clients is None or self._clients.suite != suite:
                await self._channels.aclose()
                self._clients = await clients_of(self._channels, suite, lambda: self._token.text)
            if self._keeping is None:
                self._keeping = asyncio.create_task(self._keep_token(), name="keep token")
        return self._clients

    async def _keep_token(self) -> None:
        """Renew the token before it ends, for who keeps calling with the clients it has."""
        while True:
            # Not until it ends: a machine that slept finds its clock elsewhere.
            await asyncio.sleep(RENEWAL_SECONDS)
            if self._token.text and self._token.ends_at - time.time() < TOKEN_MARGIN_SECONDS:
                # Where that fails, whoever calls next is told why.
                with suppress(ServiceError, HomeUnusable):
                    await self.clients(needs_token=False)

    async def _renew(self, suite: Suite, needs_token: bool) -> None:
        """Wait for a new token, which is asked for once: who can do without waits for less long."""
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._ask_token(suite), name="renew token")
            # Whoever waited for it may be gone by then.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            async with asyncio.timeout(None if needs_token else TOKEN_SECONDS):
                await asyncio.shield(self._renewing)
        except (TimeoutError, grpc.aio.AioRpcError):
            if needs_token:
                raise

    async def _ask_token(self, suite: Suite) -> None:
        self._token = await token_of(suite, CALL_SECONDS)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Within, what services refuse is raised as :class:`services.errors.ServiceError`."""
        try:
            with raising_ours():
                yield
        except Unauthenticated:
            # It is of a registry that is no more, or its key was revoked: the next call asks anew.
            self._token = Token("", 0.0)
            if self._clients is not None:
                forget_token(self._clients.suite)
            raise
        except grpc.aio.UsageError:
            # The channel was closed between two calls: :meth:`clients` gives others.
            raise Unavailable("The suite is at another place.") from None

    async def aclose(self) -> None:
        """Close every channel."""
        tasks = [task for task in (self._keeping, self._renewing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._keeping = self._renewing = None
        await self._channels.aclose()
        self._clients = None
