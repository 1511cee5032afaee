"""The worker library against a real executor."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2 as pb
from podium_worker import (
    Later,
    Task,
    TaskCanceled,
    TaskFailed,
    TerminalError,
    Worker,
    stream,
    worker,
)
from podium_worker.stream import Conversation
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow
from tests.executor.working import queue

ONE = workflow("one", step("a", "SIMPLE", n="${workflow.input.n}"))
SHORT = {"kind": "task", "name": "a", "retryCount": 2, "retryDelaySeconds": 0,
         "responseTimeoutSeconds": 1}  # fmt: skip


class AsAdmin:
    """A stub that speaks for the administrator's application."""

    def __init__(self, rig: Rig) -> None:
        self.Work = partial(rig.workers.Work, metadata=ADMIN)


@asynccontextmanager
async def at_work(
    rig: Rig, *workers: Worker, worker_id: str = "w1"
) -> AsyncGenerator[Conversation]:
    """Workers, until the end of the block; then they end well."""
    talk = Conversation(AsAdmin(rig), workers, worker_id)
    running = asyncio.create_task(talk.run())
    try:
        yield talk
    finally:
        talk.stop()
        await asyncio.wait_for(running, 10)
        talk.jobs.close()


def output(result: executor_pb2.Result) -> Any:
    return json.loads(result.output)


async def test_a_coroutine_function_and_one_in_a_thread_do_tasks(tmp_path: Path) -> None:
    @worker("a")
    async def first(task: Task) -> dict[str, Any]:
        return {"n": task.input["n"] + 1}

    @worker("b", slots=2)
    def second(task: Task) -> dict[str, Any]:
        return {"n": task.input["n"] * 2, "thread": threading.current_thread().name}

    flow = workflow("two", step("a", "SIMPLE", n=1), step("b", "SIMPLE", n="${a.output.n}"))
    async with executing(tmp_path / "e.db", [flow]) as rig, at_work(rig, first, second):
        ended = output(await rig.run("two"))

    assert (ended["n"], ended["thread"].startswith("podium-worker")) == (4, True)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TaskFailed("no money", {"left": 3}), "FAILED", "no money"),
        (TerminalError("no such card"), "FAILED_WITH_TERMINAL_ERROR", "no such card"),
        (TaskCanceled("not wanted", {"left": 3}), "CANCELED", "not wanted"),
        (KeyError("n"), "FAILED", "KeyError: 'n'"),
    ],
)
async def test_what_it_raises_fails_the_task(
    tmp_path: Path, error: Exception, status: str, reason: str
) -> None:
    @worker("a")
    def broken(task: Task) -> None:
        raise error

    definition = {"kind": "task", "name": "a", "retryCount": 0}
    async with executing(tmp_path / "e.db", [ONE, definition]) as rig, at_work(rig, broken):
        ended = await rig.run("one")
        task = json.loads((await rig.get(ended.execution_id)).document)["tasks"][0]

    assert (task["status"], task["reasonForIncompletion"]) == (status, reason)
    assert task["outputData"] == (getattr(error, "output", None) or {})


@pytest.mark.parametrize(
    ("returned", "why"),
    [([1], "is no object"), ({"x": {1}}, "is no JSON"), ({"x": float("nan")}, "is no JSON"),
     ({"x": "a" * (50 << 20)}, "has 50 MiB, and 20 are allowed")],
)  # fmt: skip
async def test_what_cannot_be_an_output_fails_the_task_for_good(
    tmp_path: Path, returned: Any, why: str
) -> None:
    @worker("a")
    async def odd(task: Task) -> Any:
        return returned

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, odd):
        ended = await rig.run("one")

    assert f"What the worker returned {why}" in ended.reason


async def test_logs_and_progress_reach_the_executor(tmp_path: Path) -> None:
    go_on = threading.Event()

    @worker("a")
    def slow(task: Task) -> None:
        task.log("begun")
        task.progress(0.5, half="way")
        go_on.wait(10)

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, slow):
        id = await rig.begin("one")
        async for change in rig.stub.WatchExecution(
            executor_pb2.WatchExecutionRequest(execution_id=id), metadata=ADMIN
        ):
            if any(task.progress == 0.5 for task in change.tasks):
                break
        go_on.set()
        assert output(await rig.ended(id)) == {"half": "way", "progress": 0.5}
        logs = await rig.workers.ListTaskLogs(
            pb.ListTaskLogsRequest(execution_id=id, ref="a"), metadata=ADMIN
        )

    assert [line.line for line in logs.lines] == ["begun"]


async def test_a_lease_is_kept_while_the_function_runs(tmp_path: Path) -> None:
    @worker("a")
    async def slow(task: Task) -> dict[str, Any]:
        # Longer than the response time-out, which is a second at least.
        await asyncio.sleep(1.5)
        return {"attempt": task.attempt}

    async with executing(tmp_path / "e.db", [ONE, SHORT]) as rig, at_work(rig, slow):
        assert output(await rig.run("one")) == {"attempt": 0}


async def test_a_coroutine_that_holds_the_loop_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "LATE_SECONDS", 0.1)

    @worker("a")
    async def blocking(task: Task) -> None:
        time.sleep(0.4)  # noqa: ASYNC251 - what it is about

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, blocking):
        await rig.run("one")

    assert "The loop stood still" in caplog.text


