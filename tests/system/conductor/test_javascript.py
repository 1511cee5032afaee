"""Conductor's own JavaScript client, unmodified: `javascript/client.mjs` uses it, we look at it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.conductor.world import Conductor

SECONDS = 120


@pytest.fixture(scope="session")
def told(conductor: Conductor, javascript: Path) -> dict[str, Any]:
    """What came of each story, by its name."""
    done = subprocess.run(
        ["node", "client.mjs"],
        cwd=javascript,
        env={**os.environ, **conductor.environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stories: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return stories


STORIES: tuple[tuple[str, Any], ...] = (
    ("definitions", {"twice": True, "description": "again", "retryCount": 4, "listed": True,
                     "gone": True}),
    ("builders", ["HTTP", "SWITCH"]),
    ("starts", {"different": True, "input": {"n": 1}, "status": "RUNNING", "found": 2,
                "missing": True}),
    ("workers", {"run": "Hello Ada", "all": [f"Hello {n}" for n in range(10)],
                 "never": ["FAILED", "FAILED_WITH_TERMINAL_ERROR"]}),
    ("manager", {"by": "a manager"}),
    ("updates", {"status": "COMPLETED", "outputs": [1, 2, 3], "logs": ["hello"],
                 "task": "COMPLETED"}),
    ("states", [{"seen": 1}, ["COMPLETED", "IN_PROGRESS"]]),
    ("signals", ["a", "b", "COMPLETED"]),
    ("operations", ["PAUSED", "RUNNING", "FAILED", "RUNNING", "COMPLETED", "RUNNING",
                    "TERMINATED", "enough", "RUNNING", True]),
    ("search", {"same": True, "total": 3, "tasks": 3}),
    ("queues", {"js_unworked": 1}),
    ("tested", ["COMPLETED", {"mocked": True}]),
    ("tags", {"tags": [["team", "red"]], "limit": 7, "unlimited": True}),
    ("events", {"handler": "js_hears", "heard": 1}),
    ("applications", {"same": True, "secret": "string"}),
    ("others", {"cronExpression": "0 0 6 * * ?", "data": {"type": "object"}, "secret": True}),
)  # fmt: skip


@pytest.mark.parametrize(("story", "expected"), STORIES, ids=[name for name, _ in STORIES])
def test_the_client_is_told_what_it_expects(
    told: dict[str, Any], story: str, expected: Any
) -> None:
    assert told[story] == {"told": expected}


def test_no_story_is_left_out(told: dict[str, Any]) -> None:
    assert set(told) == {name for name, _ in STORIES}
