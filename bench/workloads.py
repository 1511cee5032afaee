"""The workloads, each a function from a running suite to figures by name."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from statistics import median
from typing import Any
from urllib.request import urlopen

from bench.load import Answer, at_once, closed_loop, paced, post
from bench.suite import Suite, until_serving
from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from tui.clients import Clients, connected
from tui.suite import find

Figures = dict[str, float]

BODY = b'{"orderId": "o-1"}'
POLLED_IDEAL_SECONDS = 3.0
WIDE_IDEAL_SECONDS = 30.0
DONE_LIMIT_SECONDS = 60.0
PAGE = 500


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def checked(answers: Sequence[Answer], status: int = 200) -> Sequence[Answer]:
    """``answers``, all of which have ``status``. Raises RuntimeError where one has not."""
    wrong = [answer for answer in answers if answer.status != status]
    if wrong:
        raise RuntimeError(
            f"{len(wrong)} of {len(answers)} answers were not {status}: {wrong[0].status}"
            f" {wrong[0].body[:300]!r}"
        )
    return answers


async def steps(suite: Suite, name: str, *, seconds: float) -> Figures:
    """W1 or W2: one client's latency, 32 clients' rate, and CPU time a request."""
    gateway = suite.endpoints["gateway"]
    request = post(gateway, f"/bench/{name}", suite.key, BODY)
    checked(await closed_loop(gateway, request, 32, 1.0))
    alone = checked(await closed_loop(gateway, request, 1, seconds))
    before = {each: suite.cpu_seconds(each) for each in ("edge", "executor")}
    many = checked(await closed_loop(gateway, request, 32, seconds))
    used = {each: suite.cpu_seconds(each) - before[each] for each in before}
    latencies = [1000 * (answer.received - answer.sent) for answer in alone]
    busy = [1000 * (answer.received - answer.sent) for answer in many]
    return {
        f"{name} 1 client p50 ms": percentile(latencies, 0.5),
        f"{name} 1 client p99 ms": percentile(latencies, 0.99),
        f"{name} 32 clients /s": len(many) / seconds,
        f"{name} 32 clients p99 ms": percentile(busy, 0.99),
        f"{name} edge CPU ms/request": 1000 * used["edge"] / len(many),
        f"{name} executor CPU ms/request": 1000 * used["executor"] / len(many),
    }


async def cached(suite: Suite, *, seconds: float) -> Figures:
    """Kept answers to W1's call: one client's latency, 32 clients' rate, and CPU time a request."""
    gateway = suite.endpoints["gateway"]
    request = post(gateway, "/bench/cached", suite.key, BODY)
    checked(await closed_loop(gateway, request, 32, 1.0))
    before = suite.cpu_seconds("executor")
    alone = checked(await closed_loop(gateway, request, 1, seconds))
    began = suite.cpu_seconds("edge")
    many = checked(await closed_loop(gateway, request, 32, seconds))
    used = suite.cpu_seconds("edge") - began
    latencies = [1000 * (answer.received - answer.sent) for answer in alone]
    return {
        "cached 1 client p50 ms": percentile(latencies, 0.5),
        "cached 1 client p99 ms": percentile(latencies, 0.99),
        "cached 1 client /s": len(alone) / seconds,
        "cached 32 clients /s": len(many) / seconds,
        "cached edge CPU ms/request": 1000 * used / len(many),
        "cached executor CPU s": suite.cpu_seconds("executor") - before,
    }


async def polled(suite: Suite, *, count: int = 1000) -> Figures:
    """W3: jobs of 2.9 s, polled every second, all at once.

    Late is what an execution took beyond 3 s, from when it was accepted to when it ended; what it
    waited for before it was accepted is in the time that all took.
    """
    gateway = suite.endpoints["gateway"]
    request = post(gateway, "/bench/w3", suite.key, BODY)
    answers = checked(await at_once(gateway, request, count))
    begin = min(answer.sent for answer in answers)
    ended = await _all_ended(suite, "w3", count)
    late = [_seconds(state) - POLLED_IDEAL_SECONDS for state in ended]
    return {
        "w3 all done s": max(answer.received for answer in answers) - begin,
        "w3 p99 late s": percentile(late, 0.99),
    }


