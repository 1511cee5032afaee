"""Serving and calling: errors both ways, health, reflection, ports, tokens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given, strategies as st

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import (
    EdgeServiceServicer,
    EdgeServiceStub,
    add_EdgeServiceServicer_to_server,
)
from services import rpc
from services.errors import (
    KINDS,
    Fault,
    InvalidDefinition,
    NotFound,
    ServiceError,
    TooLarge,
    Unavailable,
)
from services.process import StartupError
from services.rpc import channel, from_status, raising_ours, serving, to_status

Behaviour = Callable[[Any, Any], Any]


class Edge(EdgeServiceServicer):
    """An edge whose answers are what a test says."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def GetEdgeStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - the proto's
        return await self._behaviour(request, context)

    async def TestScript(self, request: Any, context: Any) -> Any:  # noqa: N802 - the proto's
        return await self._behaviour(request, context)

    async def TestRoute(self, request: Any, context: Any) -> Any:  # noqa: N802 - the proto's
        return await self._behaviour(request, context)

    async def GetCacheStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - the proto's
        return await self._behaviour(request, context)

    async def PurgeCache(self, request: Any, context: Any) -> Any:  # noqa: N802 - the proto's
        return await self._behaviour(request, context)

    def add_to(self, server: grpc.aio.Server) -> None:
        add_EdgeServiceServicer_to_server(self, server)


def edge_of(behaviour: Behaviour) -> Edge:
    """What is not asked here need not be there."""
    return Edge(behaviour)  # type: ignore[abstract]


def raising(error: Exception) -> Behaviour:
    async def behaviour(_request: Any, _context: Any) -> Any:
        raise error

    return behaviour


async def answer(behaviour: Behaviour) -> pb.GetEdgeStatusResponse:
    """What a client gets from ``behaviour``."""
    async with serving(edge_of(behaviour).add_to, grace=0) as address, channel(address) as to_edge:
        stub: Any = EdgeServiceStub(to_edge)
        with raising_ours():
            response: pb.GetEdgeStatusResponse = await stub.GetEdgeStatus(pb.GetEdgeStatusRequest())
            return response


async def test_an_error_arrives_with_its_facts_and_every_fault() -> None:
    faults = [Fault("tasks[2].type", "is required"), Fault("", "is too large"), Fault("é", "ü…")]
    error = InvalidDefinition("No.", faults, workflow="greet")

    with pytest.raises(InvalidDefinition) as caught:
        await answer(raising(error))

    assert caught.value.detail == "No."
    assert caught.value.faults == tuple(faults)
    assert caught.value.metadata == {"workflow": "greet"}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_error_arrives_as_itself(kind: type[ServiceError]) -> None:
    with pytest.raises(ServiceError) as caught:
        await answer(raising(kind("So it is.", name="x")))
    assert type(caught.value) is kind
    assert caught.value.metadata == {"name": "x"}


async def test_hundreds_of_faults_arrive_and_thousands_are_counted() -> None:
    many = [
        Fault(f"tasks[{number}].inputParameters.uri", "is required " * 5) for number in range(2000)
    ]
    with pytest.raises(InvalidDefinition) as caught:
        await answer(raising(InvalidDefinition("Much is wrong.", many[:400])))
    assert caught.value.faults == tuple(many[:400])

    with pytest.raises(InvalidDefinition) as caught:
        await answer(raising(InvalidDefinition("Much is wrong.", many)))
    assert caught.value.faults[:500] == tuple(many[:500])
    assert caught.value.faults[-1] == Fault("", "and 1500 more faults")


async def test_a_detail_that_quotes_anything_arrives() -> None:
    with pytest.raises(NotFound) as caught:
        await answer(raising(NotFound("\ud800 line\nend \x00 " + "x" * 100_000)))
    assert caught.value.detail.startswith("? line\nend \x00 xxx")
    assert len(caught.value.detail) < 5_000

    with pytest.raises(NotFound) as caught:
        await answer(raising(NotFound("no", name="\ud800" + "x" * 2_000_000)))
    assert caught.value.metadata["name"].startswith("?xxx")
    assert len(caught.value.metadata["name"]) < 5_000


