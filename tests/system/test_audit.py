"""The audit log over a kill: what was done is there once, though nobody could be told of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from podium.executor.v1 import executor_pb2 as pb
from podium.executor.v1.executor_pb2_grpc import ExecutorServiceStub
from podium.registry.v1 import registry_pb2
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.system.running import Suite, post, until

HELD = {
    "name": "audited-over-a-kill",
    "version": 1,
    "tasks": [{"name": "h", "taskReferenceName": "h", "type": "HUMAN"}],
}


Caller = tuple[tuple[str, str], ...]


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def entries(suite: Suite, caller: Caller, query: str) -> list[registry_pb2.AuditEntry]:
    """Asked of the registry itself: each command would be a process of its own."""
    wanted = registry_pb2.AuditFilter(query=query)
    with grpc.insecure_channel(str(suite.endpoints["registry"])) as channel:
        answer = RegistryServiceStub(channel).ListAuditEntries(
            registry_pb2.ListAuditEntriesRequest(filter=wanted), metadata=caller, timeout=20
        )
    return list(answer.entries)


def test_what_was_done_while_the_registry_was_away_is_told_once_after_a_kill(
    sturdy_suite: Suite,
) -> None:
    sturdy_suite.apply(HELD)
    run = sturdy_suite.podium("run", str(HELD["name"]))
    execution_id = run.stdout.strip()
    key = json.loads((sturdy_suite.home / "credentials.json").read_text())
    token = post(f"{sturdy_suite.management}/api/token", json=key).json()["token"]
    caller = (("authorization", f"Bearer {token}"),)
    pids = sturdy_suite.pids
    with standing_still(pids["registry"]):
        with grpc.insecure_channel(str(sturdy_suite.endpoints["executor"])) as channel:
            request = pb.PauseExecutionRequest(execution_id=execution_id)
            ExecutorServiceStub(channel).PauseExecution(request, metadata=caller, timeout=20)
        sturdy_suite.kill("executor")

    query = f"name:{execution_id}"
    until(lambda: len(entries(sturdy_suite, caller, query)) == 1, 30, "the entry is there")
    (entry,) = entries(sturdy_suite, caller, f"{query} action:pause")
    assert (entry.before, entry.after) == ("RUNNING", "PAUSED")
    assert (entry.principal, entry.source) == ("application:admin", "127.0.0.1")
    checked = sturdy_suite.podium("audit", "check")
    assert (checked.returncode, "as they were written" in checked.stdout) == (0, True)
