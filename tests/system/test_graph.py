"""`podium graph` of what the suite has."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.system.running import Suite

pytestmark = pytest.mark.timeout(180)

WORKFLOW = {
    "name": "drawn",
    "version": 3,
    "tasks": [
        {
            "name": "which",
            "taskReferenceName": "which",
            "type": "SWITCH",
            "evaluatorType": "value-param",
            "expression": "way",
            "inputParameters": {"way": "${workflow.input.way}"},
            "decisionCases": {
                "left": [{"name": "wait", "taskReferenceName": "wait", "type": "WAIT"}],
                "right": [{"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}],
            },
        }
    ],
}


def test_a_workflow_and_where_its_execution_stands_are_drawn(suite: Suite) -> None:
    suite.apply(WORKFLOW)
    execution = suite.podium("run", "drawn", "--input", '{"way": "left"}').stdout.strip()
    nodes: dict[str, Any] = {}
    limit = time.monotonic() + 60
    while "status" not in nodes.get("wait", {}) and time.monotonic() < limit:
        told = suite.podium("graph", "--execution", execution, "--output", "json").stdout
        nodes = {node["ref"]: node for node in json.loads(told)["nodes"]}

    defined = suite.podium("graph", "drawn")
    standing = suite.podium("graph", "--execution", execution)

    assert defined.stdout.startswith("drawn v3  3 tasks\n")
    assert "│   wait" in defined.stdout
    assert standing.stdout.startswith("drawn v3  RUNNING  3 tasks · ✔ 1 ● 1\n")
    assert nodes["which"]["status"] == "COMPLETED"
    assert "status" not in nodes["noop"]
    assert suite.podium("terminate", execution).returncode == 0


def test_what_is_not_there_is_told(suite: Suite) -> None:
    for arguments in (("graph", "nowhere"), ("graph", "--execution", "none")):
        done = suite.podium(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("podium: ")