async def test_what_was_not_foreseen_is_internal_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ServiceError, match="Something went wrong") as caught:
        await answer(raising(RuntimeError("the password is hunter2")))
    assert "hunter2" not in caught.value.detail
    assert "hunter2" in caplog.text
    assert "GetEdgeStatus" in caplog.text


async def test_a_handler_s_own_abort_goes_through() -> None:
    async def aborting(_request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    with pytest.raises(Unavailable, match="not now"):
        await answer(aborting)


async def test_nobody_there_is_unavailable() -> None:
    async with channel("127.0.0.1:1") as to_nobody:
        stub: Any = EdgeServiceStub(to_nobody)
        with pytest.raises(Unavailable), raising_ours():
            await stub.GetEdgeStatus(pb.GetEdgeStatusRequest())


faults = st.builds(Fault, st.text(max_size=30), st.text(min_size=1, max_size=30))


@given(
    st.sampled_from(KINDS),
    st.text(max_size=100),
    st.lists(faults, max_size=5),
    st.dictionaries(st.sampled_from(["workflow", "task", "retry_after"]), st.text(max_size=20)),
)
def test_an_error_survives_the_wire_s_form(
    kind: type[ServiceError], detail: str, found: list[Fault], metadata: dict[str, str]
) -> None:
    sent = kind(detail, found, **metadata)
    got = from_status(status_pb2.Status.FromString(to_status(sent).SerializeToString()))
    assert got is not None
    assert (type(got), got.detail, got.faults) == (kind, detail, tuple(found))
    assert got.metadata == metadata


def test_somebody_else_s_status_is_not_taken_for_ours() -> None:
    assert from_status(None) is None
    assert from_status(status_pb2.Status(code=code_pb2.NOT_FOUND, message="gone")) is None
    status = to_status(NotFound("x"))
    info = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="example.com")
    status.details[0].Pack(info)
    assert from_status(status) is None


async def streaming(behaviour: Behaviour, shape: str) -> list[bytes]:
    """The answers to two requests of a bare method of ``shape``."""
    add = getattr(grpc, f"{shape}_rpc_method_handler")
    handlers = grpc.method_handlers_generic_handler("t.T", {"Call": add(behaviour)})
    async with (
        serving(lambda server: server.add_generic_rpc_handlers((handlers,)), grace=0) as address,
        channel(address, lambda: "t") as plain,
    ):
        call: Any = getattr(plain, shape)("/t.T/Call")
        requests = iter((b"a", b"b")) if shape.startswith("stream") else b"a"
        with raising_ours():
            if shape.endswith("unary"):
                return [await call(requests)]
            return [response async for response in call(requests)]


async def echo_generator(request: Any, _context: Any) -> AsyncIterator[bytes]:
    if isinstance(request, bytes):
        yield request
    else:
        async for each in request:
            yield each
    raise NotFound("No more.")


async def echo_writer(request: Any, context: Any) -> None:
    await context.write(b"w")
    if not isinstance(request, bytes):
        # A client that still sends is told by gRPC that it could not, not why the call has ended.
        async for _ in request:
            pass
    raise NotFound("No more.")


@pytest.mark.parametrize("shape", ["unary_stream", "stream_stream"])
@pytest.mark.parametrize("behaviour", [echo_generator, echo_writer])
async def test_a_stream_s_error_arrives_behind_what_was_sent(
    shape: str, behaviour: Behaviour
) -> None:
    with pytest.raises(NotFound, match="No more"):
        await streaming(behaviour, shape)


async def test_a_client_that_leaves_closes_the_handler_s_generator() -> None:
    closed = asyncio.Event()

    async def endless(_request: Any, _context: Any) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    handler: Any = grpc.unary_stream_rpc_method_handler(endless)
    handlers = grpc.method_handlers_generic_handler("t.T", {"Call": handler})
    async with serving(lambda server: server.add_generic_rpc_handlers((handlers,))) as address:
        async with channel(address) as plain:
            method: Any = plain.unary_stream("/t.T/Call")
            call = method(b"")
            assert await call.read() == b"one"
            call.cancel()
        async with asyncio.timeout(5):
            await closed.wait()


