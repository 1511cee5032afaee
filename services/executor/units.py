"""A unit: what one event changes, as rows that are written together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.executor.rows import Row

ChildClaim = tuple[Row, tuple[str, ...]]


@dataclass(slots=True, eq=False)
class Unit:
    """What is to be written, and what became of it.

    Attributes:
        start: The id of an execution that must not be there yet; empty: this is no start.
        claim: (idempotency key, execution id, awaited refs as JSON text, anew, at): a key that no
            other execution must have, or with ``anew`` none that has not ended; None: it has none.
        child_claims: As ``claim``, of those that this one starts, each with the ids of executions
            that do not count as others.
        created: Rows of new executions, or of one that begins anew.
        progress: Rows of what differs in executions that are there.
        children: Rows of new executions that this one starts; one that is there stays as it is.
        snapshots: (hash, text) of what those rows refer to.
        forgotten: (execution id, ref) of tasks whose rows so far are void.
        dropped: Executions whose tasks so far are void.
        deleted: Executions that go with all that is stored of them, if they have ended.
        ended: Executions that have ended: their timers go.
        timers_gone: (execution id, task id, name).
        timers_set: (execution id, task id, name, at).
        changes: (at, execution id, workflow, state), the feed's.
        webhooks: Rows of those that are to be told of an end; what was said of another end is void.
        attempted: (execution id, what an attempt to tell changes), if it is still the same end.
        also: Statements with a row each that are seldom needed: run last, one by one.
        done: Called in the loop, once, when the unit is written or has failed.
        output: The output in ``progress`` as text; None: it is as it was.
        revision: That of the last of ``changes``, once written.
        known: The id of the execution that was there already, by ``start`` or by the key of
            ``claim``, so that nothing was written; empty: there was none.
        held: By key of ``child_claims``, the id of another execution that has it, so that nothing
            was written.
        refs: What the start awaits that has the key.
        error: Why nothing was written.
        size: Characters of the documents in it, roughly.
    """

    done: Callable[[Unit], None]
    start: str = ""
    claim: Row | None = None
    child_claims: list[ChildClaim] = field(default_factory=list)
    created: list[Row] = field(default_factory=list)
    progress: list[Row] = field(default_factory=list)
    children: list[Row] = field(default_factory=list)
    snapshots: list[tuple[str, str]] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    forgotten: list[Row] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    timers_gone: list[Row] = field(default_factory=list)
    timers_set: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    webhooks: list[Row] = field(default_factory=list)
    attempted: list[Row] = field(default_factory=list)
    also: list[tuple[str, Row]] = field(default_factory=list)
    output: str | None = None
    revision: int = 0
    known: str = ""
    held: dict[bytes, str] = field(default_factory=dict)
    refs: tuple[str, ...] = ()
    error: Exception | None = None
    size: int = 0

    @property
    def chars(self) -> int:
        """Characters of all the texts with it that may be large, roughly."""
        chars = self.size + len(self.output or "")
        if self.children or self.webhooks or self.also:
            rows = (*self.children, *self.webhooks, *(row for _, row in self.also))
            chars += sum(len(each) for row in rows for each in row if isinstance(each, str))
        return chars
