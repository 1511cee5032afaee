"""W-workers: tasks that one worker does through one stream, inside workflows that run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.suite import Suite
from podium.executor.v1 import executor_pb2 as pb
from podium_worker import Task, run, worker
from tui.clients import Clients, connected
from tui.suite import find

Document = dict[str, Any]
Figures = dict[str, float]

STEPS = 100
LIMIT_SECONDS = 120.0


def workflow(steps: int = STEPS) -> Document:
    """One worker's task after another."""
    return {
        "kind": "workflow",
        "name": "w-workers",
        "version": 1,
        "tasks": [
            {
                "name": "bench-task",
                "taskReferenceName": f"t{number}",
                "type": "SIMPLE",
                "inputParameters": {"n": "${workflow.input.n}"},
            }
            for number in range(steps)
        ],
    }


async def tasks(suite: Suite, *, executions: int = 100) -> Figures:
    """How many worker tasks are done a second, and what CPU time each takes."""
    suite.apply(workflow())
    async with connected(find(suite.home, {})) as clients:
        with _working(suite) as process:
            await _run(clients, 2)
            before = suite.cpu_seconds("executor"), _cpu_seconds(process.pid)
            begin = time.monotonic()
            await _run(clients, executions)
            seconds = time.monotonic() - begin
            used = suite.cpu_seconds("executor") - before[0], _cpu_seconds(process.pid) - before[1]
    done = executions * STEPS
    return {
        "worker tasks /s": done / seconds,
        "worker task executor CPU ms": 1000 * used[0] / done,
        "worker task worker CPU ms": 1000 * used[1] / done,
    }


async def _run(clients: Clients, executions: int) -> None:
    start = pb.Start(workflow_name="w-workers", input='{"n": 1}')
    request = pb.RunExecutionRequest(start=start)
    request.wait.FromSeconds(int(LIMIT_SECONDS))
    results = await asyncio.gather(
        *(clients.executor.RunExecution(request, timeout=LIMIT_SECONDS) for _ in range(executions))
    )
    wrong = [each for each in results if each.result.status != pb.EXECUTION_STATUS_COMPLETED]
    if wrong:
        raise RuntimeError(f"{len(wrong)} did not complete: {wrong[0].result.reason}")


@contextmanager
def _working(suite: Suite) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.workers"],
        env={**os.environ, "PODIUM_HOME": str(suite.home)},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@worker("bench-task", slots=1000)
async def done(task: Task) -> Document:
    """As little as a task can be."""
    return {"n": task.input["n"]}


if __name__ == "__main__":
    run(done)
