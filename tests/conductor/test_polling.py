"""Polls over HTTP that wait: who is given what, whoever leaves, ends or comes back meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from podium.worker.v1 import worker_pb2
from tests.conductor.calling import authorized
from tests.tui.services import PATIENCE_SECONDS, Services, put, services_in
from tui.clients import Clients, connected

DEFINED = ("polling", "polling-left", "polling-domain", "polling-lease", "polling-away",
           "polling-none")  # fmt: skip


def _documents() -> list[dict[str, Any]]:
    tasks = [{"kind": "task", "name": name, "retryCount": 0} for name in DEFINED]
    workflows = [
        {"kind": "workflow", "name": name, "version": 1,
         "tasks": [{"name": name, "taskReferenceName": "t", "type": "SIMPLE"}]}
        for name in DEFINED
    ]  # fmt: skip
    return [*tasks, *workflows]


@pytest.fixture(scope="session", autouse=True)
async def defined(services: Services) -> None:
    await put(services, *_documents())


async def started(api: httpx.AsyncClient, workflow: str, **fields: object) -> str:
    answer = await api.post("/api/workflow", json={"name": workflow, **fields})
    assert answer.status_code == 200, answer.text
    return answer.text


def _batch(type_: str, worker: str, **query: object) -> str:
    given: dict[str, Any] = {"workerid": worker, "count": 1, "timeout": 5000, **query}
    return f"/api/tasks/poll/batch/{type_}?{httpx.QueryParams(given)}"


async def polled(
    api: httpx.AsyncClient, type_: str, worker: str, **query: object
) -> list[dict[str, Any]]:
    answer = await api.get(_batch(type_, worker, **query))
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def said(task: dict[str, Any], status: str = "COMPLETED", **more: object) -> dict[str, Any]:
    names = ("taskId", "workflowInstanceId", "workerId")
    return {**{name: task[name] for name in names}, "status": status, **more}


async def until_waiting(clients: Clients, worker: str, *, waits: bool = True) -> None:
    """Until the executor knows that a worker waits for tasks, or that it does so no more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            told = await clients.workers.ListQueues(worker_pb2.ListQueuesRequest())
            seen = [each for queue in told.queues for each in queue.workers]
            if waits is any(each.worker_id == worker and each.connected for each in seen):
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _poller(api: httpx.AsyncClient, type_: str, worker: str) -> AsyncGenerator[Any]:
    """A connection that polls, of which a test may read, or which it may close."""
    url = urlsplit(str(api.base_url))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"GET {_batch(type_, worker)} HTTP/1.1\r\nHost: {url.netloc}\r\n"
    token = api.headers["x-authorization"]
    writer.write(f"{head}X-Authorization: {token}\r\n\r\n".encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_who_leaves_while_he_waits_is_given_no_task(
    services: Services, api: httpx.AsyncClient
) -> None:
    async with connected(services.suite) as clients:
        async with _poller(api, "polling-left", "leaves"):
            await until_waiting(clients, "leaves")
        await until_waiting(clients, "leaves", waits=False)
    id_ = await started(api, "polling-left")
    (task,) = await polled(api, "polling-left", "stays")
    assert (task["workflowInstanceId"], task["pollCount"]) == (id_, 1)
    await api.post("/api/tasks", json=said(task))


async def test_who_leaves_as_his_task_comes_gives_it_back_at_once(
    services: Services, api: httpx.AsyncClient
) -> None:
    async with connected(services.suite) as clients:
        for _ in range(5):
            async with _poller(api, "polling-left", "leaves") as (_, writer):
                await until_waiting(clients, "leaves")
                starting = asyncio.ensure_future(started(api, "polling-left"))
                await asyncio.sleep(0)
                writer.transport.abort()
            id_ = await starting
            (task,) = await polled(api, "polling-left", "stays")
            assert task["workflowInstanceId"] == id_
            await api.post("/api/tasks", json=said(task))


async def test_a_task_is_for_workers_of_its_domain(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "polling-domain", taskToDomain={"polling-domain": "d"})
    assert await polled(api, "polling-domain", "w", timeout=0) == []
    assert await polled(api, "polling-domain", "w", timeout=0, domain="other") == []
    # It is there: nobody waits for longer than five seconds, whatever he says.
    (task,) = await polled(api, "polling-domain", "w", domain="d", timeout=600_000)
    assert (task["workflowInstanceId"], task["domain"]) == (id_, "d")
    queue = "/api/tasks/queue/size?taskType=polling-domain&domain=d"
    assert (await api.get(queue)).json() == 0
    seen = (await api.get("/api/tasks/queue/polldata?taskType=polling-domain")).json()
    assert {each["domain"] for each in seen} == {"d", "other", None}
    next_ = await api.post("/api/tasks/update-v2", json=said(task))
    assert (next_.status_code, next_.text) == (204, "")


async def test_the_next_task_is_of_the_same_domain(api: httpx.AsyncClient) -> None:
    first = await started(api, "polling-domain", taskToDomain={"*": "d"})
    await started(api, "polling-domain")
    second = await started(api, "polling-domain", taskToDomain={"*": "d"})
    (task,) = await polled(api, "polling-domain", "w", domain="d")
    assert task["workflowInstanceId"] == first
    task = (await api.post("/api/tasks/update-v2", json=said(task))).json()
    assert (task["workflowInstanceId"], task["domain"]) == (second, "d")
    assert (await api.post("/api/tasks/update-v2", json=said(task))).status_code == 204
    (task,) = await polled(api, "polling-domain", "w")
    await api.post("/api/tasks", json=said(task))


async def test_a_worker_that_is_at_it_still_begins_the_response_time_anew(
    api: httpx.AsyncClient,
) -> None:
    await started(api, "polling-lease")
    (task,) = await polled(api, "polling-lease", "w")
    told = task
    while told["updateTime"] == task["updateTime"]:
        lease = said(task, "IN_PROGRESS", extendLease=True, outputData={"not": "taken"})
        assert (await api.post("/api/tasks", json=lease)).text == task["taskId"]
        told = (await api.get(f"/api/tasks/{task['taskId']}")).json()
    assert (told["status"], told["workerId"], told["pollCount"]) == ("IN_PROGRESS", "w", 1)
    assert (told["outputData"], told["startTime"]) == ({}, task["startTime"])
    await api.post("/api/tasks", json=said(task))


async def test_another_worker_s_word_changes_nothing(api: httpx.AsyncClient) -> None:
    await started(api, "polling")
    (task,) = await polled(api, "polling", "w")
    for path in ("/api/tasks", "/api/tasks/update-v2"):
        for more in ({}, {"extendLease": True}):
            word = {**said(task, "FAILED", **more), "workerId": "thief"}
            answer = await api.post(path, json=word)
            message = answer.json()["message"]
            named = f"The task 't' ({task['taskId']}) is another worker's: 'w' has it."
            assert (answer.status_code, message) == (409, named)
    assert (await api.get(f"/api/tasks/{task['taskId']}")).json()["status"] == "IN_PROGRESS"
    assert (await api.post("/api/tasks", json=said(task))).status_code == 200


async def test_who_asks_for_the_head_alone_takes_no_task(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "polling")
    for path, status in ((_batch("polling", "w"), 200), ("/api/tasks/poll/polling", 204)):
        assert (await api.head(path)).status_code == status
    (task,) = await polled(api, "polling", "w")
    assert (task["workflowInstanceId"], task["pollCount"]) == (id_, 1)
    await api.post("/api/tasks", json=said(task))


async def test_who_asks_for_no_task_is_given_none_and_does_not_wait(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "polling-none")
    # One is there for whoever asks for one.
    assert await polled(api, "polling-none", "asks for none", count=0) == []
    (task,) = await polled(api, "polling-none", "w")
    assert (task["workflowInstanceId"], task["pollCount"]) == (id_, 1)
    await api.post("/api/tasks", json=said(task))
    # Nobody has waited: its queue has not heard of it.
    assert await polled(api, "polling-none", "asks for none", count=0) == []
    seen = (await api.get("/api/tasks/queue/polldata?taskType=polling-none")).json()
    assert [each["workerId"] for each in seen] == ["w"]


async def test_polls_side_by_side_are_given_each_task_once(api: httpx.AsyncClient) -> None:
    polls = [asyncio.ensure_future(polled(api, "polling", f"w{n}", count=3)) for n in range(8)]
    ids = {await started(api, "polling") for _ in range(8)}
    found = [task for poll in polls for task in await poll]
    while len(found) < len(ids):
        found += await polled(api, "polling", "w", count=3)
    assert sorted(task["workflowInstanceId"] for task in found) == sorted(ids)
    for task in found:
        assert (await api.post("/api/tasks", json=said(task))).status_code == 200


async def test_whose_right_is_taken_while_he_waits_is_given_nothing(
    services: Services, api: httpx.AsyncClient
) -> None:
    grants = [
        {"target": {"type": "task", "id": name}, "access": ["EXECUTE"]}
        for name in ("polling", "polling-left")
    ]
    application = {"kind": "application", "id": "polling-app", "permissions": grants}
    await put(services, application)
    async with authorized(services, "polling-app") as theirs, connected(services.suite) as clients:
        polling = asyncio.ensure_future(theirs.get(_batch("polling", "theirs")))
        await until_waiting(clients, "theirs")
        await put(services, {**application, "permissions": grants[1:]})
        id_ = await started(api, "polling")
        answer = await polling
        assert answer.status_code == 403
        (task,) = await polled(api, "polling", "w")
        assert task["workflowInstanceId"] == id_
        word = await theirs.post("/api/tasks", json=said(task))
        assert word.status_code == 403
        assert (await theirs.get(f"/api/tasks/{task['taskId']}")).status_code in (403, 404)
    await api.post("/api/tasks", json=said(task))


async def test_who_may_do_a_task_sees_it_and_what_was_logged_takes_read(
    services: Services, api: httpx.AsyncClient
) -> None:
    grant = {"target": {"type": "task", "id": "polling"}, "access": ["EXECUTE"]}
    await put(services, {"kind": "application", "id": "polling-does", "permissions": [grant]})
    async with authorized(services, "polling-does") as theirs:
        await started(api, "polling")
        (task,) = await polled(theirs, "polling", "w")
        at = f"/api/tasks/{task['taskId']}"
        assert (await theirs.get(at)).json()["taskId"] == task["taskId"]
        assert (await theirs.post(f"{at}/log", content="a line")).status_code == 200
        assert (await theirs.get(f"{at}/log")).status_code == 403
        assert [each["log"] for each in (await api.get(f"{at}/log")).json()] == ["a line"]
        # Tasks of others' types are none of theirs.
        await started(api, "polling-left")
        assert (await theirs.get(_batch("polling-left", "w", timeout=0))).status_code == 403
        (other,) = await polled(api, "polling-left", "w")
        assert (await theirs.get(f"/api/tasks/{other['taskId']}")).status_code == 404
        assert (await theirs.post("/api/tasks/update-v2", json=said(other))).status_code == 403
        log = await theirs.post(f"/api/tasks/{other['taskId']}/log", content="x")
        assert log.status_code == 403
        assert (await theirs.post("/api/tasks", json=said(task))).status_code == 200
    assert (await api.post("/api/tasks", json=said(other))).status_code == 200


@pytest.fixture
async def own(tmp_path: Path) -> AsyncGenerator[Services]:
    """A suite of which a test stops parts."""
    async with services_in(tmp_path / "home") as running:
        await put(running, *_documents())
        yield running


# The parts of a whole suite end and begin in it: that takes a second.
async def test_polls_outlive_the_executor_and_end_with_the_edge(own: Services) -> None:
    async with authorized(own) as api:
        async with connected(own.suite) as clients:
            polling = asyncio.ensure_future(polled(api, "polling-away", "w"))
            await until_waiting(clients, "w")
            await started(api, "polling-away")
            (task,) = await polling
            polling = asyncio.ensure_future(polled(api, "polling-away", "w"))
            await until_waiting(clients, "w")
        await own.stop("executor")
        # Who waits hears of nothing; what is said meanwhile is told when it is there again.
        assert await polling == []
        single = asyncio.ensure_future(api.get("/api/tasks/poll/polling-away?workerid=w"))
        word = asyncio.ensure_future(api.post("/api/tasks", json=said(task)))
        polling = asyncio.ensure_future(polled(api, "polling-away", "w"))
        await own.start("executor")
        assert (await word).status_code == 200
        assert (await single).status_code == 204
        id_ = await started(api, "polling-away")
        (task,) = await polling or await polled(api, "polling-away", "w")
        assert task["workflowInstanceId"] == id_
        assert (await api.post("/api/tasks", json=said(task))).status_code == 200
        async with connected(own.suite) as clients:
            polling = asyncio.ensure_future(polled(api, "polling-away", "w"))
            await until_waiting(clients, "w")
        await own.stop("edge")
        assert await polling == []
