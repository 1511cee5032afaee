"""A channel whose calls carry a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc

from services import tracing


class AuthorizedChannel(grpc.aio.Channel):
    """A channel that adds the ``authorization`` of whoever calls.

    Not by gRPC's interceptors: each costs a task for every call, and streams pass through a
    queue. Not by call credentials: those need TLS.
    """

    def __init__(self, plain: grpc.aio.Channel, token: Callable[[], str]) -> None:
        self._plain = plain
        self._token = token

    async def __aenter__(self) -> AuthorizedChannel:
        await self._plain.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._plain.__aexit__(*error)

    async def close(self, grace: float | None = None) -> None:
        await self._plain.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._plain.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._plain.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._plain.channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._authorizing(self._plain.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._authorizing(self._plain.unary_stream(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._authorizing(self._plain.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._authorizing(self._plain.stream_stream(*args, **kwargs))

    def _authorizing(self, callable_: Any) -> Any:
        def call(*args: Any, metadata: Iterable[tuple[str, str]] | None = None, **kw: Any) -> Any:
            bearer = ("authorization", f"Bearer {self._token()}")
            trace = tracing.to_metadata(tracing.current.get())
            return callable_(*args, metadata=(bearer, *trace, *(metadata or ())), **kw)

        return call
