"""Breakers: which hosts tasks call just now, and which they leave alone."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.executor.v1 import breakers_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Resource, Tab
from tui.views.breakers import LOOKS, Breaker, breakers
from tui.views.standing import left

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 1.0
MOST = 1_000

Perform = Callable[
    ["Clients", Sequence[Breaker], Mapping[str, str]], AsyncIterator[ItemResult]
]  # fmt: skip


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    request = pb.ListBreakersRequest(limit=MOST)
    told = await clients.executor.ListBreakers(request, timeout=CALL_SECONDS)
    return Reading(breakers(told), {"hidden": told.total - len(told.breakers)})


SOURCE: Source[Breaker] = polled("breakers", "executor", _read, EVERY_SECONDS)


def _setting(mode: pb.BreakerMode.ValueType, word: str) -> Perform:
    async def act(
        clients: Clients, rows: Sequence[Breaker], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        for row in rows:
            request = pb.SetBreakerRequest(host=row.id, mode=mode)
            try:
                with raising_ours():
                    await clients.executor.SetBreaker(request, timeout=CALL_SECONDS)
            except ServiceError as error:
                yield ItemResult(row.id, False, error.detail)
            else:
                yield ItemResult(row.id, True, word)

    return act


def _command(verb: str) -> Callable[[Sequence[Breaker], Mapping[str, str]], str]:
    return lambda rows, answers: " && ".join(
        shlex.join(["podium", "breakers", verb, "--", row.id]) for row in rows
    )


OPEN: Action[Breaker] = Action(
    "breakers.open", "o", "Open breaker",
    "Have no call go out to the host until it is set otherwise.",
    _setting(pb.BREAKER_MODE_OPEN, "stays open"), _command("open"),
    applies=lambda row: row.automatic or row.state != "OPEN",
    effect=lambda rows: "HTTP tasks that call it fail and are retried; polls are put off.",
    danger=Danger.ASKS,
)  # fmt: skip
CLOSE: Action[Breaker] = Action(
    "breakers.close", "c", "Close breaker",
    "Have all calls go out to the host, however many fail.",
    _setting(pb.BREAKER_MODE_CLOSED, "stays closed"), _command("close"),
    applies=lambda row: row.automatic or row.state != "CLOSED",
    effect=lambda rows: "Whatever they come to, it never opens by itself.",
    danger=Danger.ASKS,
)  # fmt: skip
RESET: Action[Breaker] = Action(
    "breakers.reset", "r", "Reset", "Have the breaker begin anew, closed, and go by itself.",
    _setting(pb.BREAKER_MODE_AUTOMATIC, "begun anew"), _command("reset"),
    effect=lambda rows: "Calls go out again; too many that fail open it by itself.",
    danger=Danger.ASKS,
)  # fmt: skip


def _state(row: Breaker, now: float) -> Cell:
    look = LOOKS[row.state]
    return Cell(f"{look.glyph} {look.word}", look.tone)


def _failed(row: Breaker, now: float) -> Cell:
    return Cell(f"{row.failed:,}", "error" if row.failed else "muted")


def _trials(row: Breaker, now: float) -> Cell:
    return Cell(left(max(0.0, row.trials - now)) if row.trials is not None else "", "muted")


def _told(facts: Mapping[str, Any]) -> str:
    return f"{facts['hidden']:,} more hosts are not told" if facts.get("hidden") else ""


RESOURCE: Resource[Breaker] = Resource(
    name="breakers",
    aliases=("breaker",),
    title="Breakers",
    empty="No task has called a host of late, and no breaker was set.",
    help="""\
## Breakers

The circuit breakers of the hosts that HTTP and HTTP_POLL tasks call. Open, calls are refused at
once: attempts fail and are retried, polls are put off. Half open, a few go out on trial. `o` has
one stay open, `c` closed, over restarts too; `r` has it go by itself again. Read once a second.
""",
    columns=(
        Column("host", "HOST", 24, lambda row, _: Cell(row.id), lambda row: row.id, flex=3,
               priority=9),
        Column("state", "STATE", 11, _state, lambda row: row.state, priority=9),
        Column("failed", "FAILED", 7, _failed, lambda row: row.failed, priority=8, right=True),
        Column("calls", "CALLS", 7, lambda row, _: Cell(f"{row.calls:,}"), lambda row: row.calls,
               priority=7, right=True),
        Column("since", "SINCE", 7, lambda row, now: Cell(left(max(0.0, now - row.since)), "muted"),
               lambda row: -row.since, priority=5, right=True, ticks=True),
        Column("trials", "TRIALS IN", 9, _trials, lambda row: row.trials or 0.0, priority=6,
               right=True, ticks=True),
        Column("set", "SET BY", 10, lambda row, _: Cell(row.set_by, "muted"),
               lambda row: row.set_by, priority=4),
    ),
    source=SOURCE,
    fields={
        "host": lambda row: row.id,
        "state": lambda row: row.state,
        "by": lambda row: row.set_by,
    },
    text=lambda row: f"{row.id} {row.state} {row.set_by}",
    tabs=(Tab("json", "JSON", "record-json"),),
    actions=(OPEN, CLOSE, RESET),
    told=_told,
    sort="state",
    reverse=True,
)  # fmt: skip
