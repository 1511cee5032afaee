"""Every row of the table of answers, from outside: what happens, and what a caller gets."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite, until

NAME = "rows"
PROBLEM = "application/problem+json"
REJECTED = {"rateLimitKey": "${path.of}", "concurrentExecLimit": 1}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def task(type_: str, ref: str = "t", **inputs: Any) -> dict[str, Any]:
    """A task of one type."""
    return {"name": ref, "taskReferenceName": ref, "type": type_, "inputParameters": inputs}


def route(path: str, workflow: str, method: str = "POST", **more: Any) -> dict[str, Any]:
    """A route of the service of this table."""
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": workflow}, **more}


HANG = task("WAIT", duration="1 hour")
LOST = {**task("HTTP", "lost", uri="http://127.0.0.1:1/", method="GET"), "retryCount": 0}
WORKFLOWS: dict[str, list[dict[str, Any]]] = {
    "rows-done": [task("NOOP")],
    "rows-brief": [task("WAIT", duration="1s")],
    "rows-hang": [HANG],
    "rows-failed": [task("TERMINATE", terminationStatus="FAILED", terminationReason="no luck")],
    "rows-ended": [task("TERMINATE", terminationStatus="TERMINATED")],
    "rows-first": [LOST, HANG],
}  # fmt: skip
TIMED_OUT = {"timeoutSeconds": 1, "timeoutPolicy": "TIME_OUT_WF"}
ROUTES = [
    route("/done", "rows-done", inputSchema={}, postResponseScript=""),
    route("/done", "rows-done", method="GET"),
    route("/brief", "rows-brief", timeoutInSeconds=20),
    route("/hang/{of}", "rows-hang", timeoutInSeconds=1),
    route("/late", "rows-brief", workflowExecutionMode="ASYNCHRONOUS"),
    route("/failed", "rows-failed"),
    route("/failed-told", "rows-failed", exposeDetails=True),
    route("/ended", "rows-ended"),
    route("/timed-out", "rows-timed-out"),
    route("/awaited", "rows-first", waitUntilTasks="lost"),
    route("/checked", "rows-done", inputSchema=SCHEMA),
    route("/asked", "rows-done", queryParameters=[{"name": "page", "type": "integer"}]),
    route("/often", "rows-done", rateLimits=[{"name": "few", "limit": 1, "windowSeconds": 3600}]),
    route("/one/{of}", "rows-hang", workflowExecutionMode="ASYNCHRONOUS", rateLimitConfig=REJECTED),
    route("/thrown", "rows-done", preRequestScript="(() => { throw new Error('x'); })()"),
    route("/broken", "rows-done", outputSchema=SCHEMA),
]


@pytest.fixture(scope="module")
def table(suite: Suite) -> Suite:
    """The shared suite with all that the rows call."""
    names = [*WORKFLOWS, "rows-timed-out"]
    workflows = [
        {"name": name, "version": 1, "tasks": tasks, "outputParameters": {"said": "done"}}
        for name, tasks in WORKFLOWS.items()
    ]
    timed_out = {"name": "rows-timed-out", "version": 1, "tasks": [HANG], **TIMED_OUT}
    permissions = [
        {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]} for name in names
    ]
    _, application, auth, service = expose(NAME, HANG)
    application["permissions"] = permissions
    service["routes"] = ROUTES
    off = {**service, "id": "rows-off", "path": "/rows-off", "enabled": False}
    off["routes"] = [route("/done", "rows-done")]
    barred = {"kind": "application", "id": "rows-barred", "permissions": []}
    barred_auth = {**auth, "id": "rows-barred", "applicationId": "rows-barred"}
    barred_service = {**off, "id": "rows-barred", "path": "/rows-barred", "enabled": True}
    barred_service["authConfigId"] = "rows-barred"
    public_auth = {**auth, "id": "rows-public", "authenticationType": "NONE"}
    public = {**service, "id": "rows-public", "path": "/rows-public", "authConfigId": "rows-public"}
    public["routes"] = [route("/hang", "rows-hang", timeoutInSeconds=1)]
    suite.apply(*workflows, timed_out, application, auth, service, off)
    suite.apply(barred, barred_auth, barred_service, public_auth, public)
    return suite


@dataclass(frozen=True)
class Call:
    """One call of a row."""

    method: str = "POST"
    path: str = "/rows/done"
    body: bytes | None = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    key: str | None = NAME

    def made(self, suite: Suite) -> httpx.Response:
        """Its answer."""
        headers = {"Content-Type": "application/json", **dict(self.headers)}
        if self.key is not None:
            headers["X-API-Key"] = suite.keys.get(self.key, self.key)
        url = suite.gateway + self.path
        return httpx.request(self.method, url, content=self.body, headers=headers, timeout=30)


@dataclass(frozen=True)
class Row:
    """What happens, and what must be in the answer to the last of the calls.

    Attributes:
        headers: Those that must be there; None: with any value.
        body: Members of the JSON body.
    """

    what: str
    calls: tuple[Call, ...]
    status: int
    headers: tuple[tuple[str, str | None], ...] = ()
    body: tuple[tuple[str, Any], ...] = ()


def row(
    what: str, code: int, /, *calls: Call, headers: dict[str, str | None] | None = None, **body: Any
) -> Row:
    """A row of the table."""
    return Row(what, calls, code, tuple((headers or {}).items()), tuple(body.items()))


def problem(what: str, code: int, /, *calls: Call, **headers: str | None) -> Row:
    """A row that ends in a problem document; headers by their names in lower case."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return row(what, code, *calls, headers={"content-type": PROBLEM, **named}, status=code)


