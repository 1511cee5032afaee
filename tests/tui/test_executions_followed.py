"""The console's copy of the list of executions: what the executor drops, it lets go of, too."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from services.executor.upkeep import Upkeep
from tests.executor.rig import executing
from tests.executor.test_watching import QUICK, WAITING
from tui.live.collection import Collection
from tui.live.following import Line
from tui.resources.executions import Execution, watch


async def test_what_is_dropped_leaves_the_list(tmp_path: Path) -> None:
    executions, changed = Collection[Execution](), asyncio.Event()
    executions.listen(lambda _: changed.set())
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig, asyncio.timeout(20):
        held = await rig.begin("waiting")
        for _ in range(3):
            await rig.run("quick")
        clients: Any = SimpleNamespace(executor=rig.stub)
        following = asyncio.create_task(watch(clients, "", executions, Line("executor")))
        while len(executions) < 4:
            changed.clear()
            await changed.wait()

        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
        while len(executions) > 1:
            changed.clear()
            await changed.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    assert set(executions.records) == {held}
