"""The logs of the three services: what is in them, and what comes, over restarts too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass

from podium.common.v1 import log_pb2
from services.errors import ServiceError, Unavailable
from services.rpc import raising_ours
from tui.clients import CALL_SECONDS, Clients, until_broken

# Of a log that is shown more slowly than it comes: beyond, the service skips.
_MOST_LOG_NEWS = 8


async def log_now(
    clients: Clients, service: str, request: log_pb2.WatchLogRequest
) -> list[log_pb2.WatchLogResponse]:
    """What is in the log of ``service`` by now; the last response says where to go on.

    Raises:
        ServiceError: It does not answer in time, or refuses to.
    """
    told: list[log_pb2.WatchLogResponse] = []
    with raising_ours():
        call = clients.logs[service].WatchLog(request, timeout=CALL_SECONDS)
        async for change in call:
            told.append(change)
            if change.caught_up:
                break
        call.cancel()
    return told


async def log_changing(
    clients: Clients, service: str, request: log_pb2.WatchLogRequest
) -> AsyncIterator[log_pb2.WatchLogResponse]:
    """What the log of ``service`` has and gets, for ever: over restarts of it too.

    ``request`` is moved on as it is told: with the same one, another call goes on after this.

    Raises:
        Unavailable: The service has been away for longer than a restart takes.
    """
    request.follow = True
    while True:
        watch = clients.logs[service].WatchLog
        async for change in until_broken(watch, request, service):
            request.resume.CopyFrom(change.resume)
            yield change


@dataclass(frozen=True, slots=True)
class LogNews:
    """What the log of ``service`` got; None: it has been away, and is asked again."""

    service: str
    change: log_pb2.WatchLogResponse | None


async def logs_changing(
    clients: Clients, requests: Mapping[str, log_pb2.WatchLogRequest]
) -> AsyncGenerator[LogNews]:
    """The logs of several services as they come, for ever, also while some of them are away.

    Args:
        clients: All of them.
        requests: What is wanted, by service; they are moved on as it is told.

    Raises:
        ServiceError: One of them refuses.
    """
    news: asyncio.Queue[LogNews | ServiceError] = asyncio.Queue(_MOST_LOG_NEWS)
    following = [
        asyncio.create_task(_follow_log(clients, service, request, news))
        for service, request in requests.items()
    ]
    try:
        while True:
            one = await news.get()
            if isinstance(one, ServiceError):
                raise one
            yield one
    finally:
        for each in following:
            each.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _follow_log(
    clients: Clients,
    service: str,
    request: log_pb2.WatchLogRequest,
    news: asyncio.Queue[LogNews | ServiceError],
) -> None:
    while True:
        try:
            async for change in log_changing(clients, service, request):
                await news.put(LogNews(service, change))
        except Unavailable:
            await news.put(LogNews(service, None))
        except ServiceError as error:
            await news.put(error)
            return
