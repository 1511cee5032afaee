"""A command that changes executions finishes its work though nobody reads what became of it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc
from tui.cli import operations

# More than a stream holds that is not read.
BATCHES, REASON = 300, "x" * 10_000


class Executor(executor_pb2_grpc.ExecutorServiceServicer):
    def __init__(self) -> None:
        self.done = 0

    async def OperateExecutions(  # noqa: N802
        self, request: pb.OperateExecutionsRequest, context: Any
    ) -> AsyncIterator[pb.OperateExecutionsResponse]:
        for number in range(BATCHES):
            result = pb.OperationResult(execution_id=f"e{number}", reason=REASON)
            yield pb.OperateExecutionsResponse(results=[result])
            self.done += 1


async def test_all_is_done_before_a_reader_who_left_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor, server = Executor(), grpc.aio.server()  # type: ignore[abstract]
    executor_pb2_grpc.add_ExecutorServiceServicer_to_server(executor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    reading, writing = os.pipe()
    os.close(reading)
    asked = pb.OperateExecutionsRequest(
        operation=pb.OPERATION_TERMINATE, execution_ids=[f"e{each}" for each in range(BATCHES)]
    )

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        clients: Any = SimpleNamespace(executor=executor_pb2_grpc.ExecutorServiceStub(channel))
        pipe = os.fdopen(writing, "w")
        with monkeypatch.context() as patched, pytest.raises(BrokenPipeError):
            patched.setattr(sys, "stdout", pipe)
            await operations._results(clients, asked, "text")
    await server.stop(None)
    with pytest.raises(BrokenPipeError):
        pipe.close()

    assert executor.done == BATCHES
