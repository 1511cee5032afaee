"""One scene of a simulated executor, played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from services.executor.snapshots import Snapshots
from tests.executor.core.flows import judged
from tests.executor.core.simulator import answer
from tests.executor.rig import replica_of
from tests.simulation.office import DEFINITION, Office
from tests.simulation.shell import Shell
from tests.simulation.workers import Workers, lent


class Scene:
    """An executor with event handlers, and workers that poll.

    Args:
        slots: The queues that a stream is open for, too, and with how many hands.
    """

    def __init__(
        self,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        *documents: Any,
        slots: Mapping[str, int],
    ) -> None:
        replica = replica_of(*documents, DEFINITION)
        self.shell = Shell(path, Snapshots(replica), judged)
        self.workers = Workers(self.shell, 0, replica, loop, slots)
        self.office = Office(self.shell, loop)
        self.shell.recovered = self._recovered

    def _recovered(self) -> None:
        self.office.begin()
        self.workers.connect()

    def begin(self, name: str, *ids: str, **more: Any) -> None:
        """Executions of a workflow begin, in that order; ``more`` is as of :func:`start`."""
        for id_ in ids:
            self.shell.begin(name, id_, {"n": 1}, **more)
            self.settle()

    def settle(self) -> None:
        """All letters arrive."""
        while self.shell.post:
            self.shell.deliver()

    def die(self) -> None:
        self.shell.die()
        self.settle()

    def answer(self, execution_id: str) -> None:
        """The call of an execution is answered."""
        (call,) = [each for each in self.shell.calls.values() if each.execution_id == execution_id]
        self.shell.end_call(call, answer({"n": 1}))
        self.settle()

    def done(self) -> None:
        """The one task that a worker has is done."""
        (task,) = lent(self.shell)
        self.workers.ends(task)
        self.settle()

    @property
    def working(self) -> list[str]:
        """The executions of whose tasks workers have one."""
        return sorted(each.execution_id for each in lent(self.shell))

    @property
    def calling(self) -> list[str]:
        """The executions whose calls are under way."""
        return sorted(each.execution_id for each in self.shell.calls.values())

    def status(self, execution_id: str) -> str:
        rows = self.shell.db.execute("SELECT status FROM executions WHERE id = ?", (execution_id,))
        return str(rows.fetchone()[0])

    def tasks(self, execution_id: str) -> list[tuple[str, str]]:
        """Ref and status of each, in order."""
        return self.shell.db.execute(
            "SELECT ref, status FROM tasks WHERE execution_id = ? ORDER BY sequence",
            (execution_id,),
        ).fetchall()


@contextmanager
def playing(
    path: Path, *documents: Any, slots: Mapping[str, int] = MappingProxyType({})
) -> Generator[Scene]:
    """A scene until the end of the block."""
    loop = asyncio.new_event_loop()
    scene = Scene(path, loop, *documents, slots=slots)
    try:
        yield scene
    finally:
        scene.shell.db.close()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def flow(name: str, *tasks: Any, **more: Any) -> dict[str, Any]:
    """The document of a workflow."""
    return {"kind": "workflow", "name": name, "version": 1, "tasks": [*tasks], **more}


def step(ref: str, type_: str, name: str = "", **more: Any) -> dict[str, Any]:
    """A task of a workflow."""
    return {"name": name or ref, "taskReferenceName": ref, "type": type_, **more}


def call(ref: str, name: str = "") -> dict[str, Any]:
    """An HTTP task."""
    request = {"uri": "http://upstream/", "method": "POST"}
    return step(ref, "HTTP", name, inputParameters={"http_request": request})


def limited(name: str, **more: Any) -> dict[str, Any]:
    """A task definition of which one may be at work."""
    return {"kind": "task", "name": name, "retryCount": 0, "concurrentExecLimit": 1, **more}
