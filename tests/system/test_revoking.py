"""Keys that end while much is open by them, and signing keys rotated under load, from outside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from podium.common.v1 import log_pb2, log_pb2_grpc
from podium.edge.v1 import edge_pb2, edge_pb2_grpc
from podium.executor.v1 import executor_pb2, executor_pb2_grpc
from podium.registry.v1 import access_pb2, registry_pb2, registry_pb2_grpc
from podium.worker.v1 import worker_pb2, worker_pb2_grpc
from services import rpc
from services.errors import PermissionDenied, ServiceError, Unauthenticated
from tests.system.conftest import expose
from tests.system.running import Suite, suite_in, until

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(180)

PATIENCE_SECONDS = 30.0
CALLERS = 32
WAITS = {"name": "w", "taskReferenceName": "w", "type": "WAIT", "inputParameters": {}}
WATCHER = {"kind": "application", "id": "watcher", "roles": ["ADMIN"]}


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite of this file's own: what is rotated here is everybody's."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODIUM_SIGNING_KEY_NOTICE_SECONDS", "5")
        with suite_in(tmp_path_factory.mktemp("revoking")) as suite:
            suite.apply(WATCHER, *expose("held", WAITS))
            yield suite


def told(suite: Suite, *command: str) -> Any:
    """What a command prints as JSON."""
    done = suite.podium(*command, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def token_of(suite: Suite, key: dict[str, str]) -> str:
    """A token, as any client of the management API gets it."""
    body = {"keyId": key["keyId"], "keySecret": key["keySecret"]}
    answer = httpx.post(f"{suite.management}/api/token", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def started(suite: Suite) -> str:
    """An execution that goes on."""
    return suite.podium("run", "held").stdout.split()[0]


class Services:
    """The three services as a holder of a token calls them."""

    def __init__(self, suite: Suite, token: Callable[[], str], stack: AsyncExitStack) -> None:
        self._suite = suite
        self._token = token
        self._stack = stack

    async def stub(self, stub: Any, service: str) -> Any:
        channel = rpc.channel(str(self._suite.endpoints[service]), self._token)
        return stub(await self._stack.enter_async_context(channel))

    async def streams(self, execution_id: str) -> dict[str, Any]:
        """One of each kind that goes on, by name."""
        registry = await self.stub(registry_pb2_grpc.RegistryServiceStub, "registry")
        executor = await self.stub(executor_pb2_grpc.ExecutorServiceStub, "executor")
        worker = await self.stub(worker_pb2_grpc.WorkerServiceStub, "executor")
        edge = await self.stub(edge_pb2_grpc.EdgeServiceStub, "edge")
        watch = executor_pb2.WatchExecutionRequest(execution_id=execution_id)
        # Written, not given as a generator: that would outlive its stream.
        work = worker.Work()
        await work.write(_hello())
        return {
            "catalog": registry.WatchCatalog(registry_pb2.WatchCatalogRequest()),
            "audit": registry.WatchAuditEntries(registry_pb2.WatchAuditEntriesRequest()),
            "access": registry.WatchOwnAccess(access_pb2.WatchOwnAccessRequest()),
            "execution": executor.WatchExecution(watch),
            "executions": executor.WatchExecutions(executor_pb2.WatchExecutionsRequest()),
            "engine": executor.WatchEngineMetrics(executor_pb2.WatchEngineMetricsRequest()),
            "gateway": edge.WatchGatewayMetrics(edge_pb2.WatchGatewayMetricsRequest()),
            "work": work,
            **{
                f"log of {name}": (await self.stub(log_pb2_grpc.LogServiceStub, name)).WatchLog(
                    log_pb2.WatchLogRequest(follow=True)
                )
                for name in ("registry", "executor", "edge")
            },
        }

    async def asked(self) -> list[type[ServiceError] | None]:
        """How a call of each service ends."""
        registry = await self.stub(registry_pb2_grpc.RegistryServiceStub, "registry")
        executor = await self.stub(executor_pb2_grpc.ExecutorServiceStub, "executor")
        edge = await self.stub(edge_pb2_grpc.EdgeServiceStub, "edge")
        calls = [
            registry.GetRegistryStatus(registry_pb2.GetRegistryStatusRequest()),
            executor.GetExecutorStatus(executor_pb2.GetExecutorStatusRequest()),
            edge.GetEdgeStatus(edge_pb2.GetEdgeStatusRequest()),
        ]
        errors = [await _ending(call) for call in calls]
        return [type(error) if error else None for error in errors]


def _hello() -> worker_pb2.WorkRequest:
    offers = [worker_pb2.Offer(task_type="nothing-to-do", slots=1)]
    return worker_pb2.WorkRequest(hello=worker_pb2.Hello(worker_id="w", offers=offers))


async def _ending(call: Any) -> ServiceError | None:
    try:
        with rpc.raising_ours():
            await call
    except ServiceError as error:
        return error
    return None


async def _end_of(stream: Any, begun: asyncio.Event) -> type[Exception] | None:
    """What ends a stream."""
    try:
        with rpc.raising_ours():
            async for _ in stream:
                begun.set()
    except ServiceError as error:
        return type(error)
    return None


@asynccontextmanager
async def services(suite: Suite, token: str) -> AsyncGenerator[Services]:
    async with AsyncExitStack() as stack:
        yield Services(suite, lambda: token, stack)


async def opened(streams: dict[str, Any]) -> dict[str, asyncio.Task[Any]]:
    """Each read until it ends, by name, once each has said something."""
    # A worker is told nothing while there is nothing to do.
    begun = {name: asyncio.Event() for name in streams}
    begun["work"].set()
    ends = {name: asyncio.create_task(_end_of(streams[name], begun[name])) for name in streams}
    async with asyncio.timeout(PATIENCE_SECONDS):
        for event in begun.values():
            await event.wait()
    assert {name: task.result() for name, task in ends.items() if task.done()} == {}
    return ends


async def ended(tasks: dict[str, asyncio.Task[Any]]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait(tasks.values())
    return {name: task.result() for name, task in tasks.items()}


@pytest.mark.parametrize("way", ["revoke", "roll"])
async def test_all_that_a_key_has_open_ends_with_it(revoked: Suite, way: str) -> None:
    key = await asyncio.to_thread(told, revoked, "access-keys", "create", "watcher")
    token = token_of(revoked, key)
    execution = await asyncio.to_thread(started, revoked)
    async with services(revoked, token) as outside:
        streams = await opened(await outside.streams(execution))

        more = ("--overlap", "0") if way == "roll" else ()
        await asyncio.to_thread(told, revoked, "access-keys", way, *more, key["keyId"])

        assert await ended(streams) == dict.fromkeys(streams, Unauthenticated)
        assert await outside.asked() == [Unauthenticated] * 3
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{revoked.management}/metrics", headers=headers)
        assert answer.status_code == 401
    if way == "revoke":
        # What was told is kept: whoever is started anew refuses it as well.
        pid = revoked.kill("executor")
        until(lambda: revoked.pids.get("executor", pid) != pid, 30, "the executor is back")
        async with services(revoked, token) as outside:
            assert await outside.asked() == [Unauthenticated] * 3


async def test_a_paused_application_has_nothing_open_and_its_callers_wait_for_nothing(
    revoked: Suite,
) -> None:
    key = await asyncio.to_thread(told, revoked, "access-keys", "create", "watcher")
    execution = await asyncio.to_thread(started, revoked)
    headers = revoked.caller("held") | {"Accept": "text/event-stream"}
    async with (
        services(revoked, token_of(revoked, key)) as outside,
        httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", f"{revoked.gateway}/held", headers=headers) as events,
    ):
        lines = events.aiter_lines()
        assert (await anext(lines)).startswith("retry")
        streams = await opened(await outside.streams(execution))
        held = expose("held", WAITS)[1]

        paused = [WATCHER | {"enabled": False}, held | {"enabled": False}]
        await asyncio.to_thread(revoked.apply, *paused)

        assert await ended(streams) == dict.fromkeys(streams, PermissionDenied)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert not [line async for line in lines if line.startswith("event: result")]
        again = await client.post(f"{revoked.gateway}/held", headers=revoked.caller("held"))
        assert again.status_code == 403
        await asyncio.to_thread(revoked.apply, WATCHER, held)
        assert await outside.asked() == [None] * 3


async def test_no_caller_is_refused_while_signing_keys_are_rotated(revoked: Suite) -> None:
    key = await asyncio.to_thread(told, revoked, "access-keys", "create", "watcher")
    tokens = {"now": await asyncio.to_thread(token_of, revoked, key)}
    seen, over, refused, answered = set[str](), asyncio.Event(), list[Any](), list[str]()

    async def call() -> None:
        async with AsyncExitStack() as stack:
            outside = Services(revoked, lambda: tokens["now"], stack)
            stubs = [
                (await outside.stub(stub, name), method, request)
                for stub, name, method, request in _STATUSES
            ]
            while not over.is_set():
                for stub, method, request in stubs:
                    if (error := await _ending(getattr(stub, method)(request))) is not None:
                        refused.append((method, error.detail))
                answered.append(method)

    async def renew() -> None:
        while not over.is_set():
            tokens["now"] = await asyncio.to_thread(token_of, revoked, key)
            seen.add(jwt.get_unverified_header(tokens["now"])["kid"])

    async with asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(call())
        callers.create_task(renew())
        await asyncio.to_thread(told, revoked, "signing-keys", "rotate")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(seen) < 2:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.1)
        over.set()

    assert refused == []
    assert len(answered) > CALLERS
    states = [each["state"] for each in await asyncio.to_thread(told, revoked, "signing-keys")]
    assert states == ["VERIFIES", "SIGNS"]


_STATUSES: tuple[tuple[Any, str, str, Any], ...] = (
    (
        registry_pb2_grpc.RegistryServiceStub,
        "registry",
        "GetRegistryStatus",
        registry_pb2.GetRegistryStatusRequest(),
    ),
    (
        executor_pb2_grpc.ExecutorServiceStub,
        "executor",
        "GetExecutorStatus",
        executor_pb2.GetExecutorStatusRequest(),
    ),
    (edge_pb2_grpc.EdgeServiceStub, "edge", "GetEdgeStatus", edge_pb2.GetEdgeStatusRequest()),
)


def test_rolled_the_home_s_own_key_is_kept_in_the_home(revoked: Suite) -> None:
    credentials = revoked.home / "credentials.json"
    before = json.loads(credentials.read_text())

    rolled = told(revoked, "access-keys", "roll", before["keyId"], "--overlap", "0")

    after = json.loads(credentials.read_text())
    assert after == {"keyId": rolled["keyId"], "keySecret": rolled["keySecret"]}
    assert (revoked.home / "admin.secret").read_text().strip() == rolled["keySecret"]
    assert Path(credentials).stat().st_mode & 0o777 == 0o600
    assert revoked.podium("get", "workflow").returncode == 0


def test_all_others_are_ended_by_one_command(revoked: Suite) -> None:
    before = {each["keyId"] for each in told(revoked, "signing-keys")}

    done = revoked.podium("signing-keys", "rotate", "--revoke", "--yes", "--output", "json")

    assert done.returncode == 0, done.stderr
    (key,) = json.loads(done.stdout)
    assert key["keyId"] not in before
    until(lambda: revoked.podium("executions").returncode == 0, 30, "there are new tokens")