async def wide(suite: Suite, *, count: int = 10_000, over: float = 30.0) -> Figures:
    """W3-wide: starts spread over 30 s, jobs of 29.9 s, polled every 30 s."""
    gateway = suite.endpoints["gateway"]
    request = post(gateway, "/bench/awide", suite.key, BODY)
    largest = 0.0

    async def sample() -> None:
        nonlocal largest
        while True:
            largest = max(largest, suite.resident_megabytes("executor"))
            await asyncio.sleep(0.25)

    sampling = asyncio.create_task(sample())
    checked(await paced(gateway, request, count, over), 202)
    ended = await _all_ended(suite, "wide", count)
    sampling.cancel()
    late = [_seconds(state) - WIDE_IDEAL_SECONDS for state in ended]
    return {
        "w3-wide p50 late s": median(late),
        "w3-wide p99 late s": percentile(late, 0.99),
        "w3-wide executor MB": largest,
    }


async def killed(suite: Suite, upstream: str, *, everything: bool, count: int = 200) -> Figures:
    """W4: 200 jobs of 6 s; after 2 s the executor, or everything, is killed."""
    label = "w4 all" if everything else "w4 executor"
    gateway = suite.endpoints["gateway"]
    before = _starts(upstream)
    request = post(gateway, "/bench/aw4", suite.key, BODY)
    begin = time.monotonic()
    checked(await at_once(gateway, request, count), 202)
    await asyncio.sleep(max(0.0, begin + 2 - time.monotonic()))
    serving = await kill(suite, everything=everything)
    ended = await _all_ended(suite, "w4", count)
    done = time.monotonic() - begin
    after = _starts(upstream)
    lost = sum(state.status != pb.EXECUTION_STATUS_COMPLETED for state in ended)
    return {
        f"{label} serving after s": serving,
        f"{label} all done s": done,
        f"{label} lost": float(lost + count - len(ended)),
        f"{label} begun again": float((after[0] - before[0]) - (after[1] - before[1])),
    }


async def kill(suite: Suite, *, everything: bool) -> float:
    """Kill, and start again what the supervisor does not: seconds until W1 answers again."""
    probe = post(suite.endpoints["gateway"], "/bench/w1", suite.key, BODY)

    async def answers() -> bool:
        found = await at_once(suite.endpoints["gateway"], probe, 1)
        return found[0].status == 200

    begin = time.monotonic()
    if everything:
        suite.kill("supervisor", "registry", "executor", "edge")
        assert suite.process is not None
        suite.process.wait()
        await asyncio.to_thread(suite.start)
    else:
        suite.kill("executor")
    await until_serving(answers)
    return time.monotonic() - begin


def _starts(upstream: str) -> tuple[int, int]:
    """Jobs begun, and executions that began one."""
    with urlopen(f"{upstream}/starts") as answer:
        jobs, owners = json.loads(answer.read())
    return jobs, owners


def _seconds(state: pb.ExecutionState) -> float:
    return (state.ended_at.ToMilliseconds() - state.created_at.ToMilliseconds()) / 1000


async def _all_ended(suite: Suite, workflow: str, count: int) -> list[pb.ExecutionState]:
    """The newest ``count`` executions of ``workflow``, once all have ended."""
    limit = time.monotonic() + DONE_LIMIT_SECONDS
    running = [pb.EXECUTION_STATUS_RUNNING]
    async with connected(find(suite.home, {})) as clients:
        while time.monotonic() < limit:
            if not await _listed(clients, workflow, 1, running):
                return await _listed(clients, workflow, count)
            await asyncio.sleep(0.1)
    raise RuntimeError(f"not all of {workflow} ended within {DONE_LIMIT_SECONDS} s")


async def _listed(
    clients: Clients, workflow: str, count: int, statuses: Sequence[Any] = ()
) -> list[pb.ExecutionState]:
    found: list[pb.ExecutionState] = []
    token = ""
    while len(found) < count:
        answer = await clients.executor.ListExecutions(
            pb.ListExecutionsRequest(
                workflow_name=workflow,
                statuses=statuses,
                page=page_pb2.PageRequest(page_size=PAGE, page_token=token),
            ),
            timeout=10,
        )
        found.extend(answer.executions)
        token = answer.next_page_token
        if not token:
            break
    return found[:count]
