"""``Idempotency-Key`` from outside: one execution, whatever is killed in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.system.conftest import expose, http, parsed
from tests.system.running import Suite, post, until
from tests.system.test_main_job import token

HOLD = {"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}
# One that ends by itself is waited for.
HOUR = {**HOLD, "inputParameters": {"duration": "1 hour"}}
BLOCKED = {"name": "blocked", "version": 1, "tasks": [HOUR]}
EXECUTE = "/api/workflow/execute/blocked/1?waitForSeconds=60&requestId="


def executions(suite: Suite, workflow: str) -> list[dict[str, Any]]:
    shown = suite.podium("executions", f"wf:{workflow}", "--output", "json")
    assert shown.returncode == 0, shown.stderr
    found: list[dict[str, Any]] = parsed(shown.stdout)
    return found


@contextmanager
def asking(url: str, *headers: dict[str, str]) -> Iterator[list[Future[httpx.Response]]]:
    """POST with each of ``headers``, all at once."""
    with ThreadPoolExecutor(len(headers)) as pool:
        together = threading.Barrier(len(headers))

        def ask(given: dict[str, str]) -> httpx.Response:
            together.wait(10)
            return post(url, json={"n": 1}, headers=given, timeout=60)

        yield [pool.submit(ask, each) for each in headers]


def kill(suite: Suite, name: str) -> None:
    """Kill a service, and wait for the one that takes its place."""
    killed = suite.kill(name)
    until(lambda: suite.pids.get(name, killed) != killed, 20, f"another {name}")


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f'"{uuid4()}"'}


def test_a_repeat_is_the_kept_answer_and_does_nothing_again(
    suite: Suite, upstream: str, key: dict[str, str]
) -> None:
    begin = http("begin", f"{upstream}/jobs", "POST", body={"owner": "once"})
    suite.apply(*expose("once", begin))
    url, headers = f"{suite.gateway}/once", {**suite.caller("once"), **key}

    first = post(url, json={"n": 1}, headers=headers)
    again = post(url, content=b'{"n": 1}', headers=headers)
    same = post(url, json={"n": 1}, headers=headers)
    other = post(url, json={"n": 2}, headers=headers)

    assert first.status_code == 200, first.text
    assert "idempotent-replayed" not in first.headers
    assert same.json() == first.json()
    assert same.headers["idempotent-replayed"] == "true"
    assert same.headers["podium-execution-id"] == first.headers["podium-execution-id"]
    # The body as it was sent counts, to the byte.
    assert {again.status_code, other.status_code} == {422}
    assert other.json()["type"] == "urn:podium:problem:idempotency-key-reused"
    assert httpx.get(f"{upstream}/owners").json()["once"] == 1
    unread = post(url, json={}, headers={**headers, "Idempotency-Key": '"'})
    assert unread.status_code == 400


def test_many_at_once_are_one_execution_and_all_have_its_answer(
    suite: Suite, key: dict[str, str]
) -> None:
    suite.apply(*expose("together", HOLD))
    headers = {**suite.caller("together"), **key}
    with asking(f"{suite.gateway}/together", *[headers] * 8) as answers:
        until(lambda: executions(suite, "together"), 20, "an execution")
        execution_id = executions(suite, "together")[0]["workflowId"]
        done = suite.podium("complete-task", execution_id, "hold")
        assert done.returncode == 0, done.stderr
        got = [each.result(60) for each in answers]

    assert {each.status_code for each in got} == {200}
    assert {each.headers["podium-execution-id"] for each in got} == {execution_id}
    assert len(executions(suite, "together")) == 1


# Two services are killed and come back.
@pytest.mark.timeout(120)
def test_kills_between_send_and_answer_make_no_second_execution(
    sturdy_suite: Suite, key: dict[str, str]
) -> None:
    suite = sturdy_suite
    suite.apply(*expose("killed", HOLD), BLOCKED)
    url, headers = f"{suite.gateway}/killed", {**suite.caller("killed"), **key}
    # By Conductor's API, too.
    client, blocking = {"X-Authorization": token(suite)}, f"{suite.management}{EXECUTE}{uuid4()}"

    with asking(url, headers) as (answer,), asking(blocking, client) as (blocked,):
        until(lambda: executions(suite, "killed"), 20, "an execution")
        execution_id = executions(suite, "killed")[0]["workflowId"]
        until(lambda: running(suite, client), 20, "an execution of Conductor's API")
        kill(suite, "executor")
        with asking(blocking, client) as (other,):
            complete(suite, client, running(suite, client))
            assert blocked.result(60).json()["status"] == "COMPLETED"
            assert other.result(60).json()["workflowId"] == blocked.result().json()["workflowId"]
        blocking = f"{suite.management}{EXECUTE}{uuid4()}"
        with asking(blocking, client) as (blocked,):
            until(lambda: running(suite, client), 20, "another execution")
            blocked_id = running(suite, client)
            kill(suite, "edge")
            for each in (answer, blocked):
                with pytest.raises(httpx.TransportError):
                    each.result(60)
    later = post(url, json={"n": 1}, headers={**headers, "Prefer": "respond-async"})
    assert later.status_code == 202
    assert later.headers["podium-execution-id"] == execution_id
    complete(suite, client, blocked_id)
    again = post(blocking, json={"n": 1}, headers=client).json()
    assert (again["workflowId"], again["status"]) == (blocked_id, "COMPLETED")
    with asking(url, headers) as (answer,):
        done = suite.podium("complete-task", execution_id, "hold")
        assert done.returncode == 0, done.stderr
        assert answer.result(60).status_code == 200

    assert len(executions(suite, "killed")) == 1
    assert running(suite, client) == ""


def complete(suite: Suite, client: dict[str, str], execution_id: str) -> None:
    url = f"{suite.management}/api/tasks/{execution_id}/hold/COMPLETED"
    assert post(url, json={}, headers=client).status_code == 200


def running(suite: Suite, client: dict[str, str]) -> str:
    """The execution of Conductor's API that runs; empty: none does."""
    query = {"query": "workflowType = blocked AND status = RUNNING"}
    url = f"{suite.management}/api/workflow/search"
    results = httpx.get(url, params=query, headers=client, timeout=20).json()["results"]
    return str(results[0]["workflowId"]) if results else ""
