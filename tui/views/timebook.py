"""What a timeline knows of one execution, kept up to date change by change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from tui.views.attempts import (
    Attempt,
    PollMark,
    attempt_of,
    merged_polls,
    poll_of,
    polls_of,
)
from tui.views.hands import Hand, hands_of
from tui.views.nesting import Nesting, definition_in, nesting_of
from tui.views.timerows import Row, rows_of
from tui.views.timetree import Node, first_folds, tree_of


class TimeBook:
    """The attempts and polls of an execution, and the rows that they make.

    Attributes:
        attempts: By id.
        rows: As they are shown, without what is folded.
        start: When the execution began, epoch milliseconds.
        end: When it ended; None: it has not.
    """

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.polls: dict[str, tuple[PollMark, ...]] = {}
        self.rows: list[Row] = []
        self.start = 0
        self.end: int | None = None
        self._nesting = Nesting()
        self._tree: tuple[Node, ...] = ()
        self._folded: set[str] = set()
        self._by_sequence: dict[int, str] = {}
        self._places: dict[str, int] = {}

    def replace(
        self,
        state: pb.ExecutionState,
        tasks: Iterable[pb.TaskState],
        document: Mapping[str, Any] | None,
    ) -> None:
        """Another execution, or the same one read anew.

        Args:
            document: The execution's own (Conductor's JSON), for the nesting and for the polls.
        """
        document = document or {}
        self._forget()
        self._folded.clear()
        self._nesting = nesting_of(definition_in(document))
        self.polls = polls_of(document)
        self._take(state)
        for task in tasks:
            self._put(task)
        self.add_hands(hands_of(document))
        self._grow()
        self._folded.update(first_folds(self._tree, self.attempts))
        self._lay_out()

    def apply(self, state: pb.ExecutionState | None, tasks: Iterable[pb.TaskState]) -> bool:
        """What has changed; whether the rows are others now."""
        if state is not None:
            self._take(state)
        # All of them, however the first is answered.
        grown = [self._put(task) for task in tasks]
        if not any(grown):
            return False
        self._grow()
        self._lay_out()
        return True

    def add_polls(self, polls: Mapping[str, Sequence[PollMark]]) -> None:
        """Polls by task id that were not told with a change."""
        for task_id, marks in polls.items():
            self.polls[task_id] = merged_polls(self.polls.get(task_id, ()), marks)
        self._grow()
        self._lay_out()

    def add_hands(self, hands: Mapping[str, Hand]) -> None:
        """By task id, what was not told with a change of who does it."""
        for task_id, hand in hands.items():
            attempt = self.attempts.get(task_id)
            if attempt is not None and attempt.hand != hand:
                self.attempts[task_id] = replace(attempt, hand=hand)

    def place(self, key: str) -> int | None:
        """At which row ``key`` is, if it is shown."""
        return self._places.get(key)

    def shown_at(self, task_id: str) -> int | None:
        """At which row an attempt is shown: its own, else its task's."""
        if (place := self._places.get(task_id)) is not None:
            return place
        keys = (node.key for node in _nodes(self._tree) if _is_task_of(node, task_id))
        return self._places.get(next(keys, ""))

    def newest(self) -> int | None:
        """At which row the attempt is that was reached last, or the newest of its polls."""
        if not self.attempts:
            return None
        last = max(self.attempts.values(), key=lambda each: each.sequence)
        polls = self.polls.get(last.id)
        place = self._places.get(f"{last.id}/{polls[-1].number}") if polls else None
        return self.shown_at(last.id) if place is None else place

    def fold(self, key: str) -> bool:
        """Fold what is below ``key`` away, or show it again; whether there is something."""
        row = self.rows[place] if (place := self.place(key)) is not None else None
        if row is None or not row.node.runs:
            return False
        self._folded ^= {key}
        self._lay_out()
        return True

    def fold_all(self) -> None:
        """Fold everything that can be; where nothing is left to fold, show everything."""
        foldable = {node.key for node in _nodes(self._tree) if node.runs}
        self._folded = set() if foldable <= self._folded else foldable
        self._lay_out()

    def open_to(self, task_id: str) -> None:
        """Unfold what hides the task of an attempt."""
        parents = dict(_parents(self._tree))
        keys = (node.key for node in _nodes(self._tree) if _is_task_of(node, task_id))
        key = parents.get(next(keys, ""), "")
        hiding = set[str]()
        while key:
            hiding.add(key)
            key = parents.get(key, "")
        if self._folded & hiding:
            self._folded -= hiding
            self._lay_out()

    def _take(self, state: pb.ExecutionState) -> None:
        self.start = state.created_at.ToMilliseconds()
        self.end = state.ended_at.ToMilliseconds() if state.HasField("ended_at") else None

    def _put(self, task: pb.TaskState) -> bool:
        """Whether the rows are others by it."""
        attempt = attempt_of(task)
        known = self._by_sequence.get(attempt.sequence, attempt.id)
        if attempt.sequence and known != attempt.id:
            # Sequences begin anew with a restart: what was before it is gone.
            self._forget()
        before = self.attempts.get(attempt.id)
        grown = before is None
        if before is not None:
            attempt = replace(attempt, hand=before.hand)
        self.attempts[attempt.id] = attempt
        self._by_sequence[attempt.sequence] = attempt.id
        return self._put_poll(task) or grown

    def _put_poll(self, task: pb.TaskState) -> bool:
        if not task.HasField("last_poll"):
            return False
        before = self.polls.get(task.task_id, ())
        after = merged_polls(before, (poll_of(task.last_poll),))
        self.polls[task.task_id] = after
        return len(after) != len(before) or before[0].number != after[0].number

    def _forget(self) -> None:
        self.attempts.clear()
        self._by_sequence.clear()
        self.polls = {}

    def _grow(self) -> None:
        self._tree = tree_of(self._nesting, self.attempts.values(), self.polls)

    def _lay_out(self) -> None:
        self.rows = rows_of(self._tree, self._folded)
        self._places = {row.node.key: place for place, row in enumerate(self.rows)}


def _nodes(tree: Iterable[Node]) -> Iterator[Node]:
    for node in tree:
        yield node
        for run in node.runs:
            yield from _nodes(run)


def _is_task_of(node: Node, task_id: str) -> bool:
    return node.sort == "task" and task_id in node.attempts


def _parents(tree: Iterable[Node], above: str = "") -> Iterator[tuple[str, str]]:
    """Each node's key with that of the node which it hangs from."""
    for node in tree:
        yield node.key, above
        for run in node.runs:
            yield from _parents(run, node.key)
