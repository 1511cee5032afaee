"""The table of rights: every RPC has one, and nobody has more than theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.edge.management import pages
from services.rights import ADMIN, EDGE, EXECUTOR, RIGHTS, ROLES, Right, right_to, rpc
from services.rights.pages import BY_ROLE, PAGES, rights_of
from tests.rpcs import methods

METHODS = methods()

REGISTRY = "/podium.registry.v1.RegistryService/"
RUNNING = "/podium.executor.v1.ExecutorService/"


def test_every_rpc_of_every_proto_has_a_row_and_no_row_is_without_one() -> None:
    assert {method.containing_service.file.package for method in METHODS.values()} == {
        f"podium.{name}.v1" for name in ("common", "edge", "executor", "registry", "worker")
    }
    assert set(RIGHTS) == set(METHODS)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_an_administrator_may_call_all_but_what_only_the_edge_may(method: str) -> None:
    right = RIGHTS[method]
    only = frozenset((EDGE, EXECUTOR) if method == f"{REGISTRY}RecordAuditEntries" else (EDGE,))
    assert ADMIN in right.roles or right.open or right == Right(services=only)
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


def test_grants_are_for_applications_and_whoever_is_anyone_needs_none() -> None:
    for method, right in RIGHTS.items():
        assert not (right.grants and (right.anyone or right.open)), method
        # Where a grant can be enough, an administrator needs none.
        assert not right.grants or ADMIN in right.roles, method


def test_every_page_of_the_management_listener_has_its_row() -> None:
    assert {f"{method} {path}" for method, path, _ in pages.PAGES} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_what_its_rpcs_need(page: str) -> None:
    wanted = tuple(RIGHTS[rpc(name)] for name in PAGES[page])
    by_role = tuple(replace(right, grants=()) for right in wanted)
    assert rights_of(page) == (by_role if page in BY_ROLE else wanted)


def test_only_health_and_tokens_are_for_whoever_comes() -> None:
    open_pages = {page for page in PAGES if all(right.open for right in rights_of(page))}
    assert open_pages == {"GET /health", "GET /api/health", "POST /api/token"}


def test_health_and_reflection_are_open_and_what_is_unknown_is_nobody_s() -> None:
    assert right_to("/grpc.health.v1.Health/Check").open
    assert right_to("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo").open
    assert right_to("/podium.registry.v1.RegistryService/Nope") == Right()
    assert right_to("/grpc.health.v1.HealthX/Check") == Right()
