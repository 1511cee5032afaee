"""A suite that is the same at every run: its clock goes on only where it is told to, its ids are
drawn from a seed, and what it calls takes as long as it is to take.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import time_machine
from ruamel.yaml import YAML

from podium.executor.v1 import executor_pb2
from services.ids import new_execution_id
from tests.tui.console.traffic import call, serve
from tests.tui.services import PATIENCE_SECONDS, Services, put, services_in, start
from tui.clients import connected

# Later than any run: what ends in its time has not ended yet for gRPC, which looks at the real one.
BEGINS = datetime(2042, 3, 14, 9, 0, tzinfo=ZoneInfo("UTC"))
CALLS = 30
COUNTED_SECONDS = 1.5
# Less than what waits in it waits for.
QUIET_SECONDS = 6 * 60
EXAMPLES = Path(__file__).parents[2] / "examples"
JSON = dict[str, Any]
Ids = Mapping[str, str]


class Clock:
    """The time of everything in this process that asks for the time of day.

    Attributes:
        ids: Random numbers that are the same at every run.
    """

    def __init__(self, seed: int, traveller: time_machine.Traveller) -> None:
        self.ids = random.Random(seed)
        self._pace = random.Random(seed)
        self._traveller = traveller

    def wait(self, seconds: float) -> None:
        """It is so much later."""
        self._traveller.shift(seconds)

    def about(self, seconds: float) -> None:
        """It is about so much later."""
        self.wait(round(seconds * self._pace.uniform(0.6, 1.8), 3))

    def id(self) -> str:
        """The next id of an execution."""
        return new_execution_id()


class _Answers(BaseHTTPRequestHandler):
    """Items at once, jobs that run for ever; anything else is not found."""

    server: _Upstream
    server_version, sys_version = "items", ""

    def do_GET(self) -> None:
        if self.path.startswith("/items/"):
            self._answer(200, 0.04, {"item": self.path.rpartition("/")[2], "price": 17})
        elif self.path.startswith("/jobs/"):
            self._answer(202, 0.02, {"status": "RUNNING", "progress": 12})
        else:
            self._answer(404, 0.01, {"why": "nothing is here"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(202, 0.2, {"jobId": "j-1"})

    def _answer(self, status: int, seconds: float, body: JSON) -> None:
        self.server.clock.about(seconds)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *about: object) -> None:
        """Say nothing."""


class _Upstream(ThreadingHTTPServer):
    def __init__(self, port: int, clock: Clock) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.clock = clock


@contextmanager
def _upstream(port: int, clock: Clock) -> Iterator[str]:
    with _Upstream(port, clock) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def standing_still(seed: int = 1) -> Iterator[Clock]:
    """Time and ids of this process are :class:`Clock`'s while this is open."""
    with time_machine.travel(BEGINS, tick=False) as traveller, ExitStack() as stack:
        clock = Clock(seed, traveller)
        measured = SimpleNamespace(
            monotonic=time.time, time=time.time, time_ns=time.time_ns, sleep=time.sleep
        )
        for module in ("edge.cycle", "edge.endpoint", "edge.metrics.recorder", "executor.writer"):
            stack.enter_context(patch(f"services.{module}.time", measured))
        stack.enter_context(patch("services.executor.effects.http.monotonic", time.time))
        drawn = SimpleNamespace(urandom=clock.ids.randbytes)
        stack.enter_context(patch("services.ids.os", drawn))
        yield clock


# What there is to see


def task(ref: str, kind: str, **given: Any) -> JSON:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": given}


def order(upstream: str) -> JSON:
    """A workflow that starts a job and polls it, past a choice."""
    return {
        "name": "Order", "version": 1, "description": "Prices an order and has it made.",
        "tasks": [
            task("price", "HTTP", uri=f"{upstream}/items/${{workflow.input.orderId}}",
                 method="GET"),
            task("size", "SWITCH", level="${workflow.input.size}") | {
                "evaluatorType": "value-param", "expression": "level",
                "decisionCases": {"large": [task("announce", "NOOP")]},
                "defaultCase": [task("pick", "NOOP")],
            },
            task("job", "HTTP", uri=f"{upstream}/jobs", method="POST",
                 body={"seconds": 600, "owner": "${workflow.workflowId}"}),
            task("poll", "HTTP_POLL", method="GET", pollingInterval=600, pollingStrategy="FIXED",
                 uri=f"{upstream}/jobs/${{job.output.response.body.jobId}}",
                 terminationCondition="$.output.response.statusCode == 200"),
        ],
        "outputParameters": {"job": "${poll.output.response.body.result}"},
    }  # fmt: skip


