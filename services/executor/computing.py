"""Units that take time: large events are decided in a thread, and what scripts say is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from services.executor.actors import Actor, Letter
from services.executor.answers import answer, stopping
from services.executor.commits import Child, begun, prepare
from services.executor.core.events import Event
from services.executor.core.kind import Kind
from services.executor.core.model import Json
from services.executor.queues import Queues
from services.executor.unfolding import Unfolded
from services.javascript import Scripts
from services.judging import Judges

Settled = Callable[[Sequence[Child] | Exception], None]
"""Told what the unit starts, or why it could not be decided."""


class Computing:
    """What is being computed, or written as text.

    Args:
        kept: Reads an output that is kept.
        make_way: The execution of that id has to wait: another one may be in memory.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        scripts: Scripts,
        judges: Judges,
        kinds: Mapping[str, Kind],
        queues: Queues,
        now: Callable[[], datetime],
        kept: Callable[[bytes], Awaitable[Json]],
        make_way: Callable[[str], None],
    ) -> None:
        self._tasks = tasks
        self._scripts = scripts
        self._judges = judges
        self._kinds = kinds
        self._queues = queues
        self._now = now
        self._kept = kept
        self._make_way = make_way
        # With the letters that it is for.
        self._under_way: dict[asyncio.Task[None], Letter] = {}
        self._open = True

    def __len__(self) -> int:
        """How many units are computed."""
        return len(self._under_way)

    def close(self) -> None:
        """Compute nothing more; whoever asked is told."""
        self._open = False
        for task, letter in list(self._under_way.items()):
            if task.cancel():
                _refuse(letter)

    def begin(
        self,
        actor: Actor,
        letter: Letter,
        unfolded: Unfolded,
        events: Sequence[Event],
        settled: Settled,
    ) -> None:
        """Decide ``events``, if there are any: they are large; then all that is to be computed."""
        actor.busy = True
        if not self._open:
            # Busy for good, it stays as it is stored.
            _refuse(letter)
            return
        task = self._tasks.create_task(self._compute(actor, unfolded, events, settled))
        self._under_way[task] = letter
        task.add_done_callback(self._under_way.pop)

    async def _compute(
        self, actor: Actor, unfolded: Unfolded, events: Sequence[Event], settled: Settled
    ) -> None:
        try:
            if events:
                await asyncio.to_thread(unfolded.decide_all, events, self._kinds, self._now())
            if unfolded.computes:
                self._make_way(actor.id)
            while unfolded.computes or unfolded.offers:
                self._queues.hand_out(unfolded, self._kinds, self._now())
                await unfolded.compute(
                    self._scripts, self._judges, self._kinds, self._now, self._kept
                )
            children = begun(actor, unfolded, self._now())
            if unfolded.large:
                await asyncio.to_thread(prepare, actor, unfolded, children)
        except Exception as error:  # noqa: BLE001
            settled(error)
        else:
            settled(children)


def _refuse(letter: Letter) -> None:
    for each in letter.all:
        answer(each, stopping())
