"""What the gateway's own rules cost: limits and schemas, many routes, a reload, hostile clients."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from statistics import median

from bench.definitions import Document
from bench.load import Answer, closed_loop, connect, paced, post
from bench.suite import Suite
from bench.workloads import BODY, Figures, checked, percentile
from podium.edge.v1 import edge_pb2
from podium.registry.v1 import registry_pb2
from tui.clients import connected
from tui.suite import find

ROUNDS = 5
ROUND_SECONDS = 1.0
SERVICES, ROUTES_A_SERVICE = 10, 100
CALLS_A_SECOND = 10
CALM_SECONDS = 10.0
ATTACK_SECONDS = 20.0
# Until all the idle connections are open.
STORM_SECONDS = 6.0


def bare_and_ruled() -> list[Document]:
    """W1 behind a route that asks for nothing, and behind one that asks for all it can."""
    schema = {
        "type": "object",
        "properties": {"orderId": {"type": "string", "maxLength": 40}},
        "required": ["orderId"],
        "additionalProperties": False,
    }
    ruled = {
        "httpMethod": "POST",
        "path": "/{shop}/ruled",
        "mappedWorkflow": {"name": "w1"},
        "inputSchema": schema,
        "queryParameters": [
            {"name": "currency", "required": True, "enum": ["EUR", "USD"]},
            {"name": "page", "type": "integer", "default": 1},
        ],
        "rateLimits": [
            {"name": "burst", "key": "${principal}", "limit": 100_000, "windowSeconds": 60},
            {"name": "day", "key": "${path.shop}", "limit": 100_000, "windowSeconds": 86_400},
        ],
    }
    bare = {"httpMethod": "POST", "path": "/w1", "mappedWorkflow": {"name": "w1"}}
    return [
        {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "bench"},
        _service("bare", "open", [bare]),
        _service("ruled", "bench", [ruled]),
    ]


def many_routes(generation: int) -> list[Document]:
    """1,000 routes; a path tells of which generation they are."""
    return [
        _service(
            f"many-{number}",
            "bench",
            [
                {
                    "httpMethod": "POST",
                    "path": f"/{{id}}/part-{index}/v{generation}",
                    "mappedWorkflow": {"name": "w1"},
                }
                for index in range(ROUTES_A_SERVICE)
            ],
        )
        for number in range(SERVICES)
    ]


def _service(name: str, auth: str, routes: list[Document]) -> Document:
    return {
        "kind": "service",
        "id": name,
        "name": name,
        "path": f"/{name}",
        "authConfigId": auth,
        "routes": routes,
    }


async def rules(suite: Suite) -> Figures:
    """What auth, limits, schema and mapping add to W1, in alternating runs of one client."""
    url = suite.endpoints["gateway"]
    requests = {
        "bare": post(url, "/bare/w1", "", BODY),
        "ruled": post(url, "/ruled/north/ruled?currency=EUR", suite.key, BODY),
    }
    found = await _alternating(url, requests)
    return {
        "w1 bare p50 ms": found["bare"],
        "w1 ruled p50 ms": found["ruled"],
        "rules over bare w1 ms": found["ruled"] - found["bare"],
    }


async def many(suite: Suite) -> Figures:
    """W1 beside no other routes, and beside 1,000: the last of them is called."""
    url = suite.endpoints["gateway"]
    alone = post(url, "/bench/w1", suite.key, BODY)
    before = await _alternating(url, {"w1": alone})
    await asyncio.to_thread(suite.apply, *many_routes(0))
    last = post(url, f"/many-{SERVICES - 1}/x/part-{ROUTES_A_SERVICE - 1}/v0", suite.key, BODY)
    after = await _alternating(url, {"w1": alone, "last": last})
    return {
        "w1 beside few routes p50 ms": before["w1"],
        "w1 beside 1,000 routes p50 ms": after["w1"],
        "w1 as one of 1,000 p50 ms": after["last"],
        "1,000 routes cost %": 100 * (max(after.values()) / before["w1"] - 1),
    }


async def _alternating(url: str, requests: dict[str, bytes]) -> dict[str, float]:
    """The p50 of each, in ms: the median of rounds taken in turns."""
    found: dict[str, list[float]] = {name: [] for name in requests}
    for _ in range(ROUNDS):
        for name, request in requests.items():
            answers = checked(await closed_loop(url, request, 1, ROUND_SECONDS))
            found[name].append(percentile(_milliseconds(answers), 0.5))
    return {name: median(values) for name, values in found.items()}


def _milliseconds(answers: Sequence[Answer]) -> list[float]:
    return [1000 * (answer.received - answer.sent) for answer in answers]


async def reload(suite: Suite) -> Figures:
    """All of 1,000 routes become others while callers call: how long, and who was lost."""
    url = suite.endpoints["gateway"]
    await asyncio.to_thread(suite.apply, *many_routes(0))
    async with _calling(url, post(url, "/bench/w1", suite.key, BODY)) as answers:
        put, live = await _replaced(suite)
        served = post(url, "/many-9/x/part-99/v1", suite.key, BODY)
        checked([await (await connect(url)).ask(served)])
    return {
        "reload of 1,000 routes: put s": put,
        "reload of 1,000 routes: live after s": live,
        "reload of 1,000 routes: lost": float(sum(each.status != 200 for each in answers)),
        "reload of 1,000 routes: slowest call ms": max(_milliseconds(answers)),
    }


async def _replaced(suite: Suite) -> tuple[float, float]:
    """Seconds of the put, and from its answer until the edge serves it."""
    puts = [registry_pb2.DocumentPut(document=json.dumps(each)) for each in many_routes(1)]
    async with connected(find(suite.home, {})) as clients:
        begin = time.monotonic()
        done = await clients.registry.PutDefinitions(
            registry_pb2.PutDefinitionsRequest(puts=puts), timeout=30
        )
        put = time.monotonic()
        await clients.edge.GetEdgeStatus(
            edge_pb2.GetEdgeStatusRequest(wait_for_revision=done.revision), timeout=30
        )
        return put - begin, time.monotonic() - put


@asynccontextmanager
async def _calling(url: str, request: bytes) -> AsyncGenerator[list[Answer]]:
    """Four callers, one call after the other; the answers are whole at the end."""
    answers: list[Answer] = []
    ending = asyncio.Event()

    async def caller() -> None:
        connection = await connect(url)
        while not ending.is_set():
            answers.append(await connection.ask(request))
        connection.transport.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(caller())
        await asyncio.sleep(0.5)
        try:
            yield answers
        finally:
            ending.set()


async def hostile(suite: Suite) -> Figures:
    """A caller who asks ten times a second, alone and while others attack."""
    url = suite.endpoints["gateway"]
    request = post(url, "/bench/w1", suite.key, BODY)
    count = int(CALLS_A_SECOND * CALM_SECONDS)
    calm = checked(await paced(url, request, count, CALM_SECONDS))
    resting = suite.resident_megabytes("edge")
    attackers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.hostile", url, "/bench/w1", suite.key),
        str(ATTACK_SECONDS),
        stdout=asyncio.subprocess.PIPE,
    )
    await asyncio.sleep(STORM_SECONDS)
    stormy = checked(await paced(url, request, count, CALM_SECONDS))
    largest = suite.resident_megabytes("edge")
    await attackers.communicate()
    before, during = (percentile(_milliseconds(each), 0.99) for each in (calm, stormy))
    return {
        "p99 at 10/s ms": before,
        "p99 at 10/s under attack ms": during,
        "p99 under attack, times": during / before,
        "edge MB at rest": resting,
        "edge MB under attack": largest,
    }
