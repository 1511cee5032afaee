"""The services' RPCs that the pages are put into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from podium.common.v1.sealing_pb2_grpc import SecretsServiceStub
from podium.executor.v1.executor_pb2_grpc import ExecutorServiceStub
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from podium.worker.v1.worker_pb2_grpc import WorkerServiceStub

if TYPE_CHECKING:
    from podium.common.v1.sealing_pb2_grpc import SecretsServiceAsyncStub
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub
    from podium.worker.v1.worker_pb2_grpc import WorkerServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Stubs:
    """Of channels that carry the edge's token.

    Attributes:
        variables: The executor's, whose environment workflows may read.
    """

    registry: RegistryServiceAsyncStub
    executor: ExecutorServiceAsyncStub
    workers: WorkerServiceAsyncStub
    variables: SecretsServiceAsyncStub


def stubs_of(registry: grpc.aio.Channel, executor: grpc.aio.Channel) -> Stubs:
    """Of the channels to both."""
    return Stubs(
        RegistryServiceStub(registry),
        ExecutorServiceStub(executor),
        WorkerServiceStub(executor),
        SecretsServiceStub(executor),
    )
