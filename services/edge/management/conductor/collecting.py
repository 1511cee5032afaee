"""Results of searches, page by page from the executor, as many as one answer may hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from podium.executor.v1 import executor_pb2 as pb
from services.edge.management.conductor.asking import Asked
from services.edge.management.conductor.attributes import EXECUTIONS, TASKS, order_refused
from services.edge.management.conductor.sought import Sought
from services.errors import InvalidRequest, TooLarge
from services.query.vocabulary import Vocabulary

T = TypeVar("T")
Execution: TypeAlias = "tuple[pb.ExecutionState, pb.ExecutionDocument]"
Wanted: TypeAlias = "pb.ExecutionDocuments.ValueType"

_MOST_BYTES = 32 << 20
_PAGE = 500


@dataclass(slots=True)
class Room:
    """How much more one answer may hold, in bytes."""

    left: int = field(default_factory=lambda: _MOST_BYTES)

    def take(self, size: int) -> None:
        """Raises :class:`TooLarge` where there is no room for ``size`` bytes."""
        self.left -= size
        if self.left < 0:
            raise TooLarge(
                f"The answer would be larger than {_MOST_BYTES} bytes: ask for fewer at once."
            )


async def executions(
    request: Asked, sought: Sought, documents: Wanted
) -> tuple[list[Execution], int]:
    """Those that are sought, and how many there are in all. Raises :class:`TooLarge` too."""
    wanted = pb.ListExecutionsRequest(
        query=sought.query,
        order_by=sought.order_by,
        offset=sought.start,
        top_level_only=sought.top_level_only,
        count_total=True,
        documents=documents,
    )
    return await _listed(request, wanted, sought.size, Room())


async def executions_of(
    request: Asked, ids: Sequence[str], documents: Wanted, *, top_level_only: bool = False
) -> dict[str, Execution]:
    """By id those of ``ids`` that there are, in the order of the ids. Raises as above."""
    found: list[Execution] = []
    room = Room()
    for start in range(0, len(ids), _PAGE):
        wanted = pb.ListExecutionsRequest(
            execution_ids=ids[start : start + _PAGE],
            top_level_only=top_level_only,
            documents=documents,
        )
        found += (await _listed(request, wanted, _PAGE, room))[0]
    by_id = {each[0].execution_id: each for each in found}
    return {id_: by_id[id_] for id_ in ids if id_ in by_id}


async def _listed(
    request: Asked, wanted: pb.ListExecutionsRequest, size: int, room: Room
) -> tuple[list[Execution], int]:
    found: list[Execution] = []
    total = 0
    while True:
        # At least one is asked for, so that whoever wants none is told how many there are.
        wanted.page.page_size = max(1, min(_PAGE, size - len(found)))
        told = await _asked(request, request.stubs.executor.ListExecutions, wanted, EXECUTIONS)
        room.take(told.ByteSize())
        found += zip(told.executions, told.documents, strict=True)
        total = total or told.total
        if len(found) >= size or not told.next_page_token:
            return found[:size], total
        wanted.page.page_token = told.next_page_token
        wanted.offset, wanted.count_total = 0, False


async def _asked(
    request: Asked, method: Callable[..., Awaitable[T]], wanted: object, vocabulary: Vocabulary
) -> T:
    """What the executor lists. Raises :class:`InvalidRequest` in the words of whoever asks here."""
    try:
        return await request.ask(method, wanted)
    except InvalidRequest as error:
        raise order_refused(vocabulary, error) from error


async def tasks(
    request: Asked, sought: Sought, *, documents: bool
) -> tuple[list[pb.FoundTask], int]:
    """Those that are sought, and how many there are in all. Raises as :func:`executions`."""
    wanted = pb.SearchTasksRequest(
        query=sought.query,
        order_by=sought.order_by,
        offset=sought.start,
        count_total=True,
        documents=documents,
    )
    found: list[pb.FoundTask] = []
    room, total = Room(), 0
    while True:
        wanted.page.page_size = max(1, min(_PAGE, sought.size - len(found)))
        told = await _asked(request, request.stubs.executor.SearchTasks, wanted, TASKS)
        room.take(told.ByteSize())
        found += told.tasks
        total = total or told.total
        if len(found) >= sought.size or not told.next_page_token:
            return found[: sought.size], total
        wanted.page.page_token = told.next_page_token
        wanted.offset, wanted.count_total = 0, False
