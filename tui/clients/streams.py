"""Streams that come back after a break, and questions that are asked again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, TypeVar

import grpc

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from services.errors import Overloaded, ServiceError, Unavailable, Unwritable
from services.rpc import raising_ours
from tui.clients.calling import Clients

T = TypeVar("T")

RECONNECT_SECONDS = 15.0
RETRY_SECONDS = 0.1
# Who cannot keep up is not helped by being asked ten times a second.
BUSY_SECONDS = 0.5


async def persistently(
    ask: Callable[[], Awaitable[T]],
    passing: tuple[type[ServiceError], ...] = (Unavailable, Overloaded),
) -> T:
    """What ``ask`` answers, asked again while its service is started again, or has too much to do.

    For what may be asked twice: a question, or a start under an id of its own.

    Args:
        passing: What passes by itself.

    Raises:
        Unavailable: The service has been away for longer than a restart takes.
        Overloaded: It has had too much to do for as long.
        Unwritable: Its disk takes nothing; that does not pass by itself.
    """
    until = time.monotonic() + RECONNECT_SECONDS
    while True:
        try:
            with raising_ours():
                return await ask()
        except passing as error:
            if isinstance(error, Unwritable) or time.monotonic() > until:
                raise
            pause = BUSY_SECONDS if isinstance(error, Overloaded) else RETRY_SECONDS
        # Not in step with whoever was refused at the same instant.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))


async def executions_changing(
    clients: Clients, request: executor_pb2.WatchExecutionsRequest | None = None
) -> AsyncIterator[executor_pb2.WatchExecutionsResponse]:
    """A list of executions and what happens to it, batch by batch, for ever: over restarts, too.

    Args:
        request: What is in the list; without one, all that runs.

    Raises:
        InvalidRequest: There is no such list.
        Unavailable: The executor has been away for longer than a restart takes.
    """
    asked = executor_pb2.WatchExecutionsRequest()
    if request is not None:
        asked.CopyFrom(request)
    while True:
        async for batch in until_broken(clients.executor.WatchExecutions, asked):
            asked.resume.CopyFrom(batch.resume)
            yield batch


async def execution_changing(
    clients: Clients, execution_id: str
) -> AsyncIterator[executor_pb2.WatchExecutionResponse]:
    """What happens to one execution until it ends: over restarts of the executor too.

    Raises:
        NotFound: There is no such execution.
        Unavailable: The executor has been away for longer than a restart takes.
    """
    request = executor_pb2.WatchExecutionRequest(execution_id=execution_id)
    while True:
        async for change in until_broken(clients.executor.WatchExecution, request):
            request.resume.CopyFrom(change.resume)
            yield change
            if change.execution.HasField("ended_at"):
                return


async def engine_changing(
    clients: Clients, request: executor_pb2.WatchEngineMetricsRequest
) -> AsyncIterator[executor_pb2.WatchEngineMetricsResponse]:
    """How the engine does, every second, for ever: over restarts of the executor, too.

    Raises:
        Unavailable: The executor has been away for longer than a restart takes.
    """
    while True:
        async for response in until_broken(clients.executor.WatchEngineMetrics, request):
            yield response


async def metrics_changing(
    clients: Clients, request: edge_pb2.WatchGatewayMetricsRequest
) -> AsyncIterator[edge_pb2.WatchGatewayMetricsResponse]:
    """What the gateway has answered, told again when that changes, for ever: over restarts too.

    Raises:
        Unavailable: The edge has been away for longer than a restart takes.
    """
    while True:
        async for change in until_broken(clients.edge.WatchGatewayMetrics, request, "edge"):
            yield change


async def catalog_changing(
    clients: Clients,
    kinds: Collection[str] = (),
    *,
    documents: bool = True,
    resume: registry_pb2.ResumeToken | None = None,
) -> AsyncIterator[registry_pb2.WatchCatalogResponse]:
    """The definitions that the caller may read, and what happens to them, for ever.

    It goes on over restarts of the registry too.

    Args:
        clients: Whose registry.
        kinds: The only ones that are told; none: all.
        documents: Whether they come with their documents.
        resume: Where an earlier one got to; None: a snapshot comes first.

    Raises:
        InvalidRequest: There is no such kind.
        PermissionDenied: There is nothing that the caller may read.
        Unavailable: The registry has been away for longer than a restart takes.
    """
    request = registry_pb2.WatchCatalogRequest(
        kinds=kinds, without_documents=not documents, resume=resume
    )
    while True:
        async for change in until_broken(clients.registry.WatchCatalog, request, "registry"):
            request.resume.CopyFrom(change.resume)
            yield change


async def audit_changing(
    clients: Clients, request: registry_pb2.WatchAuditEntriesRequest | None = None
) -> AsyncIterator[registry_pb2.WatchAuditEntriesResponse]:
    """Who changed what: the newest first, then as it is written, for ever: over restarts too.

    Args:
        clients: Whose registry.
        request: Which entries, how many, and where an earlier one got to; without one, the newest
            hundred.

    Raises:
        InvalidRequest: The filter makes no sense.
        PermissionDenied: The caller may not read the log.
        Unavailable: The registry has been away for longer than a restart takes.
    """
    asked = registry_pb2.WatchAuditEntriesRequest()
    if request is not None:
        asked.CopyFrom(request)
    while True:
        async for told in until_broken(clients.registry.WatchAuditEntries, asked, "registry"):
            asked.resume.CopyFrom(told.resume)
            yield told


async def until_broken(watch: Any, request: Any, service: str = "executor") -> AsyncIterator[Any]:
    """One stream of ``watch``: ends when it breaks, since its service is started again."""
    call = watch(request, wait_for_ready=True)
    try:
        with raising_ours():
            async with asyncio.timeout(RECONNECT_SECONDS):
                # A watch tells at once how things stand.
                change = await call.read()
            while change is not grpc.aio.EOF:
                yield change
                change = await call.read()
    except TimeoutError:
        raise Unavailable(f"The {service} does not answer; podium status says more.") from None
    except Unavailable:
        await asyncio.sleep(RETRY_SECONDS)
    finally:
        call.cancel()
