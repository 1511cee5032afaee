"""Channels over TLS that follow their certificates.

gRPC fixes the credentials of a channel when it is made. Where the files change, calls go by a
channel with new ones; what is under way on an old one goes on there, and it is closed after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any

import grpc

from services.tls import following
from services.tls.clients import channel_credentials, followed, name_options
from services.tls.files import ClientFiles

_READY = grpc.ChannelConnectivity.READY
_CHANGED = "The certificates have changed while it waited for a connection."


class _Dialled:
    """gRPC's own channel with the certificates of one moment, and what is under way on it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.under_way = 0
        self.waiting: set[_Waiting] = set()

    def begun(self, call: Any, *, waits: bool) -> Any:
        """``call``, as its caller is to have it."""
        self.under_way += 1
        call.add_done_callback(self._ended)
        if not waits:
            return call
        waiting = _Waiting(call)
        self.waiting.add(waiting)
        call.add_done_callback(lambda _: self.waiting.discard(waiting))
        return waiting

    def _ended(self, _: object) -> None:
        self.under_way -= 1

    def give_up(self) -> None:
        """End what waits for a connection, which these certificates might never have."""
        if self.channel.get_state() is not _READY:
            for each in list(self.waiting):
                each.give_up()


class _Waiting:
    """A call that waits until its service is there: its end is told as an error of that service.

    A call that is canceled raises CancelledError, as if its caller's task had been.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._given_up = False

    def give_up(self) -> None:
        self._given_up = True
        self._call.cancel()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._told(self._call).__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        responses = aiter(self._call)
        while True:
            try:
                response = await self._told(anext(responses))
            except StopAsyncIteration:
                return
            yield response

    async def read(self) -> Any:
        return await self._told(self._call.read())

    async def write(self, request: Any) -> None:
        await self._told(self._call.write(request))

    async def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = await self._call.code()
        return grpc.StatusCode.UNAVAILABLE if self._given_up else code

    async def details(self) -> str:
        details: str = await self._call.details()
        return _CHANGED if self._given_up else details

    async def _told(self, awaited: Awaitable[Any]) -> Any:
        try:
            return await awaited
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._given_up or (task is not None and task.cancelling()):
                raise
        raise grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), _CHANGED
        )


class SecureChannel(grpc.aio.Channel):
    """A channel over TLS whose calls are made with the newest certificates.

    Args:
        address: ``host:port``.
        files: Read at once; BadCertificates is raised where they are bad.
        options: gRPC's channel arguments.
    """

    def __init__(
        self, address: str, files: ClientFiles, options: Sequence[tuple[str, Any]]
    ) -> None:
        self._address = address
        self._options = (*options, *name_options(files.server_name))
        self._certificates = followed(files)
        self._old: list[_Dialled] = []
        self._newest = self._dialled()
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="certificates")

    def _dialled(self) -> _Dialled:
        credentials = channel_credentials(self._certificates.material)
        return _Dialled(grpc.aio.secure_channel(self._address, credentials, options=self._options))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(following.LOOK_SECONDS)
            if await following.looked_at(self._certificates):
                self._old.append(self._newest)
                self._newest = self._dialled()
            await self._end_old()

    async def _end_old(self) -> None:
        for each in list(self._old):
            each.give_up()
            if not each.under_way:
                self._old.remove(each)
                await each.channel.close()

    async def __aenter__(self) -> SecureChannel:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        for each in (*self._old, self._newest):
            await each.channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._newest.channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._newest.channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._newest.channel.channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._calling(lambda channel: channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._calling(lambda channel: channel.unary_stream(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._calling(lambda channel: channel.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._calling(lambda channel: channel.stream_stream(*args, **kwargs))

    def _calling(self, callable_of: Callable[[grpc.aio.Channel], Any]) -> Any:
        dialled = self._newest
        callable_ = callable_of(dialled.channel)

        def call(*args: Any, wait_for_ready: bool | None = None, **kwargs: Any) -> Any:
            nonlocal dialled, callable_
            if dialled is not self._newest:
                dialled = self._newest
                callable_ = callable_of(dialled.channel)
            begun = callable_(*args, wait_for_ready=wait_for_ready, **kwargs)
            return dialled.begun(begun, waits=bool(wait_for_ready))

        return call
