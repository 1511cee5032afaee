"""Server-sent events from outside: progress with polls, the end, cuts, kills, the suite's end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.edge.sse import Event, Parser
from tests.system.conftest import expose, http, poll
from tests.system.running import Suite, until

# Suites that start beside others on a busy machine take their time.
pytestmark = pytest.mark.timeout(120)

STREAM = {"Accept": "text/event-stream"}
PATIENCE = httpx.Timeout(60)


def job(upstream: str, seconds: float) -> list[dict[str, Any]]:
    """Tasks that begin a job and poll it until it is done."""
    begin = http("begin", f"{upstream}/jobs", "POST", body={"seconds": seconds})
    status = f"{upstream}/jobs/${{begin.output.body.jobId}}"
    return [begin, poll("wait", status, "$.output.body.status === 'COMPLETED'")]


@contextmanager
def reading(url: str, headers: dict[str, str], method: str = "POST") -> Iterator[Reading]:
    """The events of a call; one that is told 503 asks again, as a patient client does."""
    limit = time.monotonic() + 20
    with httpx.Client(timeout=PATIENCE) as client:
        while True:
            with client.stream(method, url, headers=STREAM | headers) as answer:
                if answer.status_code != 503 or time.monotonic() > limit:
                    assert answer.status_code == 200, answer.read()
                    yield Reading(answer)
                    return
            time.sleep(0.2)


class Reading:
    """An answer that goes on."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.parser = Parser()
        self._lines = answer.iter_lines()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while True:
            if event := self.parser.feed(next(self._lines)):
                return event

    @property
    def location(self) -> str:
        return str(self.answer.url.join(self.answer.headers["Location"]))


def polls(told: list[Event]) -> list[int]:
    """The numbers of polls that were told, in order."""
    tasks = [task for event in told for task in event.data.get("tasks", ())]
    return [task["poll"] for task in tasks if task["ref"] == "wait" and task.get("poll")]


@pytest.fixture(scope="module")
def watched(suite: Suite, upstream: str) -> str:
    """The URL of a route that runs a job of a second or two, and shows its details."""
    documents = expose("sse", *job(upstream, 1.5), route={"exposeDetails": True})
    documents[-1]["routes"].append(
        {"httpMethod": "PUT", "path": "/plain", "mappedWorkflow": {"name": "sse"}}
    )
    suite.apply(*documents)
    return f"{suite.gateway}/sse"


def test_a_long_call_is_followed_to_its_result(suite: Suite, watched: str) -> None:
    with reading(watched, suite.caller("sse")) as events:
        told = list(events)

    assert {event.name for event in told[:-1]} == {"progress"}
    numbers = polls(told[:-1])
    assert numbers == sorted(numbers)
    assert numbers[-1] > 2
    assert any(0 < event.data.get("progress", 0) < 100 for event in told[:-1])
    assert told[-1].name == "result"
    assert told[-1].data["status"] == 200
    assert told[-1].data["body"]["response"]["body"]["status"] == "COMPLETED"


def test_strangers_see_progress_and_no_tasks(suite: Suite, watched: str) -> None:
    with reading(f"{watched}/plain", suite.caller("sse"), "PUT") as events:
        told = list(events)

    assert not any("tasks" in event.data for event in told[:-1])
    assert any("progress" in event.data for event in told[:-1])
    shown = [(event.data["status"], event.data.get("progress")) for event in told[:-1]]
    assert len(shown) == len(set(shown))
    assert told[-1].name == "result"


def test_who_was_cut_off_misses_nothing_and_others_see_the_same(suite: Suite, watched: str) -> None:
    key = suite.caller("sse")
    with reading(watched, key) as events:
        told = [next(events)]
        while not polls(told):
            told.append(next(events))
        location = events.location
        last = {"Last-Event-ID": events.parser.last_id}
    with (
        reading(location, key | last, "GET") as cut_off,
        reading(location, key, "GET") as another,
    ):
        rest, theirs = list(cut_off), list(another)
    after = httpx.get(location, headers=STREAM | key | {"Last-Event-ID": rest[-1].id})
    again = httpx.post(watched, headers=STREAM | key | {"Last-Event-ID": rest[-1].id})
    plain = httpx.get(location, headers=key)

    numbers = polls(told + rest[:-1])
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, numbers[-1] + 1))
    assert len({event.id for event in told + rest}) == len(told + rest)
    assert theirs[-1].data == rest[-1].data
    assert plain.json() == rest[-1].data["body"]
    assert (after.status_code, again.status_code) == (204, 204)


def test_mistakes_are_answered_before_the_stream(suite: Suite, watched: str) -> None:
    refused = httpx.post(watched, headers=STREAM)
    broken = httpx.post(watched, headers=STREAM | suite.caller("sse"), content=b"{")

    for answer, status in ((refused, 401), (broken, 400)):
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_failure_is_told_as_an_error(suite: Suite, upstream: str) -> None:
    suite.apply(*expose("sse-fails", http("call", f"{upstream}/faults/500")))

    with reading(f"{suite.gateway}/sse-fails", suite.caller("sse-fails")) as events:
        told = list(events)

    assert told[-1].name == "error"
    assert told[-1].data["status"] == 502
    assert told[-1].data["type"] == "urn:podium:problem:execution-failed"


def test_a_client_that_does_not_read_harms_no_other(suite: Suite, watched: str) -> None:
    host, _, port = suite.gateway.removeprefix("http://").rpartition(":")
    key = suite.keys["sse"]
    request = (
        f"POST /sse HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nX-API-Key: {key}\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.sendall(request.encode())
        with reading(watched, suite.caller("sse")) as events:
            told = list(events)

    assert told[-1].name == "result"


def test_streams_outlive_a_killed_executor_and_end_with_the_suite(
    own_suite: Suite, upstream: str
) -> None:
    suite = own_suite
    suite.apply(*expose("kill", *job(upstream, 4), route={"exposeDetails": True}))
    key, url = suite.caller("kill"), f"{suite.gateway}/kill"
    with reading(url, key) as events:
        told = [next(events)]
        while not polls(told):
            told.append(next(events))
        killed = suite.kill("executor")
        told += events
    until(lambda: suite.pids.get("executor", killed) != killed, 20, "another executor")
    with reading(url, key) as events:
        next(events)
        assert suite.stop() == 0
        left = list(events)

    numbers = polls(told[:-1])
    assert told[-1].name == "result"
    assert set(numbers) == set(range(1, numbers[-1] + 1))
    assert len({event.id for event in told}) == len(told)
    assert all(event.name == "progress" for event in left)


def test_progress_that_somebody_reports_of_a_task_is_told(suite: Suite, upstream: str) -> None:
    begin = http("begin", f"{upstream}/jobs", "POST", body={"seconds": 0}, asyncComplete=True)
    suite.apply(*expose("sse-async", begin))
    said = ("complete-task", "--status")

    with reading(f"{suite.gateway}/sse-async", suite.caller("sse-async")) as events:
        told = [next(events)]
        execution_id = told[0].data["executionId"]
        going = suite.podium(
            *said, "IN_PROGRESS", "--result", '{"progress": 40}', execution_id, "begin"
        )
        told.append(next(events))
        done = suite.podium(*said, "COMPLETED", execution_id, "begin")
        told += events

    assert (going.returncode, done.returncode) == (0, 0), going.stderr + done.stderr
    assert told[1].data == {"executionId": execution_id, "status": "RUNNING", "progress": 40}
    assert told[-1].name == "result"
