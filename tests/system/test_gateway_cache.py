"""Kept answers from outside: hits, shared executions, 304, changes, purges."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.system.conftest import expose, parsed
from tests.system.running import Suite, post, until


def executions(suite: Suite, workflow: str) -> int:
    shown = suite.podium("executions", f"wf:{workflow}", "--output", "json")
    assert shown.returncode == 0, shown.stderr
    return len(parsed(shown.stdout))


def state(answer: httpx.Response) -> str:
    return answer.headers["cache-status"].removeprefix("podium; ")


def echo(value: str) -> dict[str, Any]:
    """A task that answers with ``value`` and with what it was given."""
    script = f"({{value: {value}, given: $.given}})"
    inputs = {"evaluatorType": "javascript", "expression": script, "given": "${workflow.input.n}"}
    return {"name": "e", "taskReferenceName": "e", "type": "INLINE", "inputParameters": inputs}


def cached(name: str, value: str = "1", version: int = 1, **route: Any) -> list[dict[str, Any]]:
    documents = expose(
        name,
        echo(value),
        workflow={"version": version, "outputParameters": {"is": "${e.output.result}"}},
        route={"cacheConfig": {"key": "${body.n}"}, **route},
    )
    return documents if version == 1 else documents[:1]


def test_an_answer_is_kept_until_its_workflow_changes(suite: Suite) -> None:
    suite.apply(*cached("kept"))
    url, caller = f"{suite.gateway}/kept", suite.caller("kept")
    first = post(url, json={"n": 1}, headers=caller)
    again = post(url, json={"n": 1, "more": 2}, headers=caller)
    other = post(url, json={"n": 2}, headers=caller)

    assert first.status_code == 200, first.text
    assert state(first) == "fwd=uri-miss; stored"
    assert state(again).startswith("hit; ttl=")
    assert 0 <= int(again.headers["age"]) < 300
    assert again.json() == first.json() == {"is": {"value": 1, "given": 1}}
    assert again.headers["podium-execution-id"] == first.headers["podium-execution-id"]
    assert other.json()["is"]["given"] == 2
    assert httpx.post(url, json={"n": 1}).status_code == 401

    suite.apply(*cached("kept", "2", version=2))
    changed = post(url, json={"n": 1}, headers=caller)
    assert changed.json()["is"]["value"] == 2
    assert executions(suite, "kept") == 3


def test_calls_of_the_same_at_once_are_one_execution(suite: Suite) -> None:
    hold = {"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}
    suite.apply(*expose("herd", hold, route={"cacheConfig": {}}))
    url, caller = f"{suite.gateway}/herd", suite.caller("herd")

    def waiting() -> bool:
        told = parsed(suite.podium("cache", "--service", "herd", "--output", "json").stdout)
        return bool(told["underWay"])

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(post, url, headers=caller, timeout=60) for _ in range(8)]
        until(waiting, 20, "the flight is under way")
        until(lambda: executions(suite, "herd") == 1, 20, "its execution is there")
        shown = suite.podium("executions", "wf:herd", "--output", "json")
        execution_id = parsed(shown.stdout)[0]["workflowId"]
        done = suite.podium("complete-task", execution_id, "hold")
        assert done.returncode == 0, done.stderr
        answers = [each.result() for each in calls]

    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert {answer.headers["podium-execution-id"] for answer in answers} == {execution_id}
    assert executions(suite, "herd") == 1
    states = sorted(map(state, answers))
    assert states.count("fwd=uri-miss; stored") == 1
    assert all(each.startswith(("hit", "fwd=uri-miss")) for each in states)


def test_who_has_the_answer_gets_304_and_a_purge_makes_a_new_one(suite: Suite) -> None:
    name = "tagged"
    suite.apply(*cached(name, httpMethod="GET", path="/{n}", cacheConfig={"key": "${path.n}"}))
    url, caller = f"{suite.gateway}/{name}/7", suite.caller(name)
    first = httpx.get(url, headers=caller)
    held = {**caller, "If-None-Match": first.headers["etag"]}

    assert first.headers["cache-control"] == "private, no-cache"
    again = httpx.get(url, headers=held)
    assert (again.status_code, again.content) == (304, b"")
    assert state(again).startswith("hit")

    def purge(*words: str) -> dict[str, Any]:
        done = suite.podium("cache", "purge", *words, "--output", "json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = parsed(done.stdout)
        return answer

    assert purge(name, "GET", "/{n}", "--key", "8") == {"purged": 0}
    assert purge(name, "GET", f"/{name}/{{n}}", "--key", "7") == {"purged": 1}
    assert state(httpx.get(url, headers=held)) == "fwd=uri-miss; stored"
    assert purge(name) == {"purged": 1}
    assert state(httpx.get(url, headers=held)) == "fwd=uri-miss; stored"
    assert purge("--principal", f"key:{name}/default") == {"purged": 1}


def test_the_command_tells_what_is_kept_and_what_is_wrong(suite: Suite) -> None:
    suite.apply(*cached("shown"))
    for _ in range(3):
        post(f"{suite.gateway}/shown", json={"n": 1}, headers=suite.caller("shown"))

    shown = suite.podium("cache", "--service", "shown")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].split()[:4] == ["shown", "POST", "/shown", "1"]
    told = parsed(suite.podium("cache", "--service", "shown", "--output", "json").stdout)
    row = told["routes"][0]
    assert (row["entries"], row["hits"], row["misses"]) == (1, 2, 1)

    nothing = suite.podium("cache", "purge")
    unknown = suite.podium("cache", "purge", "shown", "GET", "/nope")
    absent = suite.podium("cache", "purge", "nowhere")
    assert (nothing.returncode, unknown.returncode, absent.returncode) == (2, 1, 1)
    assert "--all" in nothing.stderr
    assert "no route GET /nope" in unknown.stderr
    assert "no service 'nowhere'" in absent.stderr


def test_a_key_of_what_no_call_has_is_a_fault(suite: Suite) -> None:
    documents = cached("faulty", cacheConfig={"key": "${path.n}", "ttlInSecond": 60})
    refused = suite.podium("apply", "-", text="\n---\n".join(map(str, documents)))

    assert refused.returncode == 1
    assert "cacheConfig.key: 'n' is no parameter of the path" in refused.stderr
    assert "cacheConfig.ttlInSecond: must be at least 300, not 60" in refused.stderr
