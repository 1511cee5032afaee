"""How the limits of workflows stand, as operators ask for it: who is counted together, who runs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import NamedTuple

from podium.executor.v1 import crowds_pb2 as pb
from services.access import EVERY, Sight
from services.errors import InvalidRequest
from services.executor import queries
from services.executor.core.conductor import sentences
from services.executor.core.crowds import value_of
from services.executor.core.workflow import RateLimit
from services.executor.crowds import Crowds
from services.executor.documents import plain
from services.executor.loading import load_alone
from services.executor.queries import Runner
from services.executor.readers import Readers
from services.executor.slots import SlotUse
from services.executor.snapshots import Snapshots

_DEFAULT_KEYS = 10
_MOST_KEYS = 100
_DEFAULT_HOLDERS = 3
_MOST_HOLDERS = 100
_MOST_TOLD = 1_000
_KEY_CHARS = 120
_MOST_KNOWN = 10_000


class Meant(NamedTuple):
    """What a key is of. A key never means anything else.

    Attributes:
        text: What the ``rateLimitKey`` comes to, for people.
    """

    workflow: str
    text: str
    limit: RateLimit


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request within its bounds."""

    workflow: str
    keys: int
    holders: int
    only: bytes

    @classmethod
    def of(cls, request: pb.ListWorkflowLimitsRequest) -> Wanted:
        """Raises :class:`InvalidRequest`: it asks for too many, or for fewer than none."""
        keys = request.keys or _DEFAULT_KEYS
        holders = request.holders or _DEFAULT_HOLDERS
        if not 0 < keys <= _MOST_KEYS:
            raise InvalidRequest(f"keys must be from 0 to {_MOST_KEYS}.")
        if not 0 < holders <= _MOST_HOLDERS:
            raise InvalidRequest(f"holders must be from 0 to {_MOST_HOLDERS}.")
        return cls(request.workflow_name, keys, holders, request.key_id)


class Crowding:
    """Tells of the crowds of one engine."""

    def __init__(self, crowds: Crowds, readers: Readers, snapshots: Snapshots) -> None:
        self._crowds = crowds
        self._readers = readers
        self._snapshots = snapshots
        self._known: OrderedDict[bytes, Meant] = OrderedDict()
        self._defined: tuple[int, dict[str, RateLimit]] = (-1, {})

    async def page(
        self, request: pb.ListWorkflowLimitsRequest, sight: Sight = EVERY
    ) -> pb.ListWorkflowLimitsResponse:
        """How the limits stand that ``request`` asks for, of the workflows in sight."""
        wanted = Wanted.of(request)
        uses = await self._busiest(wanted)
        runners = await self._readers.read(
            queries.crowd_runners, [use.key for use in uses], wanted.holders
        )
        await self._learn({key: found[0][0] for key, found in runners.items() if found})
        told: dict[str, pb.WorkflowLimit] = {}
        if not wanted.only:
            told = {name: _limit(name, each) for name, each in self._limits(wanted.workflow)}
        for use in uses:
            meant = self._known.get(use.key)
            if meant is None or meant.workflow not in sight:
                continue
            if wanted.workflow in ("", meant.workflow):
                limit = told.setdefault(meant.workflow, _limit(meant.workflow, meant.limit))
                limit.keys_used += 1
                if len(limit.keys) < wanted.keys:
                    limit.keys.append(_key(use, meant, runners.get(use.key, ())))
        return pb.ListWorkflowLimitsResponse(
            limits=[told[name] for name in sorted(told) if name in sight]
        )

    async def _busiest(self, wanted: Wanted) -> list[SlotUse]:
        busiest = list[SlotUse]()
        for some in self._crowds.slots.uses([wanted.only] if wanted.only else ()):
            used = (use for use in some if use.held or use.waiting)
            busiest = nlargest(_MOST_TOLD, (*busiest, *used), _busy)
            # The others' turn.
            await asyncio.sleep(0)
        return busiest

    async def _learn(self, runners: dict[bytes, str]) -> None:
        """Find out what those keys are of that are not known yet, by one that runs of each."""
        unknown = {key: id for key, id in runners.items() if key not in self._known}
        if not unknown:
            return
        self._known |= await self._readers.read(_meant, unknown, self._snapshots)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _limits(self, workflow: str) -> Iterator[tuple[str, RateLimit]]:
        """The limits of the newest versions, by name."""
        replica = self._snapshots.replica
        if self._defined[0] != replica.revision:
            names = {stored.name for stored in replica.all("workflow") if _FIELD in stored.text}
            self._defined = replica.revision, dict(_defined(self._snapshots, names))
        for name, limit in self._defined[1].items():
            if workflow in ("", name):
                yield name, limit


_FIELD = '"rateLimitConfig"'


def _defined(snapshots: Snapshots, names: Iterable[str]) -> Iterator[tuple[str, RateLimit]]:
    for name in sorted(names)[:_MOST_TOLD]:
        stored = snapshots.replica.get("workflow", name)
        try:
            limit = RateLimit.of(stored.document) if stored else None
        except ValueError:
            # The registry is newer than this executor, perhaps.
            limit = None
        if limit is not None:
            yield name, limit


def _meant(
    db: sqlite3.Connection, ids: dict[bytes, str], snapshots: Snapshots
) -> dict[bytes, Meant]:
    found: dict[bytes, Meant] = {}
    for key, id in ids.items():
        execution = load_alone(db, id, snapshots)
        limit = execution.workflow.rate_limit if execution is not None else None
        if execution is not None and limit is not None:
            text = sentences(execution, ()).text(value_of(execution))
            found[key] = Meant(execution.workflow.name, plain(text[:_KEY_CHARS]), limit)
    return found


def _busy(use: SlotUse) -> tuple[int, int]:
    return use.waiting, use.held


def _limit(workflow: str, limit: RateLimit) -> pb.WorkflowLimit:
    return pb.WorkflowLimit(
        workflow_name=workflow,
        key=limit.key if isinstance(limit.key, str) else "",
        limit=min(limit.at_once, 2**31 - 1),
        rejects=limit.rejects,
    )


def _key(use: SlotUse, meant: Meant, runners: Sequence[Runner]) -> pb.WorkflowLimitKey:
    told = pb.WorkflowLimitKey(
        id=use.key, key=meant.text, used=use.held, limit=use.limit, waiting=use.waiting
    )
    for execution_id, created_at in runners:
        told.holders.add(execution_id=execution_id).started_at.FromMicroseconds(created_at)
    return told
