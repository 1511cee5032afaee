"""Limits: how much each route still takes, and each workflow, key by key."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import crowds_pb2, executor_pb2
from services.errors import ServiceError, Unavailable
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Resource, Tab
from tui.views.limits import workflow_rule
from tui.views.standing import left, tone_of_use, used_bar

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 1.0
MOST_KEYS = 100
MOST_HOLDERS = 100
EXECUTOR_AWAY = "executor away"


class Limit(NamedTuple):
    """A key of a limit, or a limit of which no key is counted just now. Times are epoch seconds.

    Attributes:
        rule: In words.
        key: As calls had it; None: of executions that began before the gateway did.
        key_id: What it is reset by, or its slots are asked for; empty: nothing is counted.
        window: In seconds; None: it is about executions side by side.
        room_at: When the oldest request counts no more; ``unused_at``: when none does.
        refused: By this key; of executions, by the limit.
        workflow: Whose executions are counted; empty: it is a limit of a route.
    """

    id: str
    service: str
    method: str
    path: str
    name: str
    rule: str
    by: str
    key: str | None
    key_id: str
    window: float | None
    used: int
    limit: int
    waiting: int
    refused: int
    room_at: float | None
    unused_at: float | None
    document: Mapping[str, Any]
    workflow: str = ""

    @property
    def route(self) -> str:
        """Method and path, or the workflow."""
        return f"workflow {self.workflow}" if self.workflow else f"{self.method} {self.path}"

    @property
    def shown_key(self) -> str:
        """The key as it is read."""
        if not self.by:
            return "(all calls)"
        return "(not known)" if self.key is None else self.key


def limits_of(state: pb.LimitState) -> Iterator[Limit]:
    """A row for each key that is counted; one without a key where there is none."""
    for key in state.keys or [pb.LimitKey(key="", limit=state.limit)]:
        yield _row(state, key)


def _row(state: pb.LimitState, key: pb.LimitKey) -> Limit:
    window = state.window.ToTimedelta().total_seconds() if state.HasField("window") else None
    id_ = " ".join((state.service_id, state.method, state.path, state.name, key.id)).rstrip()
    row = Limit(
        id_, state.service_id, state.method, state.path, state.name, _rule(state, window),
        state.key, key.key if key.HasField("key") else None, key.id, window,
        key.used, key.limit, key.waiting, state.refused if window is None else key.refused,
        _at(key, "room_at"), _at(key, "unused_at"), {},
    )  # fmt: skip
    return row._replace(document=_document(row))


def limits_of_workflow(limit: crowds_pb2.WorkflowLimit) -> Iterator[Limit]:
    """A row for each key that is counted; one without a key where there is none."""
    for key in limit.keys or [crowds_pb2.WorkflowLimitKey(limit=limit.limit)]:
        shown = key.key if limit.key or not key.id else ""
        row = Limit(
            f"workflow {limit.workflow_name} {key.id.hex()}".rstrip(), "", "", "", "workflow",
            workflow_rule(limit), limit.key, shown if key.id else None, key.id.hex(), None,
            key.used, key.limit or limit.limit, key.waiting, 0, None, None, {},
            limit.workflow_name,
        )  # fmt: skip
        yield row._replace(document=_document(row))


def _rule(state: pb.LimitState, window: float | None) -> str:
    if window is not None:
        return f"{state.limit:,} in {window:g} s"
    line = f", {state.most_waiting:,} wait" if state.most_waiting else ""
    return f"{state.limit:,} at once{line}"


def _at(key: pb.LimitKey, name: str) -> float | None:
    if not key.HasField(name):  # type: ignore[arg-type]
        return None
    stamp: Timestamp = getattr(key, name)
    return stamp.seconds + stamp.nanos / 1e9


def _document(row: Limit) -> Mapping[str, Any]:
    """What the JSON tab shows: what is known, without what moves by itself."""
    told = row._asdict()
    del told["document"], told["id"]
    for name in ("service", "method", "path") if row.workflow else ("workflow",):
        del told[name]
    return {name: value for name, value in told.items() if value is not None}


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    request = pb.ListLimitsRequest(keys=MOST_KEYS)
    told = await clients.edge.ListLimits(request, timeout=CALL_SECONDS)
    rows = [row for state in told.limits for row in limits_of(state)]
    hidden = sum(max(0, state.keys_used - len(state.keys)) for state in told.limits)
    # An executor that is away counts nothing: that is not the same as that nothing runs.
    away = told.executor_away
    try:
        with raising_ours():
            workflows = await clients.executor.ListWorkflowLimits(
                crowds_pb2.ListWorkflowLimitsRequest(keys=MOST_KEYS), timeout=CALL_SECONDS
            )
    except Unavailable:
        away = True
    else:
        rows += [row for limit in workflows.limits for row in limits_of_workflow(limit)]
        hidden += sum(max(0, each.keys_used - len(each.keys)) for each in workflows.limits)
    return Reading(rows, {EXECUTOR_AWAY: away, "hidden": hidden})


SOURCE: Source[Limit] = polled("limits", "edge", _read, EVERY_SECONDS)


# Who holds the slots of a key


class Holder(NamedTuple):
    """An execution that holds a slot; ``at`` is when it began, in epoch seconds."""

    id: str
    workflow: str
    at: float


async def _read_holders(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    request = executor_pb2.ListSlotsRequest(
        keys=[bytes.fromhex(query)], limit=1, holders=MOST_HOLDERS
    )
    told = await clients.executor.ListSlots(request, timeout=CALL_SECONDS)
    slots = told.slots[0] if told.slots else executor_pb2.SlotUse()
    holders = [
        Holder(each.execution_id, each.workflow_name, each.started_at.ToNanoseconds() / 1e9)
        for each in slots.holders
    ]
    return Reading(holders, {"held": slots.held, "waiting": slots.waiting})


async def _read_runners(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    request = crowds_pb2.ListWorkflowLimitsRequest(
        key_id=bytes.fromhex(query), holders=MOST_HOLDERS
    )
    told = await clients.executor.ListWorkflowLimits(request, timeout=CALL_SECONDS)
    holders = [
        Holder(each.execution_id, limit.workflow_name, each.started_at.ToNanoseconds() / 1e9)
        for limit in told.limits
        for key in limit.keys
        for each in key.holders
    ]
    keys = [key for limit in told.limits for key in limit.keys]
    held, waiting = sum(key.used for key in keys), sum(key.waiting for key in keys)
    return Reading(holders, {"held": held, "waiting": waiting})


RUNNERS: Source[Holder] = polled("holders of workflows", "executor", _read_runners, EVERY_SECONDS)
HOLDERS: Source[Holder] = polled("holders of slots", "executor", _read_holders, EVERY_SECONDS)


def _held_for(row: Holder, now: float) -> Cell:
    return Cell(left(now - row.at))


HOLDER_COLUMNS: tuple[Column[Holder], ...] = (
    Column("id", "EXECUTION", 24, lambda row, _: Cell(row.id), lambda row: row.id, flex=2,
           priority=9, tail=True),
    Column("workflow", "WORKFLOW", 14, lambda row, _: Cell(row.workflow),
           lambda row: row.workflow, flex=2, priority=8),
    Column("for", "FOR", 8, _held_for, lambda row: -row.at, priority=9, right=True, ticks=True),
)  # fmt: skip


# What is done to them


async def _reset(
    clients: Clients, rows: Sequence[Limit], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.ResetLimitsRequest(id=row.key_id)
        try:
            with raising_ours():
                answer = await clients.edge.ResetLimits(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, "begun anew" if answer.reset else "nothing was counted")


def _effect(rows: Sequence[Limit]) -> str:
    used = sum(row.used for row in rows)
    by = {row.by or "all calls together" for row in rows}
    keys = "1 key begins" if len(rows) == 1 else f"{len(rows):,} keys begin"
    counted = f"They are counted by {', '.join(sorted(by))}."
    return f"{keys} anew: {used:,} requests that were made count no more.\n{counted}"


def _meant(row: Limit) -> str:
    """Which one it is: a route may have several with the same key."""
    return f"{row.name} ({row.rule}) of {row.route} for {row.shown_key}"


def _command(rows: Sequence[Limit], answers: Mapping[str, str]) -> str:
    return " && ".join(shlex.join(["podium", "limits", "reset", "--id", row.key_id])
                       for row in rows)  # fmt: skip


RESET: Action[Limit] = Action(
    "limits.reset", "r", "Reset", "Have a key of a rate limit begin anew.", _reset, _command,
    applies=lambda row: row.window is not None and bool(row.key_id),
    effect=_effect, danger=Danger.ASKS, label=_meant,
)  # fmt: skip


# How they look


def _used(row: Limit, now: float) -> Cell:
    return Cell(used_bar(row.used, row.limit), tone_of_use(row.used, row.limit))


def _resets(row: Limit, now: float) -> Cell:
    return Cell(left(row.room_at - now) if row.room_at is not None else "", "muted")


def _waiting(row: Limit, now: float) -> Cell:
    return Cell(
        f"{row.waiting:,}" if row.window is None else "", "warning" if row.waiting else "muted"
    )


def _refused(row: Limit, now: float) -> Cell:
    return Cell(f"{row.refused:,}", "error" if row.refused else "muted")


def _standing(row: Limit, now: float) -> Cell:
    words = [used_bar(row.used, row.limit), row.rule]
    if row.refused:
        words.append(f"{row.refused:,} refused")
    return Cell("  ".join(words), tone_of_use(row.used, row.limit))


def _told(facts: Mapping[str, Any]) -> str:
    parts = [f"{facts['hidden']:,} less busy keys are not told"] if facts.get("hidden") else []
    if facts.get(EXECUTOR_AWAY):
        parts.append("the executor is away: who runs and waits is not known")
    return " · ".join(parts)


RESOURCE: Resource[Limit] = Resource(
    name="limits",
    aliases=("limit", "quotas"),
    title="Limits",
    empty="There is no limit: rateLimits and rateLimitConfig set one.",
    help="""\
