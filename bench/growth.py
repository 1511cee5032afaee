"""W5: workflows that are wide, long or deep; what they cost by how many tasks they have."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import uvloop

from bench.definitions import Document
from bench.plotting import by_size
from bench.suite import Suite
from bench.workloads import Figures
from podium.executor.v1 import executor_pb2 as pb
from services.errors import Overloaded
from tui.clients import Clients, connected, persistently
from tui.suite import find

SIZES = (100, 300, 1_000, 3_000, 10_000)
CHAINS = (100, 300, 1_000, 2_000)
FROM = 1_000
RUNS = 3
LEVELS = 50
OUTPUT_CHARS = 5_000_000
RUN_SECONDS = 120.0


def _task(ref: str, kind: str, **fields: object) -> Document:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def _workflow(name: str, *tasks: Document, **fields: object) -> Document:
    return {"name": name, "version": 1, "tasks": list(tasks), **fields}


def workflows() -> list[Document]:
    """A fork and a loop of as many as their input says, chains, levels, and a large output."""
    branches = {
        "forkTaskInputs": "${workflow.input.items}",
        "forkTaskName": "branch",
        "forkTaskType": "NOOP",
    }
    loop = {
        "loopCondition": "$.loop.iteration < $.count",
        "inputParameters": {"count": "${workflow.input.count}"},
        "loopOver": [_task("round", "NOOP")],
    }
    levels = [
        _workflow(
            f"level{n}",
            _task(
                "below", "SUB_WORKFLOW", subWorkflowParam={"name": f"level{n + 1}", "version": 1}
            ),
        )
        for n in range(1, LEVELS)
    ]
    return [
        _workflow(
            "fork",
            _task("split", "FORK_JOIN_DYNAMIC", inputParameters=branches),
            _task("join", "JOIN"),
        ),
        _workflow("loop", _task("loop", "DO_WHILE", **loop)),
        *(
            _workflow(f"chain{n}", *(_task(f"step{each}", "NOOP") for each in range(n)))
            for n in CHAINS
        ),
        *reversed(levels),
        _workflow(f"level{LEVELS}", _task("last", "NOOP")),
        _workflow(
            "large",
            _task("say", "NOOP"),
            outputParameters={"text": "${workflow.input.text}"},
        ),
    ]


def figures(folder: Path) -> Figures:
    """Seconds of each, megabytes of the executor, and how cost grows."""
    suite = Suite(folder / "growth")
    try:
        suite.start()
        suite.apply(*workflows())
        return uvloop.run(_measured(suite))
    finally:
        suite.stop()


async def _measured(suite: Suite) -> Figures:
    found: Figures = {}
    async with connected(find(suite.home, {})) as clients:
        await _run(clients, "loop", {"count": 10})
        forks = [await _quickest(clients, "fork", {"items": [{}] * n}) for n in SIZES]
        loops = [await _quickest(clients, "loop", {"count": n}) for n in SIZES]
        chains = [await _quickest(clients, f"chain{n}", {}) for n in CHAINS]
        found["w5 10,000 branches s"] = forks[-1]
        found["w5 1,000 rounds s"] = loops[SIZES.index(FROM)]
        found["w5 10,000 rounds s"] = loops[-1]
        found["w5 2,000 tasks s"] = chains[-1]
        found["w5 50 levels s"] = await _run(clients, "level1", {})
        found["w5 5 MB output s"] = await _run(clients, "large", {"text": "x" * OUTPUT_CHARS})
        found["w5 executor MB"] = suite.peak_megabytes("executor")
    for name, sizes, seconds in (
        ("fork", SIZES, forks), ("loop", SIZES, loops), ("chain", CHAINS, chains)
    ):  # fmt: skip
        click.echo(by_size(f"w5 {name}", sizes, seconds) + "\n")
        found[f"w5 {name} over n log n, times"] = _growth(sizes, seconds)
    return found


def _growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """How much more the largest costs than n log n makes of 1,000."""
    before, after, more = seconds[sizes.index(FROM)], seconds[-1], sizes[-1]
    return (after / before) / (more * math.log(more) / (FROM * math.log(FROM)))


async def _quickest(clients: Clients, workflow: str, given: dict[str, Any]) -> float:
    """Seconds of the run that was disturbed least."""
    return min([await _run(clients, workflow, given) for _ in range(RUNS)])


async def _run(clients: Clients, workflow: str, given: dict[str, Any]) -> float:
    """Seconds until an execution has ended well."""
    start = pb.Start(workflow_name=workflow, input=json.dumps(given))
    request = pb.RunExecutionRequest(start=start)
    request.wait.FromSeconds(int(RUN_SECONDS))

    async def once() -> float:
        begin = time.monotonic()
        answer = await clients.executor.RunExecution(request, timeout=RUN_SECONDS)
        if answer.result.status != pb.EXECUTION_STATUS_COMPLETED:
            raise RuntimeError(f"{workflow} did not end well: {answer.result.reason!r}")
        return time.monotonic() - begin

    async with asyncio.timeout(2 * RUN_SECONDS):
        # One that is still busy with the run before this one refuses.
        return await persistently(once, (Overloaded,))
