"""A whole executor in a test: real database, real gRPC, real upstream, all but a registry.

Definitions are put into a real replica by hand.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from aiohttp import web
from google.protobuf.duration_pb2 import Duration

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc as rpc
from podium.worker.v1 import worker_pb2_grpc as workers_rpc
from services import javascript
from services.access import AccessInterceptor, ServiceIdentity, Verifier
from services.auditing.noting import Noting, NotingInterceptor
from services.egress.configured import Egress
from services.executor import effects, store as stores
from services.executor.audited import OutboxRows
from services.executor.breaking.breaker import Thresholds
from services.executor.breaking.breakers import Breakers
from services.executor.deliveries import Terms
from services.executor.effects.callbacks import CallbackTokens
from services.executor.handingoff import HandingOff
from services.executor.runtime import Limits, Runtime, running
from services.executor.service import Executor
from services.executor.snapshots import Snapshots
from services.executor.store import Store
from services.executor.workers.service import Workers
from services.replica import Replica, Stored
from services.replica.copy import Place, Trust
from services.rpc import channel, on_behalf_of, serving
from services.sealing import Sealer

if TYPE_CHECKING:
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub
    from podium.worker.v1.worker_pb2_grpc import WorkerServiceAsyncStub

CLUSTER_KEY = b"a cluster's key of more than thirty-two bytes"
SECRET_KEY = b"a sealing key of more than thirty-two bytes, too"
ADMIN = on_behalf_of("admin")

_revisions = itertools.count(1)


def http(ref: str, uri: str, **http_request: Any) -> dict[str, Any]:
    """An HTTP step."""
    request = {"uri": uri, "method": "GET", **http_request}
    return step(ref, "HTTP", http_request=request)


def step(ref: str, kind: str, **inputs: Any) -> dict[str, Any]:
    """A step of any kind."""
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs}


def workflow(name: str, *tasks: Mapping[str, Any], version: int = 1, **more: Any) -> dict[str, Any]:
    """A workflow definition."""
    return {"kind": "workflow", "name": name, "version": version, "tasks": list(tasks), **more}


def secret(name: str, value: str) -> dict[str, Any]:
    """A secret, as the registry hands it out."""
    return {"kind": "secret", "name": name, "value": Sealer(SECRET_KEY).seal(value)}


def wait(seconds: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(int(seconds * 1000))
    return duration


def start(workflow_name: str, **fields: Any) -> pb.Start:
    """A start by the edge for the administrator's application."""
    given = {"on_behalf_of": "admin", "fingerprint": b"same", **fields}
    if not isinstance(given.get("input", ""), str):
        given["input"] = json.dumps(given["input"])
    return pb.Start(workflow_name=workflow_name, **given)


def new_id() -> str:
    return str(uuid.uuid4())


def replica_of(*documents: Mapping[str, Any]) -> Replica:
    """A replica that holds ``documents`` and an administrator's application."""
    replica = Replica((), Place(), Trust({}, frozenset()))
    put(replica, {"kind": "application", "id": "admin", "roles": ["ADMIN"]}, *documents)
    return replica


def put(replica: Replica, *documents: Mapping[str, Any]) -> None:
    """Have ``documents`` arrive at the replica."""
    revision = replica.revision
    changes = []
    for document in documents:
        revision += 1
        name = document.get("name") or document["id"]
        changes.append(
            Stored(
                document["kind"],
                name,
                document.get("version", 0),
                revision,
                f"etag-{next(_revisions)}",
                json.dumps(document),
            )
        )
    replica.apply(changes, Place("epoch", revision))


Handler = Callable[[web.Request], Any]


