"""What bad words of workers and operators get, from outside: a reason, and nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2 as pb
from podium.worker.v1.worker_pb2_grpc import WorkerServiceStub
from services.access import ServiceIdentity
from services.errors import Conflict, NotFound, ServiceError
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, CLUSTER_KEY, Rig, executing, step, workflow
from tests.executor.working import Stream, poll, queue, result, update, working

ONE = workflow("one", step("a", "SIMPLE"))
QUICK = {"kind": "task", "name": "a", "retryCount": 1, "retryDelaySeconds": 0,
         "responseTimeoutSeconds": 1}  # fmt: skip


def huge() -> str:
    """A document of 50 MiB, made where it is sent: all who run tests read this file."""
    return '{"x": "%s"}' % ("a" * (50 << 20))


@asynccontextmanager
async def unbounded(rig: Rig) -> AsyncGenerator[tuple[Rig, Any]]:
    """The same executor, over a channel that sends messages of any size; and who calls."""
    token = ServiceIdentity(CLUSTER_KEY, "edge").token("executor")
    async with grpc.aio.insecure_channel(rig.address) as plain:
        wide = replace(rig, workers=WorkerServiceStub(plain))
        yield wide, (("authorization", f"Bearer {token}"), *ADMIN)


async def refused(rig: Rig, said: pb.TaskResult, worker: str = "w1") -> str:
    with pytest.raises(ServiceError) as caught, raising_ours():
        await update(rig, said, worker)
    return str(caught.value)


async def test_a_word_that_is_not_its_to_say_or_comes_too_late(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        assert await refused(rig, result(task), "w2") == "The task is not this worker's."
        await update(rig, result(task, output={"x": 1}))
        # The same once more is no fault; another one is, and says how it ended.
        await update(rig, result(task, output={"x": 1}))
        told = await refused(rig, result(task, pb.RESULT_STATUS_FAILED))
        assert told == "The task has ended already: it is COMPLETED."
        assert (await rig.ended(id)).status == executor_pb2.EXECUTION_STATUS_COMPLETED


async def test_a_word_for_what_was_given_to_another_one_in_between(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE, QUICK]) as rig:
        await rig.begin("one")
        (first,) = await poll(rig, "a")
        (second,) = await poll(rig, "a", seconds=5, worker="w2")
        assert second.task_id != first.task_id
        told = await refused(rig, result(first))
        assert told == "The attempt has ended, and another one has taken its place."
        await update(rig, result(second), "w2")


async def test_a_word_about_what_was_terminated_meanwhile(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        request = executor_pb2.TerminateExecutionRequest(execution_id=id)
        await rig.stub.TerminateExecution(request, metadata=ADMIN)
        told = await refused(rig, result(task))
        assert told == "The task has ended already: it is CANCELED."


async def test_fifty_megabytes_are_refused_and_the_task_is_still_the_workers(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        said = result(task)
        said.output = huge()
        async with unbounded(rig) as (wide, caller):
            request = pb.UpdateTaskRequest(result=said, worker_id="w1")
            with pytest.raises(grpc.aio.AioRpcError, match="larger than max") as caught:
                await wide.workers.UpdateTask(request, metadata=caller)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await update(rig, result(task, output={"x": 1}))
        assert (await rig.ended(id)).status == executor_pb2.EXECUTION_STATUS_COMPLETED


async def test_fifty_megabytes_break_the_stream_they_come_over_and_no_other(
    tmp_path: Path,
) -> None:
    async with (
        executing(tmp_path / "e.db", [ONE]) as rig,
        working(rig, "a", worker="w2", slots=9) as other,
        unbounded(rig) as (wide, caller),
    ):
        offers = [pb.Offer(task_type="a", slots=9)]
        hello = pb.WorkRequest(hello=pb.Hello(worker_id="w1", offers=offers))
        hostile = Stream(wide, hello, caller)
        await hostile.welcome.wait()
        await rig.begin("one")
        await rig.begin("one")
        task = await hostile.task()
        said = result(task)
        said.output = huge()
        hostile.say(results=[said])
        async with asyncio.timeout(10):
            await hostile.over.wait()
        assert isinstance(hostile.error, grpc.aio.AioRpcError)
        assert hostile.error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await hostile.broken()
        other.result(await other.task())
        await other.answer()
        # It has its task until it says so, or is silent for too long.
        assert (await queue(rig, "a")).running == 1
        await update(rig, result(task))


OPERATIONS: list[tuple[str, Any, str]] = [
    ("PauseExecution", executor_pb2.PauseExecutionRequest, "it is COMPLETED"),
    ("ResumeExecution", executor_pb2.ResumeExecutionRequest, "it is COMPLETED"),
    ("TerminateExecution", executor_pb2.TerminateExecutionRequest, "COMPLETED"),
    ("RetryExecution", executor_pb2.RetryExecutionRequest, "it is COMPLETED"),
    ("ResetCallbacks", executor_pb2.ResetCallbacksRequest, "it is COMPLETED"),
    ("SignalExecution", executor_pb2.SignalExecutionRequest, "it is COMPLETED"),
]


@pytest.mark.parametrize(("call", "request_of", "says"), OPERATIONS, ids=[o[0] for o in OPERATIONS])
async def test_an_operation_in_a_wrong_state_says_which_and_what_is_allowed(
    tmp_path: Path, call: str, request_of: Any, says: str
) -> None:
    flow = workflow("flow", step("n", "NOOP"))
    async with executing(tmp_path / "e.db", [flow]) as rig:
        id = (await rig.run("flow")).execution_id
        with pytest.raises(Conflict, match=says) as caught, raising_ours():
            await getattr(rig.stub, call)(request_of(execution_id=id), metadata=ADMIN)
        assert "Allowed are restart, rerun and remove." in str(caught.value)
        with pytest.raises(NotFound, match="no execution"), raising_ours():
            await getattr(rig.stub, call)(request_of(execution_id="nope"), metadata=ADMIN)
