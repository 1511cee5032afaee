"""A store that is full: a million executions that have ended, 100,000 that wait."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import uvloop

from bench.copies import copy, spoil
from bench.definitions import Document, documents
from bench.load import closed_loop, post
from bench.suite import Suite
from bench.workloads import BODY, Figures, checked, kill, percentile, steps
from podium.executor.v1 import executor_pb2 as pb
from tui.clients import Clients, connected
from tui.suite import find

FEW, MANY, OLD = 1_000, 1_000_000, 100_000
FAILED_IN = 50
KEPT_DAYS = 5
WAITING = 100_000
ASKED = 20
DROP_SECONDS = 240.0
SETTLED_SECONDS = 10.0
W1 = ("w1 1 client p50 ms", "w1 1 client p99 ms", "w1 32 clients /s")
QUERIES = {
    "list": "",
    "failed": "status:failed",
    "of a workflow": "wf:w1 newer:1h",
    "of a day": "newer:3d older:2d",
    "failed of a day": "status:failed wf:broken older:1d",
}


def _workflow(name: str, kind: str, **fields: object) -> Document:
    task = {"name": "one", "taskReferenceName": "one", "type": kind, **fields}
    return {"name": name, "version": 1, "tasks": [task]}


WORKFLOWS = (
    _workflow("noop", "NOOP"),
    _workflow(
        "broken",
        "TERMINATE",
        inputParameters={"terminationStatus": "FAILED", "terminationReason": "The card failed"},
    ),
    _workflow("timed", "WAIT", inputParameters={"duration": "2 hours"}),
    _workflow("asked", "HUMAN"),
    _workflow("around", "SUB_WORKFLOW", subWorkflowParam={"name": "asked", "version": 1}),
)


def finished(folder: Path, upstream: str) -> Figures:
    """Lists, searches, starts and W1 with few and with a million, and while old ones go."""
    suite = Suite(folder / "finished")
    try:
        ids = _begin(suite, upstream, ("w1", "broken"))
        _fill(suite.home, ids, FEW, 1)
        suite.start()
        few = uvloop.run(_asked(suite))
        suite.stop()
        _fill(suite.home, ids, MANY, FEW + 1)
        copy(suite.home, [ids["noop"]], OLD, first=2, apart_seconds=-0.1)
        _age(suite.home, ids["noop"])
        spoil(suite.home)
        # What was copied is on the disk: else its writing is measured, not the store's size.
        os.sync()
        suite.start()
        many = {"ready s": suite.ready_seconds, **uvloop.run(_asked(suite))}
        found = {f"1,000,000: {name}": value for name, value in many.items()}
        for name, value in few.items():
            more = many[name] / value if name.endswith(" ms") else value / many[name]
            found[f"1,000,000: {name.rsplit(' ', 1)[0]}, times"] = more
        found |= uvloop.run(_dropping(suite))
    finally:
        suite.stop()
    return found


def waiting(folder: Path, upstream: str) -> Figures:
    """100,000 executions that wait: how long after a crash it serves, and in how much memory."""
    suite = Suite(folder / "waiting")
    try:
        ids = _begin(suite, upstream, ("timed", "asked", "around"))
        child = uvloop.run(_child(suite, ids["around"]))
        suite.stop()
        third = WAITING // 10
        copy(suite.home, [ids["timed"]], 4 * third, first=1)
        copy(suite.home, [ids["asked"]], 2 * third, first=1)
        copy(suite.home, [ids["around"], child], 2 * third, first=1)
        suite.start()
        ready = suite.ready_seconds
        serving = uvloop.run(kill(suite, everything=False))
        suite.read_endpoints()
        time.sleep(SETTLED_SECONDS)
        largest = suite.peak_megabytes("executor")
    finally:
        suite.stop()
    return {
        "100,000 waiting: ready s": ready,
        "100,000 waiting: serving after s": serving,
        "100,000 waiting: executor MB": largest,
    }


def _begin(suite: Suite, upstream: str, workflows: Sequence[str]) -> dict[str, str]:
    """A suite that has run one execution of each; their ids."""
    suite.start()
    suite.apply(*WORKFLOWS, *documents(upstream))
    ids = uvloop.run(_started(suite, ("noop", *workflows)))
    if "timed" not in workflows:
        suite.stop()
    return ids


async def _started(suite: Suite, workflows: Sequence[str]) -> dict[str, str]:
    ids = {}
    async with connected(find(suite.home, {})) as clients:
        for name in workflows:
            start = pb.Start(workflow_name=name, input='{"orderId": "o-1"}')
            request = pb.RunExecutionRequest(start=start)
            request.wait.FromSeconds(1)
            answer = await clients.executor.RunExecution(request, timeout=20)
            ids[name] = answer.result.execution_id
    return ids


async def _child(suite: Suite, parent: str) -> str:
    async with connected(find(suite.home, {})) as clients:
        request = pb.ListExecutionsRequest(query=f"parent:{parent}")
        answer = await clients.executor.ListExecutions(request, timeout=10)
    return answer.executions[0].execution_id


def _fill(home: Path, ids: dict[str, str], count: int, first: int) -> None:
    """So many copies more: some failed; all of the last days."""
    apart = KEPT_DAYS * 86_400 / count
    failed = count // FAILED_IN
    copy(home, [ids["broken"]], failed, first=first, apart_seconds=apart * FAILED_IN)
    copy(home, [ids["w1"]], count - failed, first=first, apart_seconds=apart)


def _age(home: Path, execution_id: str) -> None:
    """Have the copies of an execution end before what is kept."""
    with sqlite3.connect(home / "executor.db") as db:
        for column in ("created_at", "updated_at", "ended_at"):
            db.execute(
                f"UPDATE executions SET {column} = {column} - 864000000000 "
                "WHERE workflow = 'noop' AND id != ?",
                (execution_id,),
            )
    db.close()


async def _asked(suite: Suite) -> Figures:
    # First, so that all else finds the services warm.
    figures = await steps(suite, "w1", seconds=4)
    found = {name: figures[name] for name in W1}
    async with connected(find(suite.home, {})) as clients:
        for name, query in QUERIES.items():
            request = pb.ListExecutionsRequest(query=query)
            found[f"{name} ms"] = await _milliseconds(partial(_list, clients, request))
        found["tasks ms"] = await _milliseconds(partial(_tasks, clients))
        found["start ms"] = await _milliseconds(partial(_start, clients))
    return found


async def _list(clients: Clients, request: pb.ListExecutionsRequest) -> None:
    await clients.executor.ListExecutions(request, timeout=20)


async def _tasks(clients: Clients) -> None:
    request = pb.SearchTasksRequest(query="status:completed kind:HTTP")
    await clients.executor.SearchTasks(request, timeout=20)


async def _start(clients: Clients) -> None:
    request = pb.StartExecutionRequest(start=pb.Start(workflow_name="noop"))
    await clients.executor.StartExecution(request, timeout=10)


async def _milliseconds(call: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(ASKED):
        begin = time.monotonic()
        await call()
        took.append(1000 * (time.monotonic() - begin))
    return median(took)


async def _dropping(suite: Suite) -> Figures:
    """W1 while 100,000 executions are dropped."""
    gateway = suite.endpoints["gateway"]
    request = post(gateway, "/bench/w1", suite.key, BODY)
    old = pb.ListExecutionsRequest(query="wf:noop older:7d", count_total=True)
    old.page.page_size = 1
    begin = time.monotonic()
    first = 0.0
    latencies: list[float] = []
    async with connected(find(suite.home, {})) as clients:
        while time.monotonic() - begin < DROP_SECONDS:
            answers = checked(await closed_loop(gateway, request, 1, 1.0))
            answer = await clients.executor.ListExecutions(old, timeout=20)
            if answer.total < OLD and not answer.total_is_bound:
                first = first or time.monotonic()
            if not answer.executions:
                break
            latencies.extend(1000 * (each.received - each.sent) for each in answers)
    return {
        "100,000 dropped: w1 p50 ms": percentile(latencies, 0.5),
        "100,000 dropped: w1 p99 ms": percentile(latencies, 0.99),
        "100,000 dropped: w1 longest ms": max(latencies),
        "100,000 dropped: within s": time.monotonic() - begin,
    }
