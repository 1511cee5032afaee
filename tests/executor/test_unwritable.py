"""While nothing can be written, each who asks for a change is told so, and asks again later."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from podium.executor.v1 import breakers_pb2, executor_pb2 as pb
from services.errors import Unwritable
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

DOCUMENTS = [
    workflow("human", step("h", "HUMAN")),
    workflow("brief", step("v", "SET_VARIABLE", x=1), outputParameters={"x": 1}),
]
KEY = b"order-7" * 4


@asynccontextmanager
async def unwritable(rig: Rig) -> AsyncGenerator[None]:
    """Inside, SQLite refuses to write, as it does on a disk that takes nothing."""
    writing: list[sqlite3.Connection] = []
    await rig.store.writer.chore(writing.append)
    writing[0].execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        writing[0].execute("PRAGMA query_only = OFF")


async def terminate(rig: Rig, ended: str, running: str) -> None:
    asked = pb.TerminateExecutionRequest(execution_id=running, reason="enough")
    await rig.stub.TerminateExecution(asked, metadata=ADMIN)


async def delete(rig: Rig, ended: str, running: str) -> None:
    await rig.stub.DeleteExecution(pb.DeleteExecutionRequest(execution_id=ended), metadata=ADMIN)


async def operate(rig: Rig, ended: str, running: str) -> None:
    asked = pb.OperateExecutionsRequest(execution_ids=[running], operation=pb.OPERATION_PAUSE)
    async for _ in rig.stub.OperateExecutions(asked, metadata=ADMIN):
        pass


async def breaker(rig: Rig, ended: str, running: str) -> None:
    asked = breakers_pb2.SetBreakerRequest(
        host="a.example:443", mode=breakers_pb2.BREAKER_MODE_OPEN
    )
    await rig.stub.SetBreaker(asked, metadata=ADMIN)


Ask = Callable[[Rig, str, str], Awaitable[None]]


@pytest.mark.parametrize("ask", [terminate, delete, operate, breaker])
async def test_who_asks_for_a_change_is_told_that_nothing_can_be_written(
    tmp_path: Path, ask: Ask
) -> None:
    async with executing(tmp_path / "executor.db", DOCUMENTS) as rig:
        ended, running = await rig.begin("brief"), await rig.begin("human")
        await rig.ended(ended)
        async with unwritable(rig):
            with pytest.raises(Unwritable), raising_ours():
                await ask(rig, ended, running)

        await ask(rig, ended, running)


async def test_a_start_that_was_refused_is_made_by_the_next_of_its_key(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db", DOCUMENTS) as rig:
        async with unwritable(rig):
            for _ in range(2):
                with pytest.raises(Unwritable), raising_ours():
                    await rig.begin("brief", idempotency_key=KEY)

        first = await rig.begin("brief", idempotency_key=KEY)
        assert await rig.begin("brief", idempotency_key=KEY) == first
