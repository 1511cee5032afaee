"""A worker as a process, killed with its tasks; an executor killed under it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.running import Suite

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(180)

WORKER = """
import sys, time
from podium_worker import Task, run, worker

@worker("held", slots=5)
def held(task: Task):
    print(task.execution_id, task.attempt, task.given, flush=True)
    while not task.input.get("quick") and task.attempt == 0 and sys.argv[1] == "stuck":
        time.sleep(0.1)
    return {"by": sys.argv[1], "attempt": task.attempt}

run(held, worker_id=sys.argv[1])
"""
FLOW = {
    "kind": "workflow", "name": "by-workers", "version": 1,
    "tasks": [{"name": "held", "taskReferenceName": "held", "type": "SIMPLE",
               "inputParameters": {"quick": "${workflow.input.quick}"}}],
}  # fmt: skip
HELD = {"kind": "task", "name": "held", "retryCount": 3, "retryDelaySeconds": 0,
        "responseTimeoutSeconds": 2}  # fmt: skip


@contextmanager
def at_work(suite: Suite, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A worker of its own process; SIGKILL at the end, if it is there still."""
    script = folder / "worker.py"
    script.write_text(WORKER)
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(script), name],
            env={**os.environ, "PODIUM_HOME": str(suite.home)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def begun(process: subprocess.Popen[str]) -> list[str]:
    """Execution id, attempt and how often it was given, of the next task that it has."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def result(suite: Suite, execution_id: str) -> dict[str, object]:
    done = suite.podium("watch", execution_id, "--output", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)["output"]
    return found


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_killed_worker_loses_its_task_to_another_one(suite: Suite, tmp_path: Path) -> None:
    suite.apply(HELD, FLOW)
    with at_work(suite, tmp_path, "stuck") as stuck:
        id = suite.podium("run", "by-workers").stdout.strip()
        assert begun(stuck) == [id, "0", "1"]
        stuck.kill()
    with at_work(suite, tmp_path, "next") as other:
        # After the response time-out, as another attempt.
        assert begun(other) == [id, "1", "1"]
        assert result(suite, id) == {"by": "next", "attempt": 1}


def test_a_killed_executor_gives_no_task_twice(own_suite: Suite, tmp_path: Path) -> None:
    suite = own_suite
    suite.apply(FLOW)
    with at_work(suite, tmp_path, "w1") as worker:
        first = suite.podium("run", "by-workers", "--input", '{"quick": true}').stdout.strip()
        assert begun(worker) == [first, "0", "1"]
        before = suite.kill("executor")
        until(lambda: suite.pids.get("executor", before) != before)
        # The worker comes again by itself.
        second = suite.podium("run", "by-workers", "--input", '{"quick": true}').stdout.strip()
        assert begun(worker) == [second, "0", "1"]
        assert result(suite, first) == result(suite, second) == {"by": "w1", "attempt": 0}


def test_a_worker_that_is_told_to_stop_ends_well(suite: Suite, tmp_path: Path) -> None:
    suite.apply(HELD, FLOW)
    with at_work(suite, tmp_path, "polite") as worker:
        id = suite.podium("run", "by-workers").stdout.strip()
        assert begun(worker)[0] == id
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(60) == 0
        assert result(suite, id) == {"by": "polite", "attempt": 0}


def test_the_example_ships(suite: Suite) -> None:
    suite.apply_text(Path("examples/worker.yaml").read_text())
    process = subprocess.Popen(
        [sys.executable, "examples/worker.py"],
        env={**os.environ, "PODIUM_HOME": str(suite.home)},
        stderr=subprocess.DEVNULL,
    )
    try:
        order = '{"order": {"id": 7, "items": 2}}'
        done = suite.podium("run", "ship", "--input", order, "--wait", "60")
        assert done.returncode == 0, done.stderr
        assert "P-7" in done.stdout
    finally:
        process.terminate()
        assert process.wait(60) == 0