RUNNING: dict[str, str | None] = {"location": None, "retry-after": None}
ASYNC = (("Prefer", "respond-async"),)


def keyed(key: str, body: bytes = b"{}", path: str = "/rows/done") -> Call:
    """A call with an idempotency key."""
    return Call(path=path, body=body, headers=(("Idempotency-Key", key),))


ROWS = [
    row("completed", 200, Call(), said="done"),
    row("completed, by GET", 200, Call("GET", body=None), said="done"),
    row("the route's time is up", 202, Call(path="/rows/hang/1"),
        headers=RUNNING, status="RUNNING"),
    row("Prefer: respond-async", 202, Call(path="/rows/hang/2", headers=ASYNC),
        headers={**RUNNING, "preference-applied": "respond-async"}, status="RUNNING"),
    row("Prefer: wait=1", 202, Call(path="/rows/hang/3", headers=(("Prefer", "wait=1"),)),
        headers={**RUNNING, "preference-applied": "wait=1"}),
    row("an ASYNCHRONOUS route", 202, Call(path="/rows/late"), headers=RUNNING),
    problem("failed", 502, Call(path="/rows/failed"), podium_execution_id=None),
    row("failed, told why", 502, Call(path="/rows/failed-told"), detail="no luck"),
    problem("terminated", 502, Call(path="/rows/ended")),
    problem("timed out", 504, Call(path="/rows/timed-out")),
    problem("an awaited task failed", 502, Call(path="/rows/awaited")),
    problem("no route", 404, Call(path="/rows/nothing")),
    problem("another method", 405, Call("DELETE"), allow="GET, HEAD, OPTIONS, POST"),
    problem("disabled, before the key is looked at", 503,
            Call(path="/rows-off/done", key=None), retry_after=None),
    problem("no key", 401, Call(key=None), www_authenticate=None),
    problem("a wrong key", 401, Call(key="wrong"), www_authenticate=None),
    problem("not allowed", 403, Call(path="/rows-barred/done", key="rows-barred")),
    problem("no JSON", 400, Call(body=b"{")),
    problem("a schema is broken", 422, Call(path="/rows/checked", body=b'{"n": "x"}')),
    problem("a query is wrong", 422, Call(path="/rows/asked?page=x")),
    problem("too large", 413, Call(body=b'"' + b"x" * (10 << 20) + b'"')),
    problem("another type", 415, Call(headers=(("Content-Type", "text/plain"),), body=b"x")),
    problem("headers too large", 431, Call(headers=(("X-Much", "x" * 70_000),))),
    problem("over a limit", 429, Call(path="/rows/often"), Call(path="/rows/often"),
            retry_after=None, ratelimit=None, ratelimit_policy='"few";q=1;w=3600'),
    problem("over a concurrent limit", 429,
            Call(path="/rows/one/here"), Call(path="/rows/one/here"), retry_after=None),
    row("beside a concurrent limit", 202, Call(path="/rows/one/a"), Call(path="/rows/one/b")),
    row("an idempotency key again", 200, keyed("again"), keyed("again"),
        headers={"idempotent-replayed": "true"}, said="done"),
    problem("an idempotency key with another payload", 422,
            keyed("other"), keyed("other", b'{"a": 1}')),
    row("an idempotency key in flight", 202, keyed("in-flight", path="/rows/hang/4"),
        keyed("in-flight", path="/rows/hang/4"), headers=RUNNING),
    problem("a failure's idempotency key again", 502,
            keyed("failed", path="/rows/failed"), keyed("failed", path="/rows/failed"),
            idempotent_replayed="true"),
    problem("a script fails", 500, Call(path="/rows/thrown")),
    problem("an output breaks its schema", 502, Call(path="/rows/broken")),
    row("OPTIONS that is no preflight", 204, Call("OPTIONS", body=None, key=None),
        headers={"allow": "GET, HEAD, OPTIONS, POST"}),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_happens_is_answered_as_the_table_says(table: Suite, row: Row) -> None:
    for call in row.calls:
        answer = call.made(table)

    assert answer.status_code == row.status, answer.text
    assert answer.headers["x-request-id"]
    for name, value in row.headers:
        assert value is None or answer.headers[name] == value
        assert name in answer.headers
    found = answer.json() if row.body else {}
    assert {name: found.get(name) for name, _ in row.body} == dict(row.body)


def located(suite: Suite, path: str, key: str | None = NAME) -> str:
    """The URL of the answer of a call that is not awaited."""
    answer = Call(path=path, headers=ASYNC, key=key).made(suite)
    assert answer.status_code == 202, answer.text
    return str(answer.url.join(answer.headers["location"]))


def test_a_location_is_202_until_it_is_done_then_what_the_route_would_have_said(
    table: Suite,
) -> None:
    location, caller = located(table, "/rows/brief"), table.caller(NAME)

    first = httpx.get(location, headers=caller)
    until(lambda: httpx.get(location, headers=caller).status_code != 202, 20, "it is done")

    assert first.status_code in (200, 202)
    assert httpx.get(location, headers=caller).json() == {"said": "done"}
    assert httpx.get(location, headers=table.caller("rows-barred")).status_code == 404
    assert httpx.get(location).status_code == 404
    assert httpx.delete(location, headers=caller).status_code == 409


def test_the_location_of_a_public_route_is_had_by_its_link_alone(table: Suite) -> None:
    location = located(table, "/rows-public/hang", key=None)

    assert httpx.get(location).status_code == 202
    assert httpx.get(location.partition("?")[0]).status_code == 404
    assert httpx.get(location[:-2] + "zz").status_code == 404


def test_deleting_a_location_ends_the_execution_and_again_changes_nothing(table: Suite) -> None:
    location, caller = located(table, "/rows/hang/deleted"), table.caller(NAME)

    statuses = [httpx.delete(location, headers=caller).status_code for _ in range(2)]

    assert statuses == [204, 204]
    assert httpx.get(location, headers=caller).status_code == 502
    assert httpx.delete(location).status_code == 404


@contextmanager
def streamed(suite: Suite, url: str, method: str = "POST") -> Iterator[httpx.Response]:
    """The events of a call."""
    headers = {**suite.caller(NAME), "Accept": "text/event-stream"}
    with httpx.stream(method, url, headers=headers, timeout=30) as answer:
        yield answer


EVENTS: list[tuple[str, Callable[[Any], bool]]] = [
    ("/rows/brief", lambda events: events[-1] == "result"),
    ("/rows/failed", lambda events: events[-1] == "error"),
]


@pytest.mark.parametrize(("path", "holds"), EVENTS, ids=lambda value: str(value)[:20])
def test_events_end_with_a_result_or_an_error(
    table: Suite, path: str, holds: Callable[[Any], bool]
) -> None:
    with streamed(table, table.gateway + path) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["location"]
        lines = list(answer.iter_lines())

    events = [line.removeprefix("event:").strip() for line in lines if line.startswith("event:")]
    assert holds(events), lines
    assert set(events[:-1]) <= {"progress"}


def test_an_executor_that_is_away_is_503_with_the_id_and_a_time_to_come_again(
    sturdy_suite: Suite,
) -> None:
    sturdy_suite.apply(*expose("hangs-away", HANG, route={"timeoutInSeconds": 1}))
    pid = sturdy_suite.pids["executor"]
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = httpx.post(
            f"{sturdy_suite.gateway}/hangs-away",
            json={},
            headers=sturdy_suite.caller("hangs-away"),
            timeout=30,
        )
    finally:
        os.kill(pid, signal.SIGCONT)

    assert answer.status_code == 503, answer.text
    assert json.loads(answer.text)["executionId"] == answer.headers["podium-execution-id"]
    assert answer.headers["retry-after"]
