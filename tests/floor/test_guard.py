"""The guard before every RPC: who comes through, as whom, and what the others are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import grpc
import pytest

from podium.edge.v1 import edge_pb2
from podium.edge.v1.edge_pb2_grpc import (
    EdgeServiceServicer,
    EdgeServiceStub,
    add_EdgeServiceServicer_to_server,
)
from podium.executor.v1 import executor_pb2 as pb
from services import rpc
from services.access import (
    AccessInterceptor,
    Application,
    Grant,
    Principal,
    ServiceIdentity,
    Streams,
    Verifier,
    application_principal,
    current,
    keep_checking,
    require,
)
from services.errors import Overloaded, PermissionDenied, ServiceError, Unauthenticated
from services.rights import right_to
from services.rpc import channel, raising_ours, serving
from tests.floor.authority import CLUSTER_KEY, NOW, Known, Signer

EXECUTOR = "podium.executor.v1.ExecutorService"


class Calls:
    """An executor whose every RPC says who called it."""

    def __init__(self) -> None:
        self.callers: list[Principal] = []

    async def unary(self, _request: Any, _context: Any) -> bytes:
        self.callers.append(current.get())
        return b""

    async def stream(self, _request: Any, _context: Any) -> Any:
        self.callers.append(current.get())
        yield b""

    def add_to(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, Any] = {}
        for method in pb.DESCRIPTOR.services_by_name["ExecutorService"].methods:
            if method.name == "Session":
                handlers[method.name] = grpc.stream_stream_rpc_method_handler(self.stream)
            elif method.name.startswith("Watch"):
                handlers[method.name] = grpc.unary_stream_rpc_method_handler(self.stream)
            else:
                handlers[method.name] = grpc.unary_unary_rpc_method_handler(self.unary)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXECUTOR, handlers),))


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def known(signer: Signer) -> Known:
    roles = {"admin": "ADMIN", "op": "OPERATOR", "view": "VIEWER", "work": "WORKER", "none": ""}
    starts = Grant(frozenset(("EXECUTE",)), "workflow", "checkout")
    return Known(
        {id: Application(id, frozenset({role} - {""})) for id, role in roles.items()}
        | {"shop": Application("shop", grants=(starts,))},
        {"k1": signer.pem},
    )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def address(known: Known, calls: Calls) -> AsyncGenerator[str]:
    verifier = Verifier(CLUSTER_KEY, known, "executor", lambda: NOW)
    guard = AccessInterceptor(verifier, known)
    async with serving(calls.add_to, interceptors=[guard], services=[EXECUTOR], grace=0) as bound:
        yield bound


async def call(
    address: str, method: str, token: str | None, metadata: tuple[tuple[str, str], ...] = ()
) -> None:
    async with channel(address, None if token is None else lambda: token) as to_executor:
        bare: Any = to_executor
        path = f"/{EXECUTOR}/{method}"
        with raising_ours():
            if method == "Session":
                async for _ in bare.stream_stream(path)(iter((b"",)), metadata=metadata):
                    pass
            elif method.startswith("Watch"):
                async for _ in bare.unary_stream(path)(b"", metadata=metadata):
                    pass
            else:
                await bare.unary_unary(path)(b"", metadata=metadata)


def service(name: str) -> str:
    return ServiceIdentity(CLUSTER_KEY, name, lambda: NOW).token("executor")


@pytest.mark.parametrize("method", ["GetExecution", "WatchExecutions", "Session"])
async def test_a_call_without_a_token_is_refused(address: str, calls: Calls, method: str) -> None:
    with pytest.raises(Unauthenticated, match="A token is needed"):
        await call(address, method, None)
    assert calls.callers == []


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic abc", "bearerabc"])
async def test_an_authorization_that_is_no_bearer_s_is_refused(
    address: str, authorization: str
) -> None:
    with pytest.raises(Unauthenticated):
        await call(address, "GetExecution", None, (("authorization", authorization),))


async def test_of_two_tokens_none_counts(address: str, signer: Signer) -> None:
    good = signer.token(sub="application:admin")
    with pytest.raises(Unauthenticated):
        await call(address, "GetExecution", good, (("authorization", f"Bearer {good}"),))


@pytest.mark.parametrize("method", ["PauseExecution", "WatchExecutions"])
async def test_a_handler_knows_who_calls(
    address: str, calls: Calls, signer: Signer, method: str
) -> None:
    await call(address, method, signer.token(sub="application:admin", key="a"))
    await call(address, method, signer.token(sub="application:admin", key="b"))
    assert calls.callers == [
        Principal("application:admin", "admin", "a"),
        Principal("application:admin", "admin", "b"),
    ]


@pytest.mark.parametrize(
    ("application", "may", "may_not"),
    [
        ("op", ["PauseExecution", "UpdateTask", "SetBreaker"], ["Session"]),
        ("view", ["ListExecutions", "GetEngineMetrics"], ["SetBreaker", "TestWorkflow"]),
        ("work", ["UpdateTask", "GetExecutorStatus"], ["ListBreakers", "CompleteCallback"]),
        # What a grant of its own can be enough for is left to the handler.
        ("shop", ["StartExecution", "TerminateExecution"], ["GetExecution", "SetBreaker"]),
        ("none", ["GetExecutorStatus"], ["StartExecution", "ListExecutions", "GetExecution"]),
    ],
)
async def test_a_role_comes_through_to_what_it_may(
    address: str, signer: Signer, application: str, may: list[str], may_not: list[str]
) -> None:
    token = signer.token(sub=f"application:{application}")
    for method in may:
        await call(address, method, token)
    for method in may_not:
        with pytest.raises(PermissionDenied, match="may not call this"):
            await call(address, method, token)


async def test_an_application_that_is_gone_is_refused(
    address: str, signer: Signer, known: Known
) -> None:
    token = signer.token(sub="application:op")
    await call(address, "GetExecution", token)
    del known.applications["op"]
    with pytest.raises(PermissionDenied, match="There is no application 'op'"):
        await call(address, "GetExecution", token)


async def test_services_do_what_the_table_says(address: str, calls: Calls) -> None:
    await call(address, "Session", service("edge"))
    await call(address, "CompleteCallback", service("edge"))
    assert calls.callers[0] == Principal("service:edge")
    for name, method in (
        ("registry", "Session"),
        ("executor", "UpdateTask"),
        ("edge", "PauseExecution"),
        ("nobody", "GetExecution"),
    ):
        with pytest.raises(PermissionDenied):
            await call(address, method, service(name))


async def test_the_edge_speaks_for_an_application_with_its_rights(
    address: str, calls: Calls
) -> None:
    await call(address, "UpdateTask", service("edge"), rpc.on_behalf_of("work"))
    await call(address, "SetBreaker", service("edge"), rpc.on_behalf_of("op"))
    assert [each.name for each in calls.callers] == ["application:work", "application:op"]
    with pytest.raises(PermissionDenied):
        await call(address, "SetBreaker", service("edge"), rpc.on_behalf_of("view"))
    with pytest.raises(PermissionDenied, match="There is no application 'nobody'"):
        await call(address, "UpdateTask", service("edge"), rpc.on_behalf_of("nobody"))


async def test_nobody_but_the_edge_speaks_for_others(address: str, signer: Signer) -> None:
    for token in (signer.token(sub="application:admin"), service("registry"), service("executor")):
        with pytest.raises(PermissionDenied, match="Only the edge"):
            await call(address, "UpdateTask", token, rpc.on_behalf_of("op"))


@pytest.mark.parametrize("value", ["service:edge", "application:", "admin", "application"])
async def test_the_edge_speaks_for_applications_only(address: str, value: str) -> None:
    with pytest.raises(PermissionDenied):
        await call(address, "UpdateTask", service("edge"), (("on-behalf-of", value),))


async def test_health_needs_no_token(address: str) -> None:
    async with channel(address) as anonymous:
        check: Any = anonymous.unary_unary("/grpc.health.v1.Health/Check")
        await check(b"")


async def test_the_guard_works_with_generated_code(known: Known, signer: Signer) -> None:
    seen: list[str] = []

    class Edge(EdgeServiceServicer):
        async def GetEdgeStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
            seen.append(current.get().name)
            return edge_pb2.GetEdgeStatusResponse(version="1")

    guard = AccessInterceptor(Verifier(CLUSTER_KEY, known, "edge", lambda: NOW), known)

    def add(server: grpc.aio.Server) -> None:
        add_EdgeServiceServicer_to_server(Edge(), server)  # type: ignore[abstract]

    token = signer.token(sub="application:shop")
    async with (
        serving(add, interceptors=[guard]) as address,
        channel(address, lambda: token) as to_edge,
    ):
        stub: Any = EdgeServiceStub(to_edge)
        assert (await stub.GetEdgeStatus(edge_pb2.GetEdgeStatusRequest())).version == "1"
    assert seen == ["application:shop"]


# Streams that go on


class Going:
    """An executor whose watches go on; with ``much``, they tell more than anybody takes.

    Attributes:
        open: How many there are.
    """

    def __init__(self, much: bool = False) -> None:
        self.open = 0
        self.changed = asyncio.Condition()
        self.refuses = False
        self._much = b"x" * (1 << 20) if much else b""

    async def generated(self, _request: Any, _context: Any) -> Any:
        await self._count(1)
        keep_checking(self._check)
        try:
            yield b"begun"
            while self._much:
                yield self._much
            await asyncio.Event().wait()
        finally:
            await self._count(-1)

    async def written(self, _request: Any, context: Any) -> None:
        async with aclosing(self.generated(_request, context)) as responses:
            async for response in responses:
                await context.write(response)

    async def until_open(self, number: int) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: self.open == number)

    def _check(self) -> None:
        if self.refuses:
            raise PermissionDenied("no more")

    async def _count(self, more: int) -> None:
        async with self.changed:
            self.open += more
            self.changed.notify_all()

    def add_to(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, Any] = {
            "WatchExecutions": grpc.unary_stream_rpc_method_handler(self.generated),
            "WatchEngineMetrics": grpc.unary_stream_rpc_method_handler(self.written),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXECUTOR, handlers),))


@asynccontextmanager
async def watched(going: Going, known: Known, token: str) -> AsyncGenerator[Any]:
    """Opens a stream of a method, with an answer in hand."""
    verifier = Verifier(CLUSTER_KEY, known, "executor", lambda: NOW)
    guard = AccessInterceptor(verifier, known, Streams(look_seconds=0.01))
    async with (
        serving(going.add_to, interceptors=[guard], grace=0) as address,
        channel(address, lambda: token) as to_executor,
        AsyncExitStack() as stack,
    ):
        bare: Any = to_executor

        async def open_(method: str, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
            call = bare.unary_stream(f"/{EXECUTOR}/{method}")(b"", metadata=metadata)
            stack.callback(call.cancel)
            with raising_ours():
                assert await call.read() == b"begun"
            return call

        yield open_


@pytest.mark.parametrize(
    ("lost", "method"),
    [
        ("the key", "WatchExecutions"),
        ("the key", "WatchEngineMetrics"),
        ("the role", "WatchEngineMetrics"),
        # There a grant can be enough, too.
        ("what the handler checks", "WatchExecutions"),
        ("the application", "WatchExecutions"),
        ("the application", "WatchEngineMetrics"),
    ],
)
async def test_a_stream_ends_with_the_right_to_it(
    known: Known, signer: Signer, method: str, lost: str
) -> None:
    going = Going()
    async with watched(going, known, signer.token(sub="application:view", key="a")) as opened:
        call = await opened(method)
        if lost == "the key":
            known.revoked_keys.add("a")
        elif lost == "the role":
            known.applications["view"] = Application("view", frozenset({"WORKER"}))
        elif lost == "what the handler checks":
            going.refuses = True
        else:
            del known.applications["view"]
        expected = Unauthenticated if lost == "the key" else PermissionDenied
        with pytest.raises(expected), raising_ours():
            await call.read()
        await going.until_open(0)


async def test_a_stream_that_nobody_reads_ends_with_the_right_to_it(
    known: Known, signer: Signer
) -> None:
    going = Going(much=True)
    async with watched(going, known, signer.token(sub="application:view", key="a")) as opened:
        call = await opened("WatchExecutions")
        known.revoked_keys.add("a")
        await going.until_open(0)
        with pytest.raises(Unauthenticated), raising_ours():
            while await call.read() is not grpc.aio.EOF:
                pass


async def test_an_application_has_so_many_streams_and_no_more(known: Known, signer: Signer) -> None:
    going, most = Going(), right_to(f"/{EXECUTOR}/WatchExecutions").streams
    async with watched(going, known, signer.token(sub="application:view")) as opened:
        calls = [await opened("WatchExecutions") for _ in range(most)]
        with pytest.raises(Overloaded, match=f"{most} streams of WatchExecutions open"):
            await opened("WatchExecutions")
        # Those of another kind are counted apart, and one that ends makes room.
        await opened("WatchEngineMetrics")
        calls[0].cancel()
        await going.until_open(most)
        await opened("WatchExecutions")


async def test_what_the_edge_opens_for_applications_is_not_counted(known: Known) -> None:
    going, most = Going(), right_to(f"/{EXECUTOR}/WatchExecutions").streams
    async with watched(going, known, service("edge")) as opened:
        for _ in range(most + 1):
            await opened("WatchExecutions", rpc.on_behalf_of("view"))


# What applications may do


def application(*roles: str, grants: tuple[Grant, ...] = ()) -> Application:
    return Application("a", frozenset(roles), grants)


def grant(access: str, kind: str, name: str) -> Grant:
    return Grant(frozenset(access.split()), kind, name)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("ADMIN", "READ CREATE UPDATE DELETE EXECUTE", ""),
        ("EDITOR", "READ CREATE UPDATE DELETE", "EXECUTE"),
        ("OPERATOR", "READ EXECUTE", "CREATE UPDATE DELETE"),
        ("VIEWER", "READ", "CREATE UPDATE DELETE EXECUTE"),
        ("WORKER", "", "READ CREATE UPDATE DELETE EXECUTE"),
        ("UNHEARD_OF", "", "READ CREATE UPDATE DELETE EXECUTE"),
    ],
)
def test_what_a_role_allows(role: str, may: str, may_not: str) -> None:
    assert all(application(role).allows(access, "workflow", "x") for access in may.split())
    assert not any(application(role).allows(access, "workflow", "x") for access in may_not.split())


@pytest.mark.parametrize("access", ["CREATE", "UPDATE", "DELETE"])
def test_an_editor_does_not_make_itself_an_administrator(access: str) -> None:
    assert not application("EDITOR").allows(access, "application", "a")
    assert application("ADMIN").allows(access, "application", "a")


def test_a_grant_is_for_what_it_names() -> None:
    caller = application(grants=(grant("EXECUTE READ", "workflow", "checkout"),))
    assert caller.allows("EXECUTE", "workflow", "checkout")
    assert caller.allows("READ", "workflow", "checkout")
    assert not caller.allows("UPDATE", "workflow", "checkout")
    assert not caller.allows("EXECUTE", "workflow", "refund")
    assert not caller.allows("EXECUTE", "task", "checkout")


def test_a_grant_on_a_star_is_for_the_whole_kind() -> None:
    caller = application(grants=(grant("EXECUTE", "workflow", "*"),))
    assert caller.allows("EXECUTE", "workflow", "anything")
    assert not caller.allows("EXECUTE", "task", "anything")


def test_a_grant_on_a_tag_is_for_what_has_it() -> None:
    caller = application(grants=(grant("EXECUTE", "tag", "team:shop"),))
    assert caller.allows("EXECUTE", "workflow", "x", ("team:shop", "b:c"))
    assert not caller.allows("EXECUTE", "workflow", "x", ("team:other",))
    assert not caller.allows("EXECUTE", "workflow", "team:shop")


def test_an_application_is_read_from_its_definition() -> None:
    document = {
        "kind": "application",
        "id": "shop",
        "name": "Shop",
        "roles": ["WORKER"],
        "permissions": [
            {"target": {"type": "workflow", "id": "checkout"}, "access": ["EXECUTE", "READ"]}
        ],
    }
    assert Application.from_document(document) == Application(
        "shop", frozenset({"WORKER"}), (grant("EXECUTE READ", "workflow", "checkout"),)
    )
    assert Application.from_document({"id": "bare"}) == Application("bare")


def test_requiring_what_is_missing_says_what() -> None:
    known = Known({"shop": Application("shop", grants=(grant("EXECUTE", "workflow", "a"),))})
    require(application_principal("shop"), known, "EXECUTE", "workflow", "a")
    with pytest.raises(PermissionDenied, match="'shop' has no EXECUTE on the workflow 'b'"):
        require(application_principal("shop"), known, "EXECUTE", "workflow", "b")
    with pytest.raises(ServiceError):
        require(application_principal("gone"), known, "EXECUTE", "workflow", "a")
    require(Principal("service:edge"), known, "EXECUTE", "workflow", "b")


def test_a_principal_without_a_name_is_nobody() -> None:
    with pytest.raises(PermissionDenied):
        require(Principal(""), Known(), "READ", "workflow", "a")
