"""The timeline of one execution: a row a task, its bar on the axis that all of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from podium.executor.v1 import executor_pb2 as pb
from tui.views.attempts import polls_of
from tui.views.hands import hands_of
from tui.views.timerows import Row
from tui.widgets.timeline_lines import DETAIL_LINES, HEAD_LINES, TimelineLines

# A row that grows more often than is seen would be sent over the line for nothing.
_GROW_MS = 1000
# What keys do to rows: where there are none they are grey.
_OF_ROWS = ("open", "fold", "fold_all", "follow", "copy", "outward", "inward")


class Timeline(TimelineLines):
    """The tasks of an execution as rows. The cursor stays with its task while rows come and go.

    What changes is told from outside: :meth:`show`, :meth:`apply`, and :meth:`tick` once a second.
    """

    HELP = """\
## Timeline

Each row is a task: `·` while it was queued, a bar while it ran. Below it are its attempts (`↻2`),
its polls, the branches and the iterations in it. The last line tells all about the cursor's row.

- `↑ ↓ j k g G PgUp PgDn` move, `Enter` opens the task, or the execution
  that it started
- `Space` or `z` folds what is below a row, `Z` everything; `h l` go up and down the tree
- `f` follows the newest task
- `y` copies the task's id
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="timeline.down", show=False,
                tooltip="One row down"),
        Binding("up,k", "move(-1)", "Up", id="timeline.up", show=False, tooltip="One row up"),
        Binding("pagedown", "page(1)", "Page", id="timeline.page_down", show=False,
                tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page", id="timeline.page_up", show=False,
                tooltip="A page up"),
        Binding("home,g", "edge(0)", "Top", id="timeline.top", show=False,
                tooltip="The first row"),
        Binding("end,G", "edge(-1)", "End", id="timeline.end", show=False,
                tooltip="The last row"),
        Binding("left,h", "outward", "Out", id="timeline.out", show=False,
                tooltip="To the row that this one hangs from"),
        Binding("right,l", "inward", "In", id="timeline.in", show=False,
                tooltip="To the first row below this one"),
        Binding("enter", "open", "Open", id="timeline.open", tooltip="Open the task"),
        Binding("space,z", "fold", "Fold", id="timeline.fold",
                tooltip="Fold what is below the row, or show it again"),
        Binding("Z", "fold_all", "Fold all", id="timeline.fold_all", show=False,
                tooltip="Fold everything, or show it again"),
        Binding("f", "follow", "Follow", id="timeline.follow",
                tooltip="Go to the newest task and stay with it"),
        Binding("y", "copy", "Copy id", id="timeline.copy", show=False,
                tooltip="Copy the task's id"),
    ]  # fmt: skip

    class TaskMessage(Message):
        """Something about a row's task.

        Attributes:
            task_id: The attempt; empty for an iteration.
            ref: The task's reference name, with its iteration's suffix.
            poll: The number of the poll, in the row of one; else 0.
        """

        def __init__(self, timeline: Timeline, row: Row) -> None:
            super().__init__()
            self.timeline = timeline
            self.task_id = row.node.task_id
            attempt = timeline.book.attempts.get(row.node.task_id)
            self.ref = attempt.ref if attempt else ""
            self.poll = row.node.poll

        @property
        def control(self) -> Timeline:
            return self.timeline

    class TaskSelected(TaskMessage):
        """The cursor is on another row."""

    class TaskOpened(TaskMessage):
        """A row was opened."""

    class FollowChanged(Message):
        """The timeline follows the newest task, or no longer."""

        def __init__(self, timeline: Timeline, following: bool) -> None:
            super().__init__()
            self.timeline = timeline
            self.following = following

        @property
        def control(self) -> Timeline:
            return self.timeline

    def __init__(self, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(ascii=ascii, id=id)
        self._cursor = ""
        self._has_rows = False

    # What changes

    def say(self, why_empty: str) -> None:
        """Say why there is no execution to show yet."""
        if why_empty != self.why_empty:
            self.why_empty = why_empty
            self._look()

    def show(
        self,
        state: pb.ExecutionState,
        tasks: Iterable[pb.TaskState],
        document: Mapping[str, Any] | None,
        now: float,
    ) -> None:
        """Show an execution from its beginning: another one, or the same read anew.

        Args:
            document: The execution's own, from ``GetExecution``, read from JSON; None: not known
                yet, tasks then stand one below the other.
            now: Epoch seconds.
        """
        self._now = int(now * 1000)
        self.book.replace(state, tasks, document)
        self._rows_changed()
        self._look()

    def apply(
        self, state: pb.ExecutionState | None, tasks: Iterable[pb.TaskState], now: float
    ) -> None:
        """Show what has changed: the attempts that are new or others now, the execution's state."""
        changed = list(tasks)
        ended = self.book.end
        if self.book.apply(state, changed):
            self._rows_changed()
        if changed or self.book.end != ended:
            self._now = int(now * 1000)
            self._look()
        else:
            self.tick(now)

    def add_told(self, document: Mapping[str, Any]) -> None:
        """Show what only the execution's own document tells: earlier polls, and who does what."""
        self.book.add_polls(polls_of(document))
        self.book.add_hands(hands_of(document))
        self._rows_changed()
        self._look()

    def tick(self, now: float) -> None:
        """Let what runs grow to ``now``, epoch seconds; it does so at most once a second."""
        milliseconds = int(now * 1000)
        if abs(milliseconds - self._now) >= _GROW_MS:
            self._now = milliseconds
            self._look()

    def select(self, task_id: str) -> bool:
        """Put the cursor on an attempt, unfolding what hides it; False: there is none."""
        self.book.open_to(task_id)
        index = self.book.shown_at(task_id)
        if index is None:
            return False
        self._rows_changed()
        self._put_cursor(self.book.shown_at(task_id) or index)
        return True

    def _rows_changed(self) -> None:
        height = len(self.book.rows) + HEAD_LINES + DETAIL_LINES
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.scrollable_content_region.width, height)
        if bool(self.book.rows) != self._has_rows:
            self._has_rows = bool(self.book.rows)
            self.refresh_bindings()
        newest = self.book.newest() if self.following else None
        if newest is not None:
            self._put_cursor(newest)
        else:
            self._keep_cursor()

    def _keep_cursor(self) -> None:
        """The cursor stays with its row, and that where it is on the screen; it may be gone."""
        index = self.book.place(self._cursor) if self._cursor else None
        if index is None:
            self._put_cursor(min(self._index, len(self.book.rows) - 1), scroll=False)
            return
        moved, self._index = index - self._index, index
        top = self.scroll_offset.y
        if moved and top > 0:
            self.scroll_to(y=max(0, top + moved), animate=False, force=True, immediate=True)

    # What is done with it

    def _put_cursor(self, index: int, scroll: bool = True) -> None:
        self._index = index = max(0, min(index, len(self.book.rows) - 1))
        row = self.row
        if row is None:
            self._cursor = ""
            return
        if scroll:
            self._scroll_to_row(index)
        if row.node.key != self._cursor:
            self._cursor = row.node.key
            self.post_message(self.TaskSelected(self, row))
        self._look()

    def _scroll_to_row(self, index: int) -> None:
        top = self.scroll_offset.y
        y = min(index, max(top, index - self.rows_shown + 1))
        if y != top:
            self.scroll_to(y=y, animate=False, force=True, immediate=True)

    def _go(self, index: int) -> None:
        """The cursor as it is moved by hand, which ends following."""
        if self.following:
            self.action_follow()
        self._put_cursor(index)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action in _OF_ROWS and not self.book.rows else True

    def action_move(self, by: int) -> None:
        self._go(self._index + by)

    def action_page(self, by: int) -> None:
        self._go(self._index + by * self.rows_shown)

    def action_edge(self, end: int) -> None:
        self._go(len(self.book.rows) - 1 if end else 0)

    def action_outward(self) -> None:
        place = self.book.place(self.row.above) if self.row else None
        if place is not None:
            self._go(place)

    def action_inward(self) -> None:
        row = self.row
        if row is None or not row.node.runs:
            return
        if row.folded:
            self.action_fold()
        self._go(self._index + 1)

    def action_open(self) -> None:
        if self.row:
            self.post_message(self.TaskOpened(self, self.row))

    def action_fold(self) -> None:
        row = self.row
        if row and not self.book.fold(row.node.key) and row.above:
            # In a leaf, what it stands in is meant.
            self.book.fold(row.above)
            self._cursor = row.above
        self._rows_changed()
        self._scroll_to_row(self._index)
        self._look()

    def action_fold_all(self) -> None:
        path = [self._cursor]
        while (place := self.book.place(path[-1])) is not None:
            path.append(self.book.rows[place].above)
        self.book.fold_all()
        self._cursor = next((key for key in path if self.book.place(key) is not None), "")
        self._rows_changed()
        self._scroll_to_row(self._index)
        self._look()

    def action_follow(self) -> None:
        self.following = not self.following
        self.post_message(self.FollowChanged(self, self.following))
        self._rows_changed()
        self._look()

    def action_copy(self) -> None:
        if self.row and self.row.node.task_id:
            self.app.copy_to_clipboard(self.row.node.task_id)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = self._row_at(offset.y) if offset else None
        if index is None:
            return
        event.stop()
        again = index == self._index and event.chain > 1
        self._go(index)
        if again:
            self.action_open()