@dataclass
class Upstream:
    """A real HTTP server whose answers a test says."""

    url: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.asked.append((request.path, body))
        answer = self.handlers[request.path](request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response(answer)


@asynccontextmanager
async def upstream(**handlers: Handler) -> AsyncGenerator[Upstream]:
    """An upstream; ``item=…`` answers ``/item``."""
    serving_ = Upstream("", {f"/{name}": handler for name, handler in handlers.items()})
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", serving_.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        serving_.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield serving_
    finally:
        await runner.cleanup()


@dataclass
class Rig:
    """An executor that serves, and a stub that calls it as the edge does."""

    stub: ExecutorServiceAsyncStub
    runtime: Runtime
    store: Store
    replica: Replica
    executor: Executor
    address: str
    workers: WorkerServiceAsyncStub

    async def run(self, workflow_name: str, seconds: float = 10, **fields: Any) -> pb.Result:
        """The result of a new execution."""
        response = await self.stub.RunExecution(
            pb.RunExecutionRequest(start=start(workflow_name, **fields), wait=wait(seconds))
        )
        return response.result

    async def begin(self, workflow_name: str, **fields: Any) -> str:
        """The id of a new execution."""
        response = await self.stub.StartExecution(
            pb.StartExecutionRequest(start=start(workflow_name, **fields))
        )
        return response.execution_id

    async def get(self, execution_id: str) -> pb.GetExecutionResponse:
        return await self.stub.GetExecution(
            pb.GetExecutionRequest(execution_id=execution_id), metadata=ADMIN
        )

    async def ended(self, execution_id: str, seconds: float = 10) -> pb.Result:
        """The result of an execution that is there."""
        response = await self.stub.AttachExecution(
            pb.AttachExecutionRequest(
                attach=pb.Attach(execution_id=execution_id, on_behalf_of="admin"),
                wait=wait(seconds),
            )
        )
        return response.result


async def traced(rig: Rig) -> list[str]:
    """What its readers say to the database from now on; the list goes on."""
    said: list[str] = []
    together = threading.Barrier(4)

    def listen(db: sqlite3.Connection) -> None:
        # So that each of the threads does it.
        together.wait(20)
        db.set_trace_callback(said.append)

    await asyncio.gather(*(rig.store.readers.read(listen) for _ in range(4)))
    return said


@asynccontextmanager
async def executing(
    path: Path,
    definitions: Sequence[Mapping[str, Any]] | Replica = (),
    *,
    scripts: int = 0,
    patience: timedelta = timedelta(seconds=30),
    limits: Limits | None = None,
    terms: Terms | None = None,
    breaking: Thresholds | None = None,
    environment: Mapping[str, Any] | None = None,
) -> AsyncGenerator[Rig]:
    """An executor over the database at ``path``.

    Args:
        scripts: How many script workers it has.
        patience: How long a script waits for one of them.
    """
    replica = definitions if isinstance(definitions, Replica) else replica_of(*definitions)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(javascript.pool(scripts, patience=patience))
        store = await stack.enter_async_context(stores.opened(path))
        breakers = Breakers(breaking)
        performers = await stack.enter_async_context(
            effects.opened(Egress.allowing(["loopback"]), breakers)
        )
        tokens = CallbackTokens(store.callback_key)
        handing_off = HandingOff(replica, Sealer(SECRET_KEY), tokens, "http://gateway.example")
        runtime = await stack.enter_async_context(
            running(
                store,
                Snapshots(replica, environment),
                pool,
                performers,
                handing_off,
                limits=limits,
                terms=terms,
                breakers=breakers,
            )
        )
        executor, workers = Executor(runtime, replica, tokens), Workers(runtime, replica)
        executor.ends_with(workers.end_sessions)
        verifier = Verifier(CLUSTER_KEY, replica, "executor")
        noting = Noting(OutboxRows(store).put, replica, leaves=True)
        address = await stack.enter_async_context(
            serving(
                executor.add_to,
                workers.add_to,
                interceptors=[NotingInterceptor(noting), AccessInterceptor(verifier, replica)],
                grace=0.2,
                failed=noting.failed,
            )
        )
        identity = ServiceIdentity(CLUSTER_KEY, "edge")
        edge: grpc.aio.Channel = await stack.enter_async_context(
            channel(address, lambda: identity.token("executor"))
        )
        stub: ExecutorServiceAsyncStub = rpc.ExecutorServiceStub(edge)
        try:
            workers_stub: WorkerServiceAsyncStub = workers_rpc.WorkerServiceStub(edge)
            yield Rig(stub, runtime, store, replica, executor, address, workers_stub)
        finally:
            executor.end_sessions()
