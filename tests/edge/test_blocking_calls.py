"""Conductor's calls that wait, between an edge and an executor that is slow, breaks, or leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message

from podium.executor.v1 import executor_pb2 as pb
from services.edge.management.conductor import waiting
from services.errors import Overloaded, Unavailable
from tests.edge.raw import connected
from tests.edge.registry import token
from tests.edge.scripted import ScriptedExecutor, serving_executor
from tests.edge.suites import Suite, suite_in

EXECUTE = "/api/workflow/execute/flow/1"
AS_API = "/api/workflow/execute/flow"
ID = "11111111-1111-1111-1111-111111111111"
TASK, STATE = f"/api/tasks/{ID}", f"/api/workflow/{ID}/state"
QUEUE, SYNC = f"/api/queue/update/{ID}/w/COMPLETED", f"{TASK}/COMPLETED/signal/sync"
A_UUID = "22222222-2222-4222-8222-222222222222"
MANY = 200
KILLED = Unavailable("Killed.")


def _headers() -> dict[str, str]:
    return {"x-authorization": token("storefront")}


async def _execute(suite: Suite, path: str = EXECUTE, body: object = None) -> httpx.Response:
    return await suite.management.post(path, json=body or {}, headers=_headers(), timeout=30)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class _Anything(dict[str, pb.Result]):
    """Whatever is asked for stands so."""

    def __init__(self, *, ended: bool = True) -> None:
        super().__init__()
        self._status = pb.EXECUTION_STATUS_COMPLETED if ended else pb.EXECUTION_STATUS_RUNNING

    def get(self, key: str, default: object = None) -> pb.Result:
        return pb.Result(execution_id=key, status=self._status, output="{}")


async def test_many_wait_at_once_with_one_question_each(tmp_path: Path) -> None:
    async with suite_in(tmp_path) as suite:
        executor = suite.executor
        executor.held, executor.executions = asyncio.Event(), _Anything()
        url = suite.management.base_url
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=url, trust_env=False, limits=limits) as client:
            calls = [
                asyncio.create_task(client.post(EXECUTE, headers=_headers(), timeout=60))
                for _ in range(MANY)
            ]
            await _until(lambda: executor.waiting == MANY)
            executor.held.set()
            answers = await asyncio.gather(*calls)

    assert {each.status_code for each in answers} == {200}
    told = {each.json()["workflowId"] for each in answers}
    assert told == {each.execution_id for each in executor.started}
    assert len(told) == len(executor.attached) == MANY


async def test_a_client_that_leaves_lets_go_of_its_wait(suite: Suite) -> None:
    suite.executor.held = asyncio.Event()
    address = suite.addresses["management"]
    head = f"POST {EXECUTE} HTTP/1.1\r\nhost: x\r\nx-authorization: {token('storefront')}\r\n"
    async with connected(address) as raw:
        await raw.send(f"{head}content-length: 2\r\n\r\n{{}}".encode())
        await _until(lambda: suite.executor.waiting == 1)
    await _until(lambda: suite.executor.waiting == 0)

    assert len(suite.executor.attached) == 1


async def test_what_breaks_off_is_asked_again_of_the_same_execution(suite: Suite) -> None:
    suite.executor.executions = _Anything()
    suite.executor.breaks = dict.fromkeys(("StartExecution", "AttachExecution"), KILLED)
    answer = await _execute(suite)

    first, second = suite.executor.started
    assert first.execution_id == second.execution_id == answer.json()["workflowId"]
    assert first.fingerprint == second.fingerprint != b""
    assert [each.execution_id for each in suite.executor.attached] == [first.execution_id] * 2
    assert answer.json()["status"] == "COMPLETED"


async def test_a_wait_goes_on_when_the_executor_is_stopped_and_started(tmp_path: Path) -> None:
    first, second = ScriptedExecutor(), ScriptedExecutor()  # type: ignore[abstract]
    first.held, second.executions = asyncio.Event(), _Anything()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving_executor(first))
        async with suite_in(tmp_path, executor=address) as suite:
            asking = asyncio.create_task(_execute(suite))
            await _until(lambda: first.waiting == 1)
            await stack.aclose()
            async with serving_executor(second, address):
                answer = await asking

    assert answer.json()["status"] == "COMPLETED"
    assert (len(first.started), len(second.started), len(second.attached)) == (1, 0, 1)


@pytest.mark.parametrize(("request_id", "again"), [(A_UUID, True), ("mine", False)])
async def test_what_runs_is_not_to_be_sent_again_where_that_would_be_another(
    suite: Suite, request_id: str, again: bool
) -> None:
    suite.executor.breaks = {"AttachExecution": Overloaded("Too many wait.")}
    answer = await _execute(suite, f"{EXECUTE}?requestId={request_id}")

    assert (answer.status_code, answer.json()["retryable"]) == (503, again)
    [started] = suite.executor.started
    assert answer.headers["podium-execution-id"] == started.execution_id


@pytest.mark.parametrize("path", ["/api/workflow", "/api/workflow/flow"])
async def test_a_start_that_breaks_off_is_asked_for_again_as_the_same_execution(
    suite: Suite, path: str
) -> None:
    suite.executor.breaks = {"StartExecution": KILLED}
    answer = await _execute(suite, path, {"name": "flow"})

    first, second = suite.executor.started
    assert first.execution_id == second.execution_id == answer.text
    assert first.fingerprint == second.fingerprint != b""


@pytest.mark.parametrize(("key", "again"), [("mine", True), ("", False)])
async def test_what_may_have_begun_is_not_to_be_started_again_where_that_would_be_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, again: bool
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0)
    async with suite_in(tmp_path) as suite:
        suite.executor.breaks = {"StartExecution": KILLED}
        answer = await _execute(suite, "/api/workflow", {"name": "flow", "idempotencyKey": key})

    assert (answer.status_code, answer.json()["retryable"]) == (503, again)
    [started] = suite.executor.started
    assert answer.headers["podium-execution-id"] == started.execution_id


async def test_what_did_not_begin_may_be_sent_again(suite: Suite) -> None:
    suite.executor.breaks = {"StartExecution": Overloaded("Too much to do.")}
    answer = await _execute(suite)

    assert (answer.status_code, answer.json()["retryable"]) == (503, True)
    assert "podium-execution-id" not in answer.headers


async def test_a_signal_that_breaks_off_is_not_sent_again(suite: Suite) -> None:
    suite.executor.breaks = {"SignalExecution": KILLED}
    answer = await _execute(suite, SYNC)

    assert (answer.status_code, answer.json()["retryable"]) == (503, False)
    assert len(suite.executor.told) == 1
    assert suite.executor.attached == []


@pytest.mark.parametrize("path", [f"{TASK}/w/COMPLETED", f"{TASK}/w/COMPLETED/sync", STATE, QUEUE])
async def test_a_word_for_a_reference_that_breaks_off_is_not_sent_again(
    suite: Suite, path: str
) -> None:
    suite.executor.breaks = {"UpdateTask": KILLED}
    answer = await _execute(suite, path, {"taskReferenceName": "w"})

    assert (answer.status_code, answer.json()["retryable"]) == (503, False)
    assert len(suite.executor.told) == 1


async def test_a_word_for_a_reference_is_not_said_to_the_executor_that_comes_after(
    tmp_path: Path,
) -> None:
    first, second = ScriptedExecutor(), ScriptedExecutor()  # type: ignore[abstract]
    first.hangs = True
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving_executor(first))
        async with suite_in(tmp_path, executor=address) as suite:
            saying = asyncio.create_task(_execute(suite, f"{TASK}/w/COMPLETED"))
            await _until(lambda: len(first.told) == 1)
            await stack.aclose()
            async with serving_executor(second, address):
                answer = await saying
                after = await _execute(suite, f"{TASK}/v/COMPLETED")

    assert (answer.status_code, answer.json()["retryable"]) == (503, False)
    # The next one is told, and was the first that this executor heard.
    assert (after.status_code, [told.ref for told, _ in second.told]) == (200, ["v"])


@pytest.mark.parametrize(
    ("operation", "again"),
    [("restart", False), ("retry", False), ("rerun", False), ("bulk/restart", False),
     ("bulk/retry", False), ("bulk/terminate", True)],
)  # fmt: skip
async def test_what_may_have_begun_anew_is_not_to_be_sent_again(
    suite: Suite, operation: str, again: bool
) -> None:
    one, _, many = operation.partition("/")
    method = "OperateExecutions" if many else f"{one.title()}Execution"
    suite.executor.breaks = {method: KILLED}
    body: object = [ID] if many else {}
    path = f"/api/workflow/{operation if many else f'{ID}/{one}'}"
    answer = await _execute(suite, path, body)

    assert (answer.status_code, answer.json()["retryable"]) == (503, again)
    assert len(suite.executor.told) == 1


async def test_a_word_that_was_taken_is_no_error_where_nothing_is_known_after_it(
    suite: Suite,
) -> None:
    suite.executor.breaks = {"GetExecution": KILLED}
    answer = await _execute(suite, f"{TASK}/w/COMPLETED/sync")
    assert (answer.status_code, answer.json()) == (200, {"workflowId": ID, "tasks": []})

    suite.executor.breaks = {"GetExecution": KILLED}
    answer = await _execute(suite, STATE, {"taskReferenceName": "w"})
    assert (answer.status_code, answer.json()["retryable"]) == (503, False)


async def test_a_state_is_told_where_too_many_wait(suite: Suite) -> None:
    suite.executor.breaks = {"AttachExecution": Overloaded("Too many wait.")}
    answer = await _execute(suite, f"{STATE}?waitForSeconds=9", {"taskReferenceName": "w"})
    assert (answer.status_code, answer.json()["workflowId"]) == (200, ID)


@pytest.mark.parametrize(
    ("path", "shows"),
    [(EXECUTE, True), (SYNC, True), (AS_API, False), (f"{STATE}?waitForSeconds=9", False)],
)
async def test_all_that_an_execution_holds_is_asked_for_only_where_it_is_answered(
    suite: Suite, path: str, shows: bool
) -> None:
    suite.executor.executions = _Anything()
    answer = await _execute(suite, path, {"taskReferenceName": "w"})

    assert answer.status_code == 200
    assert [each.show for each in suite.executor.attaching] == [shows]


@pytest.mark.parametrize("path", [EXECUTE, SYNC, f"{STATE}?waitForSeconds=9"])
async def test_who_waits_holds_nothing_of_what_was_sent(suite: Suite, path: str) -> None:
    executor = suite.executor
    executor.held, executor.executions = asyncio.Event(), _Anything()
    sent = {"x" * 300_000: 1}
    body = {"taskReferenceName": "w", "taskResult": {"outputData": sent}, "input": sent}
    asking = asyncio.create_task(_execute(suite, path, body))
    await _until(lambda: executor.waiting == 1)
    held = [each for each in _awaited() if _size(each) > 100_000]
    executor.held.set()

    assert (await asking).status_code == 200
    assert held == []


def _awaited() -> Iterator[object]:
    """Whatever the pages that wait have a name for."""
    for task in asyncio.all_tasks():
        awaited: Any = task.get_coro()
        while (frame := getattr(awaited, "cr_frame", None)) is not None:
            if "/management/" in frame.f_code.co_filename:
                yield from frame.f_locals.values()
            awaited = awaited.cr_await


def _size(value: object) -> int:
    if isinstance(value, Message):
        return value.ByteSize()
    return len(value) if isinstance(value, str | bytes | dict) else 0


async def test_what_was_signalled_and_is_gone_is_told_as_not_known(suite: Suite) -> None:
    answer = await _execute(suite, SYNC)

    assert answer.status_code == 200
    told = {"targetWorkflowId": ID, "workflowId": ID, "signalTimeout": True}
    assert answer.json().items() >= told.items()
    assert "status" not in answer.json()


async def test_an_output_that_is_too_large_is_no_empty_one(suite: Suite) -> None:
    left_out = pb.Result(status=pb.EXECUTION_STATUS_COMPLETED, output_left_out=True)
    suite.executor.shown = iter((left_out, left_out))
    for path in (EXECUTE, "/api/workflow/execute/flow"):
        answer = await _execute(suite, path)
        assert answer.status_code == 502, path
        assert answer.headers["podium-execution-id"]


async def test_when_the_edge_ends_whoever_waits_is_told_how_it_stands(tmp_path: Path) -> None:
    async with suite_in(tmp_path, drain=timedelta(seconds=1)) as suite:
        suite.executor.held = asyncio.Event()
        suite.executor.executions = _Anything(ended=False)
        url = suite.management.base_url
        client = httpx.AsyncClient(base_url=url, trust_env=False)
        asking = asyncio.create_task(client.post(EXECUTE, headers=_headers(), timeout=30))
        await _until(lambda: suite.executor.waiting == 1)
    answer = await asking
    await client.aclose()

    assert (answer.status_code, answer.json()["status"]) == (200, "RUNNING")
    assert answer.json()["signalTimeout"] is True
