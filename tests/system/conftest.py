"""One suite and one upstream for the tests that only look at them from outside."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Suite, suite_in, until, upstream_running

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """A real HTTP upstream in a process of its own."""
    with upstream_running() as url:
        yield url


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A running suite, shared: tests put definitions under names of their own."""
    with suite_in(tmp_path_factory.mktemp("suite")) as suite:
        yield suite


@pytest.fixture
def sturdy_suite(suite: Suite) -> Iterator[Suite]:
    """The shared suite for a test that kills or stops what comes back: it is whole afterwards."""
    yield suite
    until(lambda: _is_whole(suite), 30, "the shared suite is whole again")


def _is_whole(suite: Suite) -> bool:
    status = suite.podium("status", "--output", "json")
    if status.returncode:
        return False
    rows = parsed(status.stdout)["services"]
    return all("pid" in row for row in rows) and any(row.get("executorConnected") for row in rows)


@pytest.fixture
def own_suite(tmp_path: Path) -> Iterator[Suite]:
    """A suite that a test may end, or whose log or figures begin with the test."""
    with suite_in(tmp_path) as suite:
        yield suite


def needs(program: str) -> None:
    """Skip where ``program`` is missing; fail instead where all tests must run."""
    if shutil.which(program):
        return
    if os.environ.get("PODIUM_TEST_ALL"):
        pytest.fail(f"{program} is missing")
    pytest.skip(f"needs {program}")


def expose(name: str, *tasks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """A workflow of ``tasks`` behind ``POST /NAME``, with a key; ``more`` goes to both by name.

    Args:
        name: Of the workflow, its application, auth and service.
        tasks: As a user writes them.
        more: ``workflow``, ``route`` and ``auth`` are merged into those documents.
    """
    return [
        {"name": name, "version": 1, "tasks": list(tasks), **more.get("workflow", {})},
        {
            "kind": "application",
            "id": name,
            "permissions": [
                {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]},
            ],
        },
        {
            "kind": "auth",
            "id": name,
            "authenticationType": "API_KEY",
            "applicationId": name,
            **more.get("auth", {}),
        },
        {
            "kind": "service",
            "id": name,
            "name": name,
            "path": f"/{name}",
            "authConfigId": name,
            "routes": [
                {
                    "httpMethod": "POST",
                    "path": "/",
                    "mappedWorkflow": {"name": name},
                    **more.get("route", {}),
                }
            ],
        },
    ]


def http(ref: str, uri: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    """An HTTP task; ``more`` is merged into the task, ``body`` into its request."""
    request = {"uri": uri, "method": method}
    if "body" in more:
        request["body"] = more.pop("body")
    return {
        "name": ref,
        "taskReferenceName": ref,
        "type": "HTTP",
        "inputParameters": request,
        **more,
    }


def poll(ref: str, uri: str, condition: str, **more: Any) -> dict[str, Any]:
    """An HTTP_POLL task; ``more`` is merged into its input."""
    return {
        "name": ref,
        "taskReferenceName": ref,
        "type": "HTTP_POLL",
        "inputParameters": {
            "uri": uri,
            "method": "GET",
            "pollingInterval": 0.2,
            "terminationCondition": condition,
            **more,
        },
    }


def example(name: str, jobs: str) -> str:
    """The text of an example, with the address of a job server."""
    return (EXAMPLES / name).read_text().replace("http://127.0.0.1:9099", jobs)


def parsed(text: str) -> Any:
    """JSON text."""
    return json.loads(text)
