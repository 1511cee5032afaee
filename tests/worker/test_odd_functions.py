"""Functions of workers that go wrong in every way: each task comes to an end all the same."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.worker.v1 import worker_pb2_grpc
from podium_worker import Later, Task, TaskFailed, running, worker
from podium_worker.stream import Conversation
from tests.executor.rig import Rig, executing, step, workflow
from tests.worker.test_worker import at_work

ONE = workflow("one", step("a", "SIMPLE"))
ONCE = {"kind": "task", "name": "a", "retryCount": 0}


async def came_to(rig: Rig) -> tuple[str, str]:
    """The status of the task, and its reason."""
    ended = await asyncio.wait_for(rig.run("one", seconds=30), 40)
    task = json.loads((await rig.get(ended.execution_id)).document)["tasks"][0]
    return task["status"], task["reasonForIncompletion"]


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("not even that")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: OSError("no file \udce9"), "OSError: no file ?"),
        (lambda: ValueError("a\0b"), "ValueError: ab"),
        (lambda: TaskFailed(ValueError("x")), "x"),  # type: ignore[arg-type]
        (lambda: TaskFailed("x", {"a": {1}}), "x What the worker returned is no JSON"),
        (lambda: StopIteration(3), "StopIteration"),
        (lambda: Later(float("nan")), "seconds must be 0 or more, and are nan"),
        (lambda: Later(-1), "seconds must be 0 or more, and are -1"),
        (lambda: asyncio.CancelledError("inner"), "CancelledError: inner"),
        (lambda: SystemExit(3), "SystemExit: 3"),
        (Mute, "Mute"),
    ],
    ids=[
        "surrogate",
        "nul",
        "reason",
        "output",
        "stop",
        "nan",
        "negative",
        "cancelled",
        "exit",
        "mute",
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_whatever_it_raises_ends_the_task(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    make: Callable[[], BaseException],
    reason: str,
    in_thread: bool,
) -> None:
    # Reports of tests hold no surrogates.
    caplog.set_level("CRITICAL", "podium_worker")

    @worker("a")
    async def in_loop(task: Task) -> None:
        raise make()

    @worker("a")
    def threaded(task: Task) -> None:
        raise make()

    function = threaded if in_thread else in_loop
    async with executing(tmp_path / "e.db", [ONE, ONCE]) as rig, at_work(rig, function):
        status, said = await came_to(rig)

    assert status.startswith("FAILED")
    assert reason in said


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ({"a": "\ud800"}, "surrogate"),
        ({"a": "\0"}, "U+0000"),
    ],
    ids=["surrogate", "nul"],
)
async def test_an_output_that_the_executor_refuses_fails_the_task(
    tmp_path: Path, returned: Any, why: str
) -> None:
    @worker("a")
    async def odd(task: Task) -> Any:
        return returned

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, odd):
        status, said = await came_to(rig)

    assert status == "FAILED_WITH_TERMINAL_ERROR"
    assert said.startswith("The executor refused the result: ")
    assert why in said


async def test_a_word_that_is_refused_costs_no_result(tmp_path: Path) -> None:
    @worker("a")
    async def odd(task: Task) -> dict[str, Any]:
        task.progress(1, name="\ud800")
        return {"done": True}

    async with executing(tmp_path / "e.db", [ONE]) as rig, at_work(rig, odd):
        ended = await rig.run("one")

    assert json.loads(ended.output) == {"done": True}


async def test_a_thread_that_never_returns_keeps_nobody_waiting(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    @worker("a")
    def stuck(task: Task) -> None:
        begun.set()
        go_on.wait(60)

    @worker("a")
    async def quick(task: Task) -> dict[str, Any]:
        return {"given": task.given}

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with at_work(rig, stuck) as talk:
            id = await rig.begin("one")
            await asyncio.to_thread(begun.wait, 30)
            talk.stop()
            talk.jobs.give_up()
        async with at_work(rig, quick, worker_id="w2"):
            assert json.loads((await rig.ended(id)).output) == {"given": 2}
        # The end of the process waits for no thread of these.
        names = [each for each in threading.enumerate() if each.name.startswith("podium-worker")]
        assert names
        assert all(each.daemon for each in names)
        go_on.set()


async def test_who_has_nothing_waits_for_no_executor_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @worker("a")
    async def nothing(task: Task) -> None:
        pass

    monkeypatch.setattr(running, "_FAREWELL_SECONDS", 0.05)
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        stub = worker_pb2_grpc.WorkerServiceStub(channel)
        stopping = asyncio.Event()
        stopping.set()
        async with asyncio.timeout(30):
            await running._converse(Conversation(stub, [nothing], "w"), stopping, grace=3_600)
