"""A gateway on a real port in front of a scripted executor on another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from podium.executor.v1.executor_pb2_grpc import ExecutorServiceStub
from services import javascript, rpc
from services.edge import stages
from services.edge.bodies import BodyLimits
from services.edge.call import Call
from services.edge.definitions import Definitions
from services.edge.endpoint import Endpoint, Stage
from services.edge.executor import Executor
from services.edge.flights import flying
from services.edge.gateway import Gateway
from services.edge.judging import RouteJudges
from services.edge.keeping import Cache
from services.edge.links import Links
from services.edge.mcp.serving import Tools
from services.edge.protocol import Limits
from services.edge.scripting import RouteScripts
from services.edge.server import address_of, bound, serving_http
from services.edge.session import Session, kept_open
from services.edge.settings import METADATA_HEADERS
from services.edge.streams import Streams
from services.edge.tokens.fetching import Fetcher
from services.edge.tokens.verifier import Tokens
from services.edge.windows import Windows
from services.egress.configured import Egress
from services.ids import RandomIds, new_execution_id
from services.javascript import Scripts
from services.replica import Replica
from tests.edge.documents import DOCUMENTS, KEY, replica_of
from tests.edge.listeners import listening
from tests.edge.raw import Raw, connected
from tests.edge.scripted import ScriptedExecutor, serving_executor
from tests.edge.suites import Suite, suite_in

if TYPE_CHECKING:
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub


@pytest.fixture
def executor() -> ScriptedExecutor:
    return ScriptedExecutor()  # type: ignore[abstract]


@pytest.fixture
async def address(executor: ScriptedExecutor) -> AsyncGenerator[str]:
    async with serving_executor(executor) as bound:
        yield bound


@asynccontextmanager
async def stub_of(address: str) -> AsyncGenerator[ExecutorServiceAsyncStub]:
    async with rpc.channel(address, lambda: "token") as channel:
        yield ExecutorServiceStub(channel)


@asynccontextmanager
async def joined(stub: ExecutorServiceAsyncStub, **limits: int) -> AsyncGenerator[Session]:
    """A session of the block's own."""
    session = Session(stub, **limits)
    async with kept_open(session):
        yield session


@pytest.fixture
async def session(address: str) -> AsyncGenerator[Session]:
    async with stub_of(address) as stub, joined(stub) as session:
        yield session


@dataclass
class Clock:
    """The gateway's clock, which a test may set."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Edge:
    """A gateway that serves, and what a test needs of it."""

    address: str
    client: httpx.AsyncClient
    executor: ScriptedExecutor
    replica: Replica
    session: Session
    clock: Clock
    gateway: Gateway
    recorded: list[tuple[Call, int]]
    """Calls of tools, with what their routes answered."""


def script_pool() -> AbstractAsyncContextManager[Scripts]:
    """One worker for scripts, which starts when the first is run."""
    return javascript.pool(1, at_once=False)


@pytest.fixture(scope="session")
async def scripts() -> AsyncGenerator[Scripts]:
    """Workers for the scripts of many gateways, one after the other: to start one takes longer than
    most tests."""
    async with script_pool() as scripts:
        yield scripts


@asynccontextmanager
async def gateway_to(
    executor: ScriptedExecutor,
    address: str,
    way: tuple[Stage[Gateway], ...] = stages.STAGES,
    *,
    patience_seconds: float = 0.3,
    scripts: Scripts | None = None,
    judges: RouteJudges | None = None,
) -> AsyncGenerator[Edge]:
    """A gateway to an executor; one that is away is asked for ``patience_seconds``.

    Args:
        scripts: Outlive it; None: its own.
        judges: End with it.
    """
    replica, clock = replica_of(*DOCUMENTS), Clock()
    tools = Tools("1", 1 << 20)
    recorded: list[tuple[Call, int]] = []
    judges = judges or RouteJudges()
    fetcher = Fetcher(Egress.allowing(["loopback"]))
    tokens = Tokens(fetcher.keys, lambda: clock.now.timestamp())
    async with (
        stub_of(address) as stub,
        joined(stub) as session,
        nullcontext(scripts) if scripts else script_pool() as scripts,
        flying(most=100) as flights,
        tools.kept_open(lambda call, status: recorded.append((call, status))),
    ):
        gateway = Gateway(
            definitions=Definitions(replica),
            session=session,
            executor=Executor(stub, patience_seconds=patience_seconds),
            links=Links.of(b"cluster key"),
            judges=judges,
            scripts=RouteScripts(scripts),
            windows=Windows(),
            streams=Streams(3, 60.0, most_each=2),
            tools=tools,
            tokens=tokens,
            cache=Cache(1 << 20),
            flights=flights,
            body_limits=BodyLimits(idle_seconds=0.1),
            metadata_headers=frozenset(name.encode() for name in METADATA_HEADERS),
            now=lambda: clock.now,
            monotonic=lambda: clock.now.timestamp(),
            new_id=RandomIds(),
            new_execution_id=new_execution_id,
        )
        sock = bound("127.0.0.1:0")
        async with serving_http(
            Endpoint(way, gateway),
            sock,
            Limits(),
            drain_seconds=1.0,
            on_last_second=session.give_up_all,
        ):
            where = address_of(sock)
            async with httpx.AsyncClient(
                base_url=f"http://{where}", headers={"x-api-key": KEY}, trust_env=False
            ) as client:
                yield Edge(where, client, executor, replica, session, clock, gateway, recorded)
        await judges.close()
        await tokens.close()
        await fetcher.close()


@pytest.fixture
async def edge(executor: ScriptedExecutor, address: str, scripts: Scripts) -> AsyncGenerator[Edge]:
    async with gateway_to(executor, address, scripts=scripts) as serving:
        yield serving


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncGenerator[Suite]:
    async with suite_in(tmp_path) as suite:
        yield suite


@pytest.fixture
async def listener() -> AsyncGenerator[str]:
    async with listening() as address:
        yield address


@pytest.fixture
async def raw(listener: str) -> AsyncGenerator[Raw]:
    async with connected(listener) as raw:
        yield raw


@pytest.fixture(scope="package", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncGenerator[None]:
    """Keep the loop open between tests: gRPC still speaks to that of a channel just closed."""
    yield
    # What has been called back by now is heard before the loop goes.
    await asyncio.sleep(0)
