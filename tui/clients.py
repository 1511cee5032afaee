"""The suite's gRPC services, as the console and the commands call them. Nothing else here does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from podium.common.v1 import log_pb2_grpc
from podium.edge.v1 import edge_pb2, edge_pb2_grpc
from podium.executor.v1 import executor_pb2, executor_pb2_grpc
from podium.registry.v1 import registry_pb2, registry_pb2_grpc
from services.errors import ServiceError, Unauthenticated, Unavailable
from services.home import HomeUnusable
from services.rpc import channel, raising_ours
from tui.suite import Suite
from tui.tokens import TOKEN_MARGIN_SECONDS, Token, forget_token, keep_token, kept_token

if TYPE_CHECKING:
    from podium.common.v1.log_pb2_grpc import LogServiceAsyncStub
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

T = TypeVar("T")

SERVICES = ("registry", "executor", "edge")
CALL_SECONDS = 10.0
RECONNECT_SECONDS = 15.0
RETRY_SECONDS = 0.1
RENEWAL_SECONDS = 5.0
# Where one can do without.
TOKEN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Clients:
    """The three services, called with the suite's own token.

    Attributes:
        logs: The log of each, by its name.
    """

    suite: Suite
    registry: RegistryServiceAsyncStub
    executor: ExecutorServiceAsyncStub
    edge: EdgeServiceAsyncStub
    logs: Mapping[str, LogServiceAsyncStub]


@asynccontextmanager
async def connected(suite: Suite, seconds: float = CALL_SECONDS) -> AsyncGenerator[Clients]:
    """Clients of ``suite``; calls in it raise :class:`services.errors.ServiceError`.

    Args:
        suite: Where they are.
        seconds: How long to wait for a token.

    Raises:
        ServiceError: The key is not accepted, or the registry is away and no earlier token holds.
    """
    with raising_ours():
        token = await _token(suite, seconds)
        async with AsyncExitStack() as stack:
            yield await _clients(stack, suite, lambda: token.text)


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

    async def clients(self, *, needs_token: bool = True) -> Clients:
        """The three services, to be asked for before each call or stream, never kept.

        Args:
            needs_token: Without one there is nothing to ask; else calls may be Unauthenticated.

        Raises:
            HomeUnusable: No suite runs there.
            ServiceError: The key is not accepted, or the registry is away and no token holds.
        """
        suite = self._find()
        async with self._lock:
            with self.calling():
                if self._token.ends_at - time.time() < TOKEN_MARGIN_SECONDS:
                    await self._renew(suite, needs_token)
            if self._clients is None or self._clients.suite != suite:
                await self._channels.aclose()
                self._clients = await _clients(self._channels, suite, lambda: self._token.text)
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
        try:
            self._token = await _token(suite, CALL_SECONDS if needs_token else TOKEN_SECONDS)
        except grpc.aio.AioRpcError:
            if needs_token:
                raise

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
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        await self._channels.aclose()
        self._clients = None


async def _clients(stack: AsyncExitStack, suite: Suite, token: Callable[[], str]) -> Clients:
    channels = [
        await stack.enter_async_context(channel(address, token))
        for address in (suite.registry, suite.executor, suite.edge)
    ]
    return Clients(
        suite,
        registry_pb2_grpc.RegistryServiceStub(channels[0]),
        executor_pb2_grpc.ExecutorServiceStub(channels[1]),
        edge_pb2_grpc.EdgeServiceStub(channels[2]),
        {
            service: log_pb2_grpc.LogServiceStub(each)
            for service, each in zip(SERVICES, channels, strict=True)
        },
    )


async def check_serving(address: str, seconds: float) -> None:
    """Ask a service how it is, which needs no token.

    Raises:
        ServiceError: It does not answer in time.
        Unavailable: It does not serve.
    """
    with raising_ours():
        async with channel(address) as service:
            # Its stub has no types.
            health: Any = health_pb2_grpc.HealthStub(service)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=seconds)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise Unavailable("The service does not serve.")


async def _token(suite: Suite, seconds: float) -> Token:
    """A token for the suite's key: the one kept in the home while it holds, else a new one.

    Kept, so that an operator can still look at executions while the registry is down.
    """
    kept = kept_token(suite)
    if kept.text:
        return kept
    async with channel(suite.registry, None) as registry:
        answer = await registry_pb2_grpc.RegistryServiceStub(registry).IssueToken(
            registry_pb2.IssueTokenRequest(
                key_id=suite.credentials.key_id, key_secret=suite.credentials.key_secret
            ),
            timeout=seconds,
            wait_for_ready=True,
        )
    token = Token(str(answer.token), float(answer.expires_at.seconds))
    keep_token(suite, token)
    return token


async def persistently(ask: Callable[[], Awaitable[T]]) -> T:
    """What ``ask`` answers, asked again while its service is being started again.

    For what may be asked twice: a question, or a start under an id of its own.

    Raises:
        Unavailable: The service has been away for longer than a restart takes.
    """
    until = time.monotonic() + RECONNECT_SECONDS
    while True:
        try:
            with raising_ours():
                return await ask()
        except Unavailable:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(RETRY_SECONDS)


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
