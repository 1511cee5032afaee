"""Schedules and events while the executor is killed: no run is missed or made twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.system.running import Suite

_NOOP = {"name": "done", "taskReferenceName": "done", "type": "NOOP"}
_TELL = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": "conductor:told",
         "inputParameters": {"due": "${workflow.input._scheduledTime}"}}  # fmt: skip
_STARTS = {"action": "start_workflow",
           "start_workflow": {"name": "heard", "correlationId": "${due}"}}  # fmt: skip


def printed(suite: Suite, *words: str) -> list[dict[str, Any]]:
    """What a command prints; nothing while the executor is away."""
    answer = suite.podium(*words, "--output", "json")
    return list(json.loads(answer.stdout)) if answer.returncode == 0 else []


def until(holds: Callable[[], bool]) -> None:
    """Ask again until ``holds``, for as long as a test may take."""
    while not holds():
        time.sleep(0.1)


def paused(suite: Suite, name: str) -> bool:
    """Whether the executor knows a schedule to be paused."""
    told = printed(suite, "schedules")
    return any(each["name"] == name and each["paused"] for each in told)


# A schedule comes once a second at most; with three kills it takes ten of them.
@pytest.mark.timeout(120)
def test_a_run_is_made_once_however_often_the_executor_is_killed(suite: Suite) -> None:
    suite.apply({"name": "heard", "version": 1, "tasks": [_NOOP]})
    suite.apply({"name": "told", "version": 1, "tasks": [_TELL]})
    suite.apply({"kind": "event", "name": "hears", "event": "conductor:told:told", "active": True,
                 "actions": [_STARTS]})  # fmt: skip
    suite.apply({"kind": "schedule", "name": "ticks", "cronExpression": "* * * * * *",
                 "startWorkflowRequest": {"name": "told"}})  # fmt: skip
    for _ in range(3):
        time.sleep(2)
        suite.kill("executor")
    until(lambda: len(printed(suite, "schedules", "runs", "ticks", "--limit", "1000")) >= 9)
    suite.podium("schedules", "pause", "ticks")
    # Until the executor has heard of that it makes runs.
    until(lambda: paused(suite, "ticks"))
    runs = printed(suite, "schedules", "runs", "ticks", "--limit", "1000")
    until(lambda: len(printed(suite, "executions", "wf:heard", "--limit", "1000")) >= len(runs))
    heard = printed(suite, "executions", "wf:heard", "--limit", "1000")

    assert {run["outcome"] for run in runs} == {"STARTED"}
    due = sorted(datetime.fromisoformat(run["scheduledAt"]) for run in runs)
    assert len(due) >= 9
    assert {later - earlier for earlier, later in pairwise(due)} == {timedelta(seconds=1)}
    assert len(heard) == len(runs)


def test_a_schedule_that_is_paused_already_is_said_to_be(suite: Suite) -> None:
    suite.apply({"name": "rare", "version": 1, "tasks": [_NOOP]})
    suite.apply({"kind": "schedule", "name": "rarely", "cronExpression": "0 0 0 1 1 *",
                 "startWorkflowRequest": {"name": "rare"}})  # fmt: skip
    told = [suite.podium("schedules", verb, "rarely") for verb in ("pause", "pause", "resume")]
    again = suite.podium("schedules", "resume", "rarely", "--output", "json")
    missing = suite.podium("schedules", "pause", "nowhere")

    assert [each.stdout for each in told] == [
        "paused rarely\n", "paused rarely  (already)\n", "resumed rarely\n",
    ]  # fmt: skip
    assert json.loads(again.stdout)["name"] == "rarely"
    assert (missing.returncode, missing.stderr) == (1, "podium: There is no schedule 'nowhere'.\n")
