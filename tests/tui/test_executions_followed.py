"""The console's copy of the list of executions: what it lets go of, and what never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.executor.upkeep import Upkeep
from tests.executor.rig import Rig, executing
from tests.executor.test_watching import QUICK, WAITING
from tui.live.collection import Collection
from tui.live.following import Line
from tui.resources import executions as resource
from tui.resources.execution_row import Execution
from tui.resources.executions import watch

Until = Callable[[Callable[[], bool]], Any]


@asynccontextmanager
async def followed(rig: Rig) -> AsyncGenerator[tuple[Collection[Execution], Until]]:
    """The list of ``rig``, and a wait until something is so of it."""
    executions, changed = Collection[Execution](), asyncio.Event()
    executions.listen(lambda _: changed.set())

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                changed.clear()
                await changed.wait()

    clients: Any = SimpleNamespace(executor=rig.stub)
    following = asyncio.create_task(watch(clients, "", executions, Line("executor")))
    try:
        yield executions, until
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_what_is_dropped_leaves_the_list(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        held = await rig.begin("waiting")
        for _ in range(3):
            await rig.run("quick")
        async with followed(rig) as (executions, until):
            await until(lambda: len(executions) == 4)
            await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
            await until(lambda: len(executions) == 1)

    assert set(executions.records) == {held}


async def test_of_too_many_those_go_that_ended_first_and_none_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "MOST", 4)
    monkeypatch.setattr(resource, "SURPLUS", 1)
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        old = [(await rig.run("quick")).execution_id for _ in range(3)]
        held = await rig.begin("waiting")
        async with followed(rig) as (executions, until):
            await until(lambda: len(executions) == 4)
            new = [(await rig.run("quick")).execution_id for _ in range(4)]
            await until(lambda: new[-1] in executions.records)

    assert {held, *new[-2:]} <= set(executions.records)
    assert not set(old) & set(executions.records)
    assert len(executions) <= 4
