"""What the tabs of one execution share: its feed, and that it is followed again when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from podium.executor.v1 import executor_pb2 as pb
from tui.live.collection import Collection
from tui.live.one_execution import SOURCE, Facts, Task, facts_of
from tui.live.session import Feed
from tui.screens.detail_pane import TabPane
from tui.views.addresses import Address
from tui.views.kin import started_by
from tui.views.nesting import definition_in

_OPEN = frozenset((pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED))


class ExecutionTab(TabPane):
    """A tab about one execution."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "open_parent", "Parent", id="execution.parent",
                tooltip="The execution whose task started this one"),
    ]  # fmt: skip
    _read: Mapping[str, Any] | None = None
    _definition: Mapping[str, Any] | None = None
    _listed: Any = None

    @property
    def feed(self) -> Feed:
        """The execution's own."""
        return self.detail.follow(SOURCE)

    @property
    def tasks(self) -> Collection[Task]:
        """Its attempts."""
        return self.feed.collection

    @property
    def facts(self) -> Facts:
        """The rest that is known of it."""
        return facts_of(self.tasks)

    def new_definition(self) -> Mapping[str, Any] | None:
        """What it runs, once it is known and whenever it is another one, as after a restart."""
        document = self.facts.document
        if document is None or document is self._read:
            return None
        self._read, before = document, self._definition
        self._definition = definition_in(document)
        return self._definition if self._definition != before else None

    @property
    def problem(self) -> str:
        return "" if self.facts.state is not None else self.facts.problem

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.detail.above) if action == "open_parent" else True

    def action_open_parent(self) -> None:
        self.console.open(Address("executions", self.detail.above))

    def open_started(self, task_id: str) -> bool:
        """Go to the execution that a task started; whether it is known to have started one."""
        started = started_by(self.facts.document, task_id)
        if started:
            self.console.open(Address("executions", started))
        return bool(started)

    def flush(self, now: float) -> None:
        state, row = self.facts.state, self.detail.record
        ended = state is not None and state.status not in _OPEN
        if ended and row is not None and row.updated_at > _seconds(state):
            # The list says that something was done to it: its own stream had ended.
            self.feed.line.retry()
        if row is not self._listed:
            self._listed = row
            if row is not None and self.problem:
                # It has begun since it was asked for in vain.
                self.feed.line.retry()
        self.show(now)

    def show(self, now: float) -> None:
        """Show what is known; ``now`` is in epoch seconds."""


def _seconds(state: pb.ExecutionState | None) -> float:
    return state.updated_at.seconds + state.updated_at.nanos / 1e9 if state is not None else 0.0
