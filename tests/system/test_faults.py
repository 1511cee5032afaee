"""What holds while something is away or misbehaves, from outside; docs/reliability.md tells it.

The services run apart: what is ended here stays away until the test has it come back.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from podium.executor.v1 import executor_pb2, executor_pb2_grpc
from podium.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.system.apart import SERVICES, Apart, Callers, apart
from tests.system.conftest import expose, http, poll

pytestmark = pytest.mark.timeout(180)

SCRIPT = {"name": "s", "taskReferenceName": "s", "type": "INLINE"}
GREEDY = "let all = []; for (;;) all.push(new Array(1e7).fill(7));"


def script(expression: str) -> dict[str, Any]:
    return {**SCRIPT, "inputParameters": {"evaluatorType": "javascript", "expression": expression}}


def flows(upstream: str) -> list[dict[str, Any]]:
    """What the tests call: an answer at once, a kept one, a job of seconds, and a greedy script."""
    job = http("start", f"{upstream}/jobs", "POST", body={"seconds": "${workflow.input.seconds}"})
    status = poll(
        "poll", f"{upstream}/jobs/${{start.output.response.body.jobId}}",
        "$.output.response.body.status == 'COMPLETED'", pollingInterval=1,
    )  # fmt: skip
    kept = {"cacheConfig": {"ttlInSecond": 600}, "httpMethod": "GET"}
    return [
        *expose("steady", http("item", f"{upstream}/items/7"), route={"timeoutInSeconds": 3}),
        *expose("kept", http("item", f"{upstream}/items/8"), route=kept),
        *expose("job", job, status),
        *expose("later", job, status, route={"workflowExecutionMode": "ASYNCHRONOUS"}),
        *expose("greedy", script(GREEDY)),
*expose("scripted", script("1 + 1")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with apart(
        tmp_path_factory.mktemp("apart"), settings={"PODIUM_EGRESS_ALLOW": "loopback"}
    ) as it:
        it.start(*SERVICES)
        yield it


@pytest.fixture(scope="module")
def callers(services: Apart, upstream: str) -> Callers:
    callers = Callers(services)
    callers.apply(*flows(upstream))
    return callers


@pytest.fixture(autouse=True)
def all_there(services: Apart) -> None:
    """Each test finds all of them, whatever became of the one before."""
    services.start(*(name for name in SERVICES if name not in services.processes))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_with_the_registry_away_calls_go_on_and_changes_are_refused(
    services: Apart, callers: Callers
) -> None:
    callers.works("steady")
    services.end("registry")

    callers.works("steady")
    changed = services.podium("apply", "-", text=json.dumps({"name": "w", "tasks": []}))
    assert changed.returncode == 1
    assert "registry" in changed.stderr
    # Over a restart, too: each has its copy of the definitions, and the keys of tokens.
    for name in ("executor", "edge"):
        services.end(name)
        services.start(name)
    callers.works("steady")

    services.start("registry")
    callers.apply({"name": "again", "version": 1, "tasks": [script("1")]})


def test_with_the_executor_away_starts_are_refused_and_nothing_is_lost(
    services: Apart, callers: Callers, pool: ThreadPoolExecutor
) -> None:
    kept = httpx.get(f"{services.gateway}/kept", headers=callers.headers("kept"), timeout=60)
    assert kept.status_code == 200, kept.text
    waiting: Future[httpx.Response] = pool.submit(callers.call, "job", {"seconds": 2})
    accepted = callers.call("later", {"seconds": 1})
    assert accepted.status_code == 202, accepted.text
    services.end("executor")

    refused = callers.call("steady")
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["retry-after"]) >= 1
    again = httpx.get(f"{services.gateway}/kept", headers=callers.headers("kept"), timeout=60)
    assert (again.status_code, again.json()) == (200, kept.json())
    assert httpx.get(f"{services.management}/health", timeout=60).status_code == 200

    services.start("executor")
    assert waiting.result(60).status_code in (200, 202), waiting.result().text
    assert callers.ended("later", accepted.json()["executionId"]).status_code == 200
    callers.works("steady")


def test_with_the_edge_away_executions_go_on_and_a_caller_asks_again(
    services: Apart, callers: Callers, pool: ThreadPoolExecutor
) -> None:
    key = {"Idempotency-Key": "order-7"}
    waiting = pool.submit(callers.call, "job", {"seconds": 2}, **key)
    accepted = callers.call("later", {"seconds": 1})
    services.end("edge")

    with pytest.raises(httpx.HTTPError):
        waiting.result(60)
    with pytest.raises(httpx.ConnectError):
        callers.call("steady")

    services.start("edge")
    assert callers.ended("later", accepted.json()["executionId"]).status_code == 200
    # Once, however often it is asked for: the second finds the first one's execution, if it began.
    first = callers.call("job", {"seconds": 2}, **key)
    second = callers.call("job", {"seconds": 2}, **key)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert first.headers["podium-execution-id"] == second.headers["podium-execution-id"]


def test_a_watcher_that_never_reads_costs_the_others_nothing(
    services: Apart, callers: Callers, pool: ThreadPoolExecutor
) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{services.ports['7401']}") as registry:
        secret = (services.folder / "secrets" / "admin_secret").read_text().strip()
        asked = registry_pb2.IssueTokenRequest(key_id="admin", key_secret=secret)
        token = registry_pb2_grpc.RegistryServiceStub(registry).IssueToken(asked).token
    with grpc.insecure_channel(f"127.0.0.1:{services.ports['7402']}") as channel:
        stub = executor_pb2_grpc.ExecutorServiceStub(channel)
        streams = [
            stub.WatchExecutions(
                executor_pb2.WatchExecutionsRequest(),
                metadata=(("authorization", f"Bearer {token}"),),
            )
            for _ in range(8)
        ]
        before = resident(services, "executor")
        with httpx.Client(headers=callers.headers("steady"), timeout=60) as client:
            url = f"{services.gateway}/steady"
            answers = list(pool.map(lambda _: client.post(url, json={}), range(600)))

        assert {answer.status_code for answer in answers} <= {200, 503}
        assert resident(services, "executor") - before < 50
        # Who begins to read after all is not told of each, and still of how all of it stands.
        first = next(iter(streams[0]))
        assert first.ListFields()
        for stream in streams:
            stream.cancel()


def resident(services: Apart, name: str) -> float:
    """MB."""
    status = Path(f"/proc/{services.processes[name].pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


@pytest.mark.parametrize("sent", [b"", b'{"seconds"'], ids=["its headers", "half a body"])
def test_a_client_that_dies_half_way_leaves_nothing_behind(
    services: Apart, callers: Callers, sent: bytes
) -> None:
    host, port = "127.0.0.1", int(services.ports["8080"])
    head = (
        f"POST /steady HTTP/1.1\r\nHost: here\r\nX-API-Key: {callers.keys['steady']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )
    for _ in range(50):
        with socket.create_connection((host, port), timeout=20) as dying:
            dying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            dying.sendall(head.encode() + sent)

    callers.works("steady")


def test_a_client_that_leaves_while_it_waits_can_ask_for_the_answer_later(
    services: Apart, callers: Callers
) -> None:
    key = {"Idempotency-Key": "left"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{services.gateway}/job", json={"seconds": 1},
            headers=callers.headers("job", **key), timeout=0.5,
        )  # fmt: skip

    answer = callers.call("job", {"seconds": 1}, **key)

    assert answer.status_code in (200, 202), answer.text
    assert callers.ended("job", answer.headers["podium-execution-id"]).status_code == 200


def test_scripts_that_eat_memory_end_alone(
    services: Apart, callers: Callers, pool: ThreadPoolExecutor
) -> None:
    before = resident(services, "executor")
    stop = threading.Event()
    others = pool.submit(lambda: [callers.works("scripted") for _ in iter(stop.is_set, True)])

    greedy = list(pool.map(lambda _: callers.call("greedy"), range(4)))
    stop.set()

    assert {answer.status_code for answer in greedy} <= {502, 503}
    failed = next(answer for answer in greedy if answer.status_code == 502)
    shown = services.podium("get", "executions", failed.json()["executionId"])
    # Whichever comes first on this machine.
    assert "MB of memory" in shown.stdout or "ran longer than" in shown.stdout
    assert all(answer.status_code == 200 for answer in others.result(60))
    assert resident(services, "executor") - before < 100
