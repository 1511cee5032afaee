"""Executions side by side from outside: to the limit, in line, and over a killed executor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite, post, until
from tests.system.test_gateway_idempotency import executions, kill

BRIEF = {
    "name": "brief",
    "taskReferenceName": "brief",
    "type": "WAIT",
    "inputParameters": {"duration": "1 second"},
}
HOLD = {"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}
ASYNC = {"Prefer": "respond-async"}


def limit(**fields: Any) -> dict[str, Any]:
    return {"rateLimitConfig": {"concurrentExecLimit": 1, **fields}}


def test_one_more_than_may_gets_429_until_one_has_ended(suite: Suite) -> None:
    route = limit(rateLimitKey="${headers.X-Tenant}")
    suite.apply(*expose("rejecting", HOLD, route=route))
    url, headers = f"{suite.gateway}/rejecting", suite.caller("rejecting")

    def call(tenant: str) -> httpx.Response:
        return post(url, json={}, headers={**headers, **ASYNC, "X-Tenant": tenant})

    first, second, other = call("a"), call("a"), call("b")
    assert (first.status_code, second.status_code, other.status_code) == (202, 429, 202)
    assert second.headers["retry-after"]
    assert second.headers["ratelimit"] == '"concurrent";r=0'
    policy = '"concurrent";q=1;qu="concurrent-requests"'
    assert {each.headers["ratelimit-policy"] for each in (first, second)} == {policy}
    assert second.json()["violated-policies"] == ["concurrent"]

    done = suite.podium("complete-task", first.json()["executionId"], "hold")
    assert done.returncode == 0, done.stderr
    assert call("a").status_code == 202
    # Raised, live: the next start is judged by it.
    suite.apply(*expose("rejecting", HOLD, route=limit(concurrentExecLimit=2)))
    assert len(executions(suite, "rejecting")) == 3


def test_who_waits_in_vain_gets_429_and_who_leaves_begins_nothing(suite: Suite) -> None:
    route = {**limit(onFull="QUEUE", maxQueued=2), "timeoutInSeconds": 1}
    suite.apply(*expose("waiting", HOLD, route=route))
    url, headers = f"{suite.gateway}/waiting", suite.caller("waiting")

    first = post(url, json={}, headers={**headers, **ASYNC})
    in_vain = post(url, json={}, headers=headers)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={}, headers=headers, timeout=0.3)
    done = suite.podium("complete-task", first.json()["executionId"], "hold")
    assert done.returncode == 0, done.stderr
    third = post(url, json={}, headers={**headers, **ASYNC})

    assert in_vain.status_code == 429, in_vain.text
    assert "podium-execution-id" not in in_vain.headers
    assert third.status_code == 202
    assert len(executions(suite, "waiting")) == 2


# Each of them takes a second, one after another; the executor is killed meanwhile.
@pytest.mark.timeout(120)
def test_those_in_line_begin_one_by_one_though_the_executor_is_killed(sturdy_suite: Suite) -> None:
    suite = sturdy_suite
    route = {**limit(onFull="QUEUE"), "timeoutInSeconds": 60}
    suite.apply(*expose("queued", BRIEF, route=route))
    url, headers = f"{suite.gateway}/queued", suite.caller("queued")

    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(post, url, json={}, headers=headers, timeout=90) for _ in range(6)]
        until(lambda: executions(suite, "queued"), 20, "an execution")
        kill(suite, "executor")
        answers = [call.result(90) for call in calls]

    assert {each.status_code for each in answers} == {200}, [each.text for each in answers]
    found = executions(suite, "queued")
    assert {each["workflowId"] for each in found} == {
        each.headers["podium-execution-id"] for each in answers
    }
    spans = sorted((each["startTime"], each["endTime"]) for each in found)
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), spans