def quotes(upstream: str) -> list[JSON]:
    """A service that tells prices, to anybody."""
    price = task("price", "HTTP", uri=f"{upstream}/items/${{workflow.input.item}}", method="GET")
    away = task("ask", "HTTP", uri=f"{upstream}/nowhere", method="GET")
    allowed = [
        {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]}
        for name in ("Quote", "Away")
    ]
    return [
        {"name": "Quote", "version": 1, "description": "Tells a price.", "tasks": [price],
         "outputParameters": {"price": "${price.output.body.price}"}},
        {"name": "Away", "version": 1, "tasks": [away]},
        {"kind": "application", "id": "quotes", "permissions": allowed},
        {"kind": "auth", "id": "quotes", "authenticationType": "NONE", "applicationId": "quotes"},
        {"kind": "service", "id": "quotes", "name": "Quotes", "path": "/quotes",
         "authConfigId": "quotes", "routes": [
             {"httpMethod": "GET", "path": "/{item}", "mappedWorkflow": {"name": "Quote"}},
             {"httpMethod": "POST", "path": "/away", "mappedWorkflow": {"name": "Away"}},
         ]},
    ]  # fmt: skip


@asynccontextmanager
async def still_suite(home: Path, port: int = 0) -> AsyncGenerator[tuple[Services, Clock, Ids]]:
    """A suite that was busy for a while, and the ids of executions of it by what they are.

    Args:
        port: Of the upstream, whose address some places show.
    """
    with standing_still() as clock, _upstream(port, clock) as upstream:
        async with services_in(home) as services:
            yield services, clock, await _busy(services, upstream, clock)


async def _busy(services: Services, upstream: str, clock: Clock) -> Ids:
    feedback = YAML(typ="safe").load_all((EXAMPLES / "feedback.yaml").read_text("utf-8"))
    await put(services, *feedback, order(upstream), *quotes(upstream))
    await serve(services, "shop")
    await call(services, *(f"GET /quotes/i-{number}" for number in range(CALLS)))
    for _ in range(5):
        await call(services, "POST /shop/quick", "GET /shop/kept/1")
    await call(services, "POST /shop/fails", "POST /shop/held", *["POST /quotes/away"] * 3)
    ids = await _executions(services, clock)
    # Services count by real seconds, of which each is told by the time of its end: once the last of
    # them is over, nothing that was done is of the newest.
    await asyncio.sleep(COUNTED_SECONDS)
    clock.wait(QUIET_SECONDS)
    await asyncio.sleep(COUNTED_SECONDS)
    return ids


async def _executions(services: Services, clock: Clock) -> Ids:
    async def begun(workflow: str, **more: Any) -> str:
        clock.wait(2)
        id_ = await start(services, workflow, execution_id=clock.id(), **more)
        await ended_or_polling(services, id_, polls=workflow == "Order")
        return id_

    failed = await begun("Away", correlation_id="night-run")
    await begun("Feedback", input='{"rating": 5, "comment": "Fast."}')
    orders = [
        await begun("Order", input=f'{{"orderId": "o-{each}", "size": "large"}}')
        for each in range(1, 4)
    ]
    return {"order": orders[-1], "failed": failed}


async def ended_or_polling(services: Services, id_: str, *, polls: bool) -> None:
    """Wait until an execution has ended, or has polled once."""
    request = executor_pb2.GetExecutionRequest(execution_id=id_)
    async with connected(services.suite) as clients, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            told = await clients.executor.GetExecution(request)
            polled = any(each.poll_count and each.HasField("next_at") for each in told.tasks)
            if told.state.HasField("ended_at") or (polls and polled):
                return
            await asyncio.sleep(0.01)
