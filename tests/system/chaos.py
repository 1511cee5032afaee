"""Random kills under load: every accepted execution ends as it should, once.

`python -m tests.system.chaos --kills 50 --seed 7` prints a line for each kill and a verdict.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.system.running import Suite, processes_of, suite_in, until, upstream_running

VICTIMS = ("registry", "executor", "edge", "supervisor")
SETTLE_SECONDS = 60.0
CLIENTS = 6


@dataclass(slots=True)
class Load:
    """What was asked for, and what was accepted."""

    accepted: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    over: asyncio.Event = field(default_factory=asyncio.Event)


def definitions(upstream: str) -> list[dict[str, Any]]:
    """Short, polled and called-back workflows behind asynchronous routes."""
    start = {
        "name": "start",
        "taskReferenceName": "start",
        "type": "HTTP",
        "retryCount": 5,
        "inputParameters": {
            "uri": f"{upstream}/jobs",
            "method": "POST",
            "body": {"seconds": "${workflow.input.seconds}", "owner": "${workflow.workflowId}"},
        },
        "taskDefinition": {"name": "start", "retryDelaySeconds": 0, "responseTimeoutSeconds": 60},
    }
    poll = {
        "name": "poll",
        "taskReferenceName": "poll",
        "type": "HTTP_POLL",
        "inputParameters": {
            "uri": f"{upstream}/jobs/${{start.output.body.jobId}}",
            "method": "GET",
            "pollingInterval": 0.3,
            "terminationCondition": "$.output.body.status === 'COMPLETED'",
        },
    }
    called: dict[str, Any] = json.loads(json.dumps(start))
    called["asyncComplete"] = True
    called["inputParameters"]["body"]["callbackUrl"] = "${task.callbackUrl}"
    names = {"short": [start], "polled": [start, poll], "called": [called]}
    outputs = {
        "short": "${start.output.body.jobId}",
        "polled": "${poll.output.body.result.job}",
        "called": "${start.output.result.job}",
    }
    return [
        *(
            {
                "name": name,
                "version": 1,
                "tasks": tasks,
                "outputParameters": {"job": outputs[name]},
            }
            for name, tasks in names.items()
        ),
        {
            "kind": "application",
            "id": "chaos",
            "permissions": [
                {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]}
                for name in names
            ],
        },
        {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "chaos"},
        {
            "kind": "service",
            "id": "chaos",
            "name": "Chaos",
            "path": "/chaos",
            "authConfigId": "open",
            "routes": [
                {
                    "httpMethod": "POST",
                    "path": f"/{name}",
                    "mappedWorkflow": {"name": name},
                    "workflowExecutionMode": "ASYNCHRONOUS",
                }
                for name in names
            ],
        },
    ]


async def client(load: Load, gateway: str, chance: random.Random) -> None:
    """One caller: starts executions one after another, whatever happens to the suite."""
    async with httpx.AsyncClient(base_url=gateway, timeout=40) as http:
        while not load.over.is_set():
            name = chance.choice(("short", "polled", "called"))
            body = {"seconds": round(chance.uniform(0, 2), 2)}
            try:
                answer = await http.post(f"/chaos/{name}", json=body)
            except httpx.HTTPError as error:
                load.refused[type(error).__name__] += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 202:
                load.accepted[answer.json()["executionId"]] = name
            else:
                load.refused[str(answer.status_code)] += 1
            await asyncio.sleep(chance.uniform(0.02, 0.2))


async def kill(suite: Suite, name: str) -> None:
    """Kill one process; where nobody else starts it again, start the suite again."""
    children = suite.endpoints["pids"].values()
    pid = suite.kill(name)
    if name == "supervisor":
        assert suite.process is not None
        suite.process.wait()
        await asyncio.to_thread(
            until, lambda: not _alive(children), 3, "the children die with the supervisor"
        )
        line = await asyncio.to_thread(suite.start)
        assert line.startswith("ready"), suite.log.read_text()[-2000:]
        return
    await asyncio.to_thread(
        until, lambda: _serves(suite, name, pid), 20, f"the {name} is started again"
    )


def _alive(pids: Any) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists() and _cmdline(pid)]


def _cmdline(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _serves(suite: Suite, name: str, pid: int) -> bool:
    with suppress(OSError, ValueError):
        return bool(suite.endpoints["pids"][name] != pid)
    return False


def verdict(suite: Suite, load: Load, upstream: str) -> list[str]:
    """What is wrong; empty when every accepted execution ended as it should, once."""
    wrong = []
    owners = httpx.get(f"{upstream}/owners").json()
    listed = suite.podium("executions", "--limit", "100000", "--output", "json")
    states = {each["workflowId"]: each for each in json.loads(listed.stdout)}
    for execution_id, name in load.accepted.items():
        state = states.get(execution_id)
        if state is None:
            wrong.append(f"{name} {execution_id} is lost")
        elif state["status"] != "COMPLETED":
            wrong.append(f"{name} {execution_id} is {state['status']}: {state}")
        if owners.get(execution_id) != 1:
            wrong.append(f"{name} {execution_id} began {owners.get(execution_id, 0)} jobs")
    return wrong


async def chaos(suite: Suite, upstream: str, kills: int, seed: int) -> list[str]:
    """Load, ``kills`` kills, and time to settle: what is wrong afterwards."""
    chance = random.Random(seed)
    suite.apply(*definitions(upstream))
    load = Load()
    gateway = suite.gateway
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(client(load, gateway, random.Random(seed + number)))
        for number in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            name = chance.choice(VICTIMS)
            begin = time.monotonic()
            await kill(suite, name)
            _tell(f"kill {number + 1:>3}  {name:<10} back after {time.monotonic() - begin:.2f} s")
        load.over.set()
    await asyncio.to_thread(until, lambda: _settled(suite), SETTLE_SECONDS, "all have ended")
    counts = dict(Counter(load.accepted.values()))
    _tell(f"accepted {counts}, refused {dict(load.refused)}")
    return verdict(suite, load, upstream)


def _settled(suite: Suite) -> bool:
    listed = suite.podium("executions", "status:running", "--limit", "1", "--output", "json")
    return listed.returncode == 0 and json.loads(listed.stdout) == []


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(folder: Path, kills: int, seed: int) -> list[str]:
    """One whole run on a new suite in ``folder``: what is wrong afterwards."""
    _tell(f"chaos: {kills} kills, seed {seed}")
    with upstream_running() as upstream, suite_in(folder) as suite:
        wrong = asyncio.run(chaos(suite, upstream, kills, seed))
        if suite.stop() != 0:
            wrong.append("podium up did not end with 0")
    left = processes_of(suite.home)
    return [*wrong, *(f"process {pid} is left over" for pid in left)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-chaos-") as folder:
        wrong = run(Path(folder), arguments.kills, arguments.seed)
    for line in wrong:
        _tell(line)
    _tell("FAILED" if wrong else "every accepted execution ended as it should, once")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
