"""A backup while callers come and the executor is killed; a home made of it goes on."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.system import chaos
from tests.system.running import Suite, suite_in, until, upstream_running

CLIENTS = 4


@pytest.mark.timeout(180)
def test_what_was_accepted_before_a_backup_is_in_it_and_ends_after_a_restore(
    tmp_path: Path,
) -> None:
    """Slow: two suites, one after the other, with work that takes seconds."""
    backup = tmp_path / "podium.backup"
    with upstream_running() as upstream:
        with suite_in(tmp_path) as suite:
            suite.apply(*chaos.definitions(upstream))
            accepted = asyncio.run(_backed_up_under_load(suite, backup))
        (tmp_path / "other").mkdir()
        other = Suite(tmp_path / "other" / "home")
        restored = other.podium("restore", str(backup))
        assert restored.returncode == 0, restored.stderr
        try:
            assert other.start().startswith("ready"), other.log.read_text()
            _goes_on(other, accepted)
        finally:
            other.stop()


async def _backed_up_under_load(suite: Suite, backup: Path) -> set[str]:
    """What had been accepted when the backup was asked for."""
    load, gateway, chance = chaos.Load(), suite.gateway, random.Random()
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(chaos.client(load, gateway, random.Random(number)))
        await asyncio.to_thread(_accepting, load, 10)
        accepted = set(load.accepted)
        making = asyncio.create_task(
            asyncio.to_thread(suite.podium, "backup", "--with-keys", str(backup))
        )
        # Whenever that is: before it is read, while it is, or after.
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        await chaos.kill(suite, "executor")
        made = await making
        assert made.returncode == 0, made.stderr
        load.over.set()
    checked = suite.podium("check", str(backup))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return accepted


def _accepting(load: chaos.Load, count: int) -> None:
    until(lambda: len(load.accepted) > count, 30, "executions are accepted")


def _goes_on(suite: Suite, accepted: set[str]) -> None:
    before = _executions(suite)
    assert accepted <= set(before)
    assert {each["status"] for each in before.values()} <= {"COMPLETED", "PAUSED"}
    paused = {id_ for id_, each in before.items() if each["status"] == "PAUSED"}
    told = _restored(suite)
    assert (told or {}).get("waiting", 0) == len(paused)
    if paused:
        resumed = suite.podium("resume", "--query", "status:paused", "--yes")
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    until(lambda: _restored(suite) is None, 30, "all that waited went on")
    until(lambda: _ended(suite), 60, "all have ended")
    after = _executions(suite)
    for execution_id, each in before.items():
        if each["status"] == "COMPLETED":
            assert after[execution_id] == each
    checked = suite.podium("check")
    assert checked.returncode == 0, checked.stdout


def _executions(suite: Suite) -> dict[str, dict[str, Any]]:
    listed = suite.podium("executions", "--limit", "10000", "--output", "json")
    assert listed.returncode == 0, listed.stderr
    return {each["workflowId"]: each for each in json.loads(listed.stdout)}


def _ended(suite: Suite) -> bool:
    # One whose callback came to the suite that is no more waits for it until its time is up.
    found = _executions(suite).values()
    return {e["status"] for e in found if e["workflowType"] != "called"} <= {"COMPLETED"}


def _restored(suite: Suite) -> dict[str, Any] | None:
    told = json.loads(suite.podium("status", "--output", "json").stdout)
    found: dict[str, Any] | None = told["services"][1].get("restored")
    return found
