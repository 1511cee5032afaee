"""An event decided to its end: what is computed for it is decided in turn, until none is left."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from services.errors import NotFound
from services.executor import judging
from services.executor.core.commands import (
    CancelTimer,
    Command,
    Compute,
    Count,
    Decision,
    FollowExecution,
    Judge,
    Keep,
    Listen,
    Log,
    Lookup,
    Offer,
    Perform,
    Publish,
    Recall,
    SetTimer,
    StartExecution,
    TellExecution,
)
from services.executor.core.decide import decide
from services.executor.core.events import (
    Computed,
    Event,
    Judged,
    Performed,
    Recalled,
    Rerun,
    Restarted,
    Skipped,
    Started,
    TaskUpdated,
    TimerKey,
)
from services.executor.core.http import HttpAnswer
from services.executor.core.kind import Kind
from services.executor.core.model import Execution, Json, Task
from services.executor.core.schemas import INPUT, Faults
from services.executor.documents import LARGE_CHARS, Writing, is_large, text_of
from services.executor.snapshots import Snapshot
from services.javascript import JQ, ScriptFailed, Scripts
from services.judging import Judges


class Definitions(Protocol):
    """What is defined now, or was when the execution began."""

    def looked_up(self, lookup: Lookup) -> Json:
        """The value that :class:`Lookup` describes. Raises :class:`NotFound` with the reason."""

    def child(self, command: StartExecution, masked: frozenset[str]) -> Snapshot:
        """What ``command`` starts, with ``masked`` masked there. Raises :class:`NotFound`."""


Recaller = Callable[[bytes], Awaitable[Json]]
"""The output that is kept under a key; None: there is none. Raises :class:`ServiceError`."""


class Unfolded:
    """Decisions that follow from one event, laid over one another.

    Attributes:
        text: Writes documents as JSON. Where some are large, it has to be used in a thread first.
        changed: By id, every attempt that is new or differs.
        computes: What is still to be computed, or to be judged by a schema.
        refuses: Of a start, which is not stored yet: an input that breaks its schema is refused.
        forgotten: Refs whose rows so far are void.
        left: Attempts that have changed, and whose rows are not stored any more.
        timers: By key, what is last said of it.
        offers: Tasks whose turn it may be within this unit.
        claims: Those whose turn it is.
    """

    __slots__ = ("before", "changed", "children", "claims", "computes", "counts", "definitions",
                 "dropped", "execution", "follows", "forgotten", "judges", "keeps", "left",
                 "listens", "logs", "lookups", "offers", "performs", "published", "refuses",
                 "rewritten", "tells", "text", "timers")  # fmt: skip

    def __init__(self, before: Execution, definitions: Definitions) -> None:
        self.before = before
        self.definitions = definitions
        self.lookups: deque[Lookup] = deque()
        self.tells: list[TellExecution] = []
        self.follows: list[FollowExecution] = []
        self.published: list[Publish] = []
        self.listens: list[Listen] = []
        self.execution = before
        self.changed: dict[str, Task] = {}
        self.computes: deque[Compute | Judge | Recall] = deque()
        self.judges: deque[Judge] = deque()
        self.refuses = False
        self.timers: dict[TimerKey, SetTimer | CancelTimer] = {}
        self.performs: list[Perform] = []
        self.children: list[StartExecution] = []
        self.offers: deque[Offer] = deque()
        self.claims: list[str] = []
        self.counts: list[Count] = []
        self.logs: list[Log] = []
        self.keeps: list[Keep] = []
        self.dropped = False
        self.rewritten = False
        self.forgotten: set[str] = set()
        self.left: list[Task] = []
        self.text: Callable[[object], str] = text_of

    @property
    def large(self) -> bool:
        """Whether documents in it are so large that the loop would be kept waiting for them."""
        return self.text is not text_of

    def is_large(self) -> None:
        """Say so."""
        if not self.large:
            self.text = Writing().text_of

    def decide(self, event: Event, kinds: Mapping[str, Kind], now: datetime) -> None:
        """Decide ``event`` on top of what was decided. Raises :class:`Refused`."""
        self._take(decide(self.execution, event, kinds, now))
        while self.lookups or self.judges:
            if self.lookups:
                self._take(decide(self.execution, self._found(self.lookups.popleft()), kinds, now))
                continue
            judge = self.judges.popleft()
            faults = judging.at_once(judge)
            if faults is None:
                self.computes.append(judge)
            else:
                self._take(decide(self.execution, self._verdict(judge, faults), kinds, now))

    def _verdict(self, judge: Judge, faults: Faults) -> Judged:
        if faults and self.refuses and not judge.task_id and judge.label == INPUT:
            raise judging.refusal(self.execution.workflow.name, faults)
        return Judged(judge.task_id, judge.label, faults, judge.then)

    def decide_all(self, events: Iterable[Event], kinds: Mapping[str, Kind], now: datetime) -> None:
        """Decide one after another."""
        for event in events:
            self.decide(event, kinds, now)

    def _found(self, lookup: Lookup) -> Computed:
        try:
            value = self.definitions.looked_up(lookup)
        except NotFound as missing:
            return Computed(lookup.task_id, lookup.label, error=missing.detail)
        return Computed(lookup.task_id, lookup.label, value)

    def _take(self, decision: Decision) -> None:
        self.execution = decision.execution
        self.dropped = self.dropped or decision.dropped
        self.rewritten = self.rewritten or decision.rewritten
        if decision.forgotten:
            self._forget(decision.forgotten)
            self.left.extend(decision.left)
        for task in decision.changed:
            self.changed[task.id] = task
        for command in decision.commands:
            self._command(command)

    def _forget(self, refs: Iterable[str]) -> None:
        refs = frozenset(refs)
        self.forgotten.update(refs)
        gone = [id for id, task in self.changed.items() if task.ref in refs]
        self.left.extend(self.changed.pop(id) for id in gone)

    def _command(self, command: Command) -> None:
        match command:
            case Perform():
                self.performs.append(command)
            case SetTimer() | CancelTimer():
                self.timers[command.key] = command
            case Keep():
                self.keeps.append(command)
            case Compute() | Recall():
                self.computes.append(command)
            case Judge():
                self.judges.append(command)
            case StartExecution():
                self.children.append(command)
            case Lookup():
                self.lookups.append(command)
            case TellExecution():
                self.tells.append(command)
            case FollowExecution():
                self.follows.append(command)
            case Publish():
                self.published.append(command)
            case Offer():
                self.offers.append(command)
            case Count():
                self.counts.append(command)
            case Log():
                self.logs.append(command)
            case Listen():
                self.listens.append(command)

    @property
    def nothing(self) -> bool:
        """Whether the event changed nothing."""
        return self.execution is self.before and not (
            self.changed
            or self.timers
            or self.performs
            or self.children
            or self.tells
            or self.logs
            or self.dropped
            or self.rewritten
        )

    async def compute(
        self,
        scripts: Scripts,
        judges: Judges,
        kinds: Mapping[str, Kind],
        now: Callable[[], datetime],
        recall: Recaller,
    ) -> None:
        """Evaluate what is to be computed, and decide what comes of it, until nothing is left.

        Raises:
            NoWorker, Overloaded: Something was not evaluated, or judged. What was decided
                meanwhile is of no use.
            InvalidRequest: The start is refused.
        """
        while self.computes:
            following = self.computes.popleft()
            computed: Event
            if isinstance(following, Judge):
                text = await self._text(following.value)
                computed = self._verdict(following, await judging.judged(following, judges, text))
            elif isinstance(following, Recall):
                output = await recall(following.key)
                computed = Recalled(following.task_id, following.label, output)
            else:
                computed = await self._evaluated(following, scripts)
            if self.large:
                await asyncio.to_thread(self.decide, computed, kinds, now())
            else:
                self.decide(computed, kinds, now())

    async def _evaluated(self, compute: Compute, scripts: Scripts) -> Computed:
        task = self.changed.get(compute.task_id)
        name = f"{compute.label} of {task.ref}" if task else compute.label
        try:
            scope, group = await self._text(compute.scope), self.execution.workflow.name
            run = scripts.query if compute.language == JQ else scripts.evaluate
            value: Json = await run(compute.source, scope, name=name, group=group)
        except ScriptFailed as failure:
            return Computed(compute.task_id, compute.label, error=str(failure))
        if is_large(value):
            self.is_large()
        return Computed(compute.task_id, compute.label, value)

    async def _text(self, scope: object) -> str:
        return await asyncio.to_thread(self.text, scope) if self.large else self.text(scope)


def brings_much(event: Event, execution: Execution) -> bool:
    """Whether there is a large document in what has happened."""
    match event:
        case Performed(outcome=HttpAnswer(size=size)):
            return size >= LARGE_CHARS
        case TaskUpdated(output=output):
            return is_large(output)
        case Started():
            return is_large(execution.input)
        case Restarted(input=given) | Rerun(input=given) | Skipped(output=given):
            return is_large(given)
    return False