async def test_health_and_reflection_know_the_services() -> None:
    name = "podium.edge.v1.EdgeService"
    edge = edge_of(raising(NotFound("x")))
    async with serving(edge.add_to, services=[name]) as address, channel(address) as to_edge:
        health: Any = health_pb2_grpc.HealthStub(to_edge)
        for service in ("", name):
            told = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert told.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(NotFound), raising_ours():
            await health.Check(health_pb2.HealthCheckRequest(service="nope"))

        bare: Any = to_edge
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(bare)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async for response in reflection.ServerReflectionInfo(iter((request,))):
            names = [each.name for each in response.list_services_response.service]
            assert name in names
            assert "grpc.health.v1.Health" in names


async def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StartupError, match=f"{address} cannot be served on: Address already"):
            async with serving(address=address):
                pass


async def test_two_servers_do_not_share_a_port() -> None:
    async with serving() as address:
        with pytest.raises(StartupError, match="Address already in use"):
            async with serving(address=address):
                pass


@pytest.mark.parametrize("address", ["192.0.2.1:0", "nowhere.invalid:0"])
async def test_an_address_that_is_not_ours_is_told_in_one_line(address: str) -> None:
    with pytest.raises(StartupError, match="cannot be served on") as caught:
        async with serving(address=address):
            pass
    assert "\n" not in str(caught.value)


async def test_a_channel_asks_for_the_token_at_each_call() -> None:
    tokens = iter(("one", "two"))
    seen: list[dict[str, Any]] = []

    async def look(_request: Any, context: Any) -> pb.GetEdgeStatusResponse:
        seen.append(dict(context.invocation_metadata()))
        return pb.GetEdgeStatusResponse()

    async with (
        serving(edge_of(look).add_to) as address,
        channel(address, lambda: next(tokens)) as to_edge,
    ):
        stub: Any = EdgeServiceStub(to_edge)
        await stub.GetEdgeStatus(pb.GetEdgeStatusRequest())
        await stub.GetEdgeStatus(pb.GetEdgeStatusRequest(), metadata=rpc.on_behalf_of("shop"))

    assert [each["authorization"] for each in seen] == ["Bearer one", "Bearer two"]
    assert "on-behalf-of" not in seen[0]
    assert seen[1]["on-behalf-of"] == "application:shop"


async def test_messages_pass_up_to_the_limit() -> None:
    async def size(request: bytes, _context: Any) -> bytes:
        return request[:1] * (len(request) - 1)

    handler: Any = grpc.unary_unary_rpc_method_handler(size)
    handlers = grpc.method_handlers_generic_handler("t.T", {"Call": handler})
    async with (
        serving(lambda server: server.add_generic_rpc_handlers((handlers,))) as address,
        channel(address) as plain,
    ):
        call: Any = plain.unary_unary("/t.T/Call")
        assert len(await call(b"x" * rpc.MAX_MESSAGE_BYTES)) == rpc.MAX_MESSAGE_BYTES - 1
        # Not as what may be sent again in a while.
        with pytest.raises(TooLarge), raising_ours():
            await call(b"x" * (rpc.MAX_MESSAGE_BYTES + 1))


async def test_a_restarted_server_is_called_again_within_its_backoff() -> None:
    # Longer than 0.25 s: the channel waits before it connects again, 100 ms at first.
    async def look(_request: Any, _context: Any) -> pb.GetEdgeStatusResponse:
        return pb.GetEdgeStatusResponse(version="x")

    edge = edge_of(look)
    async with serving(edge.add_to, grace=0) as address:
        to_edge = channel(address)
        stub: Any = EdgeServiceStub(to_edge)
        await stub.GetEdgeStatus(pb.GetEdgeStatusRequest())
    async with to_edge:
        with pytest.raises(Unavailable), raising_ours():
            await stub.GetEdgeStatus(pb.GetEdgeStatusRequest())
        async with serving(edge.add_to, address=address, grace=0):
            again = await stub.GetEdgeStatus(
                pb.GetEdgeStatusRequest(), wait_for_ready=True, timeout=5
            )
            assert again.version == "x"
