"""An execution as it is shown: whole, and beside a result to whoever may read it."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound, PermissionDenied
from services.executor import loading
from services.executor.core.model import Task
from services.executor.events import polls_of
from services.executor.listed import whole_text
from services.executor.readers import Readers
from services.executor.results import MOST_BYTES_A_RESULT
from services.executor.seeing import READ, Seeing
from services.executor.snapshots import Snapshots
from services.executor.states import (
    poll_state,
    state_of,
    task_facts,
    task_state,
    webhook_delivery,
)

_Response = TypeVar("_Response", pb.RunExecutionResponse, pb.AttachExecutionResponse)


def whole(loaded: loading.Loaded, *, with_tasks: bool = True) -> pb.GetExecutionResponse:
    """All that is stored of it, or all but its tasks."""
    told = None
    if (webhook := loaded.origin.webhook) is not None and loaded.delivery is not None:
        told = webhook_delivery(webhook, loaded.delivery)
    return pb.GetExecutionResponse(
        completion_webhook=told,
        state=state_of(loaded.execution, loaded.origin),
        tasks=map(_with_polls, loaded.attempts if with_tasks else ()),
        document=whole_text(loaded, with_tasks=with_tasks),
    )


def _with_polls(task: Task) -> pb.TaskState:
    state = task_state(task_facts(task))
    state.polls.extend(filter(None, map(poll_state, polls_of(task))))
    return state


class Showing:
    """Executions beside their results."""

    def __init__(self, seeing: Seeing, readers: Readers, snapshots: Snapshots) -> None:
        self._seeing = seeing
        self._readers = readers
        self._snapshots = snapshots

    async def beside(self, response: _Response) -> _Response:
        """``response`` with what its result is about, as far as the caller may read that."""
        result = response.result
        room = MOST_BYTES_A_RESULT - result.ByteSize()
        shown = await self._shown(result.execution_id, room)
        if shown is not None:
            response.shown.CopyFrom(shown)
            room -= shown.ByteSize()
        blocked_in = result.blocked.execution_id
        if blocked_in and blocked_in != result.execution_id:
            shown = await self._shown(blocked_in, room)
            if shown is not None:
                response.shown_blocked.CopyFrom(shown)
        return response

    async def _shown(self, execution_id: str, room: int) -> pb.ShownExecution | None:
        """None: it is not to be seen, it has been deleted meanwhile, or has no ``room``."""
        try:
            await self._seeing.check_one(READ, execution_id)
        except (NotFound, PermissionDenied):
            return None
        # What is not shown weighs, too; of what is much too large nothing is written.
        most = 2 * max(room, 0)
        loaded = await self._readers.read(loading.load_whole, execution_id, self._snapshots, most)
        if loaded is None or loaded.weight > most:
            return None
        late = loaded.takes_long
        shown = await asyncio.to_thread(_beside, loaded) if late else _beside(loaded)
        return shown if shown.ByteSize() <= room else None


def _beside(loaded: loading.Loaded) -> pb.ShownExecution:
    return pb.ShownExecution(
        state=state_of(loaded.execution, loaded.origin), document=whole_text(loaded)
    )