async def test_what_is_for_later_comes_again(tmp_path: Path) -> None:
    @worker("a")
    async def patient(task: Task) -> dict[str, Any]:
        if task.given < 3:
            raise Later(0.01, {"given": task.given})
        return {"before": task.output["given"]}

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, patient):
        assert output(await rig.run("one")) == {"given": 2, "before": 2}


async def test_a_worker_ends_what_it_has_begun_before_it_stops(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @worker("a", slots=1)
    async def slow(task: Task) -> dict[str, Any]:
        begun.set()
        await go_on.wait()
        return {"done": True}

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with at_work(rig, slow) as talk:
            first, second = await rig.begin("one"), await rig.begin("one")
            await begun.wait()
            talk.stop()
            go_on.set()
        assert output(await rig.ended(first)) == {"done": True}
        assert (await queue(rig, "a")).size == 1
        assert (await rig.get(second)).state.status == executor_pb2.EXECUTION_STATUS_RUNNING


async def test_what_a_worker_gives_up_is_done_by_another_one(tmp_path: Path) -> None:
    begun = asyncio.Event()

    @worker("a")
    async def stuck(task: Task) -> None:
        begun.set()
        await asyncio.Event().wait()

    @worker("a")
    async def quick(task: Task) -> dict[str, Any]:
        return {"given": task.given}

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with at_work(rig, stuck) as talk:
            id = await rig.begin("one")
            await begun.wait()
            talk.stop()
            talk.jobs.give_up()
        async with at_work(rig, quick, worker_id="w2"):
            assert output(await rig.ended(id)) == {"given": 2}


async def test_a_function_is_cancelled_when_nobody_wants_its_result(tmp_path: Path) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    @worker("a", slots=1)
    async def stuck(task: Task) -> dict[str, Any]:
        if begun.is_set():
            return {"next": True}
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return {}

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, stuck):
        id = await rig.begin("one")
        await begun.wait()
        await rig.stub.TerminateExecution(
            executor_pb2.TerminateExecutionRequest(execution_id=id), metadata=ADMIN
        )
        await asyncio.wait_for(cancelled.wait(), 5)
        # Its room is free again.
        assert output(await rig.run("one")) == {"next": True}


async def test_a_stream_that_breaks_loses_no_result(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @worker("a")
    async def slow(task: Task) -> dict[str, Any]:
        begun.set()
        await go_on.wait()
        return {"given": task.given}

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, slow):
        id = await rig.begin("one")
        await begun.wait()
        rig.executor.end_sessions()
        go_on.set()

        assert output(await rig.ended(id)) == {"given": 1}


async def test_a_function_that_goes_on_keeps_its_slot_over_a_broken_stream(tmp_path: Path) -> None:
    """A thread is not stopped from outside: nothing is given that would wait behind it."""
    begun, go_on = threading.Event(), threading.Event()

    @worker("a", slots=1)
    def stuck(task: Task) -> dict[str, Any]:
        begun.set()
        go_on.wait(5)
        return {"cancelled": task.cancelled}

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, stuck) as talk:
        id = await rig.begin("one")
        await asyncio.to_thread(begun.wait, 5)
        (task_id,) = talk.jobs.held
        rig.executor.end_sessions()
        await rig.stub.TerminateExecution(
            executor_pb2.TerminateExecutionRequest(execution_id=id), metadata=ADMIN
        )
        async with asyncio.timeout(5):
            while not talk.jobs._running[task_id][0].cancelled:  # noqa: ASYNC110
                await asyncio.sleep(0)
        id = await rig.begin("one")
        assert (await queue(rig, "a")).size == 1
        go_on.set()
        assert output(await rig.ended(id)) == {"cancelled": False}


async def test_a_worker_that_the_executor_will_not_have_is_told_why(tmp_path: Path) -> None:
    @worker("a", slots=0)
    async def none(task: Task) -> None:
        pass

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        with pytest.raises(InvalidRequest, match="slots must be"), raising_ours():
            await Conversation(AsAdmin(rig), [none], "w1").run()


class Refused(AsAdmin):
    """A stub whose token is refused until it has another one; counts how often that is got."""

    def __init__(self, rig: Rig, good: bool) -> None:
        super().__init__(rig)
        self._rig = rig
        self._good = good
        self.renewals = 0
        bad = (*ADMIN, ("authorization", "Bearer no"))
        self.Work = partial(rig.workers.Work, metadata=bad)

    async def renew(self) -> bool:
        self.renewals += 1
        if self._good:
            self.Work = partial(self._rig.workers.Work, metadata=ADMIN)
        return True


async def test_a_worker_whose_token_is_refused_gets_another_one(tmp_path: Path) -> None:
    @worker("a")
    def does(task: Task) -> dict[str, Any]:
        return {"n": 7}

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        stub = Refused(rig, good=True)
        talk = Conversation(stub, (does,), "w1", stub.renew)
        running = asyncio.create_task(talk.run())
        assert output(await rig.run("one")) == {"n": 7}
        talk.stop()
        await asyncio.wait_for(running, 10)
        talk.jobs.close()

    assert stub.renewals == 1


async def test_a_worker_whose_other_token_is_refused_too_ends(tmp_path: Path) -> None:
    @worker("a")
    def does(task: Task) -> None:
        pass

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        stub = Refused(rig, good=False)
        talk = Conversation(stub, (does,), "w1", stub.renew)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(talk.run(), 20)
        talk.jobs.close()

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert stub.renewals == 1