## Limits

How much of each limit of the routes is used, by key: requests within a time, or executions side by
side; and of each workflow that has a limit. `Enter` shows who holds the slots, `r` has a rate limit
begin anew. Read once a second.
""",
    columns=(
        Column("route", "ROUTE", 18, lambda row, _: Cell(row.route),
               lambda row: (row.path, row.method), flex=3, priority=9),
        Column("rule", "RULE", 13, lambda row, _: Cell(row.rule, "muted"), lambda row: row.rule,
               priority=6, flex=1),
        Column("key", "KEY", 11, lambda row, _: Cell(row.shown_key, "text" if row.by else "muted"),
               lambda row: row.shown_key, flex=2, priority=7),
        Column("used", "USED", 14, _used, lambda row: row.used / max(1, row.limit), priority=9),
        Column("resets", "ROOM IN", 7, _resets, lambda row: row.room_at, priority=5, right=True,
               ticks=True),
        Column("waiting", "WAITING", 7, _waiting, lambda row: row.waiting, priority=4, right=True),
        Column("refused", "REFUSED", 7, _refused, lambda row: row.refused, priority=8, right=True),
        Column("name", "LIMIT", 10, lambda row, _: Cell(row.name, "muted"), lambda row: row.name,
               priority=2),
        Column("service", "SERVICE", 10, lambda row, _: Cell(row.service), lambda row: row.service,
               priority=1),
    ),
    source=SOURCE,
    fields={
        "service": lambda row: row.service,
        "method": lambda row: row.method,
        "path": lambda row: row.path,
        "limit": lambda row: row.name,
        "workflow": lambda row: row.workflow,
        "key": lambda row: row.key,
    },
    label=lambda row: f"{row.route} {row.name} {row.shown_key}",
    text=lambda row: f"{row.id} {row.rule} {row.shown_key}",
    tabs=(Tab("holders", "Holders", "limit-holders"), Tab("json", "JSON", "record-json")),
    actions=(RESET,),
    standing=_standing,
    told=_told,
    sort="used",
    reverse=True,
)  # fmt: skip
