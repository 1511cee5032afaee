"""The three services with their channels, and whether one serves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from podium.common.v1 import log_pb2_grpc, sealing_pb2_grpc
from podium.edge.v1 import edge_pb2_grpc
from podium.executor.v1 import executor_pb2_grpc
from podium.registry.v1 import registry_pb2_grpc
from podium.worker.v1 import worker_pb2_grpc
from services.errors import Unavailable
from services.rpc import raising_ours
from services.tls.files import ClientFiles
from tui.clients.dialling import dialled
from tui.clients.tokens import HeldToken, renewing, token_of
from tui.suite import Suite

if TYPE_CHECKING:
    from podium.common.v1.log_pb2_grpc import LogServiceAsyncStub
    from podium.common.v1.sealing_pb2_grpc import SecretsServiceAsyncStub
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub
    from podium.worker.v1.worker_pb2_grpc import WorkerServiceAsyncStub

SERVICES = ("registry", "executor", "edge")
_WITH_SECRETS = SERVICES[:2]
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Clients:
    """The three services, called with the suite's own token.

    Attributes:
        workers: What the executor serves for workers, and for those who look after them.
        logs: The log of each, by its name.
        secrets: How registry and executor have sealed what they keep, by their names.
    """

    suite: Suite
    registry: RegistryServiceAsyncStub
    executor: ExecutorServiceAsyncStub
    edge: EdgeServiceAsyncStub
    workers: WorkerServiceAsyncStub
    logs: Mapping[str, LogServiceAsyncStub]
    secrets: Mapping[str, SecretsServiceAsyncStub]


@asynccontextmanager
async def connected(suite: Suite, seconds: float = CALL_SECONDS) -> AsyncGenerator[Clients]:
    """Clients of ``suite``; calls in it raise :class:`services.errors.ServiceError`.

    Their token is renewed before it ends, for who follows something for hours.

    Args:
        suite: Where they are.
        seconds: How long to wait for a token.

    Raises:
        ServiceError: The key is not accepted, or the registry is away and no earlier token holds.
        HomeUnusable: The certificates that it is called with are bad.
    """
    with raising_ours():
        held = HeldToken(await token_of(suite, seconds))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(renewing(suite, held))
            yield await clients_of(stack, suite, lambda: held.text)


async def clients_of(stack: AsyncExitStack, suite: Suite, token: Callable[[], str]) -> Clients:
    """Clients of ``suite`` with channels of their own, which ``stack`` closes.

    Args:
        token: Is asked for each call.
    """
    channels = [
        await stack.enter_async_context(dialled(address, token, suite.tls))
        for address in (suite.registry, suite.executor, suite.edge)
    ]
    return Clients(
        suite,
        registry_pb2_grpc.RegistryServiceStub(channels[0]),
        executor_pb2_grpc.ExecutorServiceStub(channels[1]),
        edge_pb2_grpc.EdgeServiceStub(channels[2]),
        worker_pb2_grpc.WorkerServiceStub(channels[1]),
        {
            service: log_pb2_grpc.LogServiceStub(each)
            for service, each in zip(SERVICES, channels, strict=True)
        },
        {
            service: sealing_pb2_grpc.SecretsServiceStub(each)
            for service, each in zip(_WITH_SECRETS, channels, strict=False)
        },
    )


async def check_serving(address: str, seconds: float, tls: ClientFiles | None = None) -> None:
    """Ask a service how it is, which needs no token.

    Raises:
        ServiceError: It does not answer in time.
        Unavailable: It does not serve.
        HomeUnusable: The certificates that it is called with are bad.
    """
    with raising_ours():
        async with dialled(address, None, tls) as service:
            # Its stub has no types.
            health: Any = health_pb2_grpc.HealthStub(service)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=seconds)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise Unavailable("The service does not serve.")
