"""The table of rights: every RPC has one, and nobody has more than theirs."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import FileDescriptor

from podium.common.v1 import log_pb2
from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from podium.worker.v1 import worker_pb2
from services.rights import ADMIN, EDGE, EXECUTOR, RIGHTS, ROLES, Right, right_to

FILES: tuple[FileDescriptor, ...] = (
    registry_pb2.DESCRIPTOR,
    executor_pb2.DESCRIPTOR,
    edge_pb2.DESCRIPTOR,
    log_pb2.DESCRIPTOR,
    worker_pb2.DESCRIPTOR,
)
METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}

REGISTRY = "/podium.registry.v1.RegistryService/"
RUNNING = "/podium.executor.v1.ExecutorService/"


def test_every_rpc_names_its_right_and_nothing_else_does() -> None:
    assert set(RIGHTS) == METHODS


@pytest.mark.parametrize("method", sorted(METHODS))
def test_an_administrator_may_call_all_but_what_only_the_edge_may(method: str) -> None:
    right = RIGHTS[method]
    assert ADMIN in right.roles or right.open or right == Right(services=frozenset((EDGE,)))
    assert right.roles <= set(ROLES)


def test_only_a_token_s_issue_needs_no_token() -> None:
    assert [method for method, right in RIGHTS.items() if right.open] == [f"{REGISTRY}IssueToken"]


def test_hashes_and_ciphertexts_go_to_services_and_administrators_only() -> None:
    right = RIGHTS[f"{REGISTRY}WatchDefinitions"]
    assert right == Right(frozenset((ADMIN,)), frozenset((EXECUTOR, EDGE)))


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("EDITOR", "PutDefinitions DeleteDefinition ListDefinitions", "CreateAccessKey"),
        ("VIEWER", "GetDefinition ListDefinitions", "RevokeAccessKey ListAuditEntries"),
        ("OPERATOR", "ListDefinitions ListAuditEntries", "ListAccessKeys"),
        ("WORKER", "GetRegistryStatus", "ListDefinitions"),
    ],
)
def test_roles_at_the_registry(role: str, may: str, may_not: str) -> None:
    assert all(role in RIGHTS[REGISTRY + method].roles for method in may.split())
    assert not any(role in RIGHTS[REGISTRY + method].roles for method in may_not.split())


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("EDITOR", "GetExecution ListExecutions", "StartExecution PauseExecution UpdateTask"),
        ("VIEWER", "GetExecution WatchExecutions", "StartExecution RetryExecution UpdateTask"),
        (
            "OPERATOR",
            "StartExecution PauseExecution ResumeExecution TerminateExecution RestartExecution "
            "RetryExecution UpdateTask ListExecutions",
            "Session CompleteCallback",
        ),
        ("WORKER", "UpdateTask GetExecutorStatus", "ListExecutions TerminateExecution"),
    ],
)
def test_roles_at_the_executor(role: str, may: str, may_not: str) -> None:
    assert all(role in RIGHTS[RUNNING + method].roles for method in may.split())
    assert not any(role in RIGHTS[RUNNING + method].roles for method in may_not.split())


def test_health_and_reflection_are_open_and_what_is_unknown_is_nobody_s() -> None:
    assert right_to("/grpc.health.v1.Health/Check").open
    assert right_to("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo").open
    assert right_to("/podium.registry.v1.RegistryService/Nope") == Right()
    assert right_to("/grpc.health.v1.HealthX/Check") == Right()
