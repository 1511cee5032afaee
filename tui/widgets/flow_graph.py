"""A workflow as a drawing to move about in, with where an execution stands drawn over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from podium.executor.v1 import executor_pb2 as pb
from tui.views.graph import moving
from tui.views.graph.drawing import Drawing, lay_out
from tui.views.graph.listing import place, summary
from tui.views.graph.moving import Moves
from tui.views.graph.overlay import Overlay, grown
from tui.views.graph.plan import Plan, can_fold, read, shown
from tui.widgets.graph_pane import GraphPane
from tui.widgets.graph_viewer import GraphViewer
from tui.widgets.titles import as_title


class FlowGraph(GraphViewer):
    """Shows a workflow's document; cursor, folds and place stay by ref when another one comes.

    Args:
        title: Of the panel.
        ascii: Draw no other signs.
        following: Whether the cursor goes to the task that runs by itself.
    """

    HELP = """
    A workflow as it flows, from the top down. `✔ ● ✘` say where an execution stands in it, the
    coloured way which way it took, `↻2` how often a task was tried again.

    - `j` `k` or `↓` `↑` follow the flow, `h` `l` or `← →` go to what is beside; `g` `G` page keys
    - `enter` opens the task, at a double frame the execution that it started or, before it has,
      the workflow that it leads to
    - `z` folds the block, or the one around; `Z` folds or unfolds all
    - `f` follows the task that runs
    - `/` searches refs and types, folded ones too, `n` `N` go on
    - `y` copies the ref · drag, or the wheel (aside with `shift`), moves the drawing
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move('down')", "Down", show=False, id="graph.down",
                tooltip="To the task that follows"),
        Binding("k,up", "move('up')", "Up", show=False, id="graph.up",
                tooltip="To the task before"),
        Binding("h,left", "move('left')", "Left", show=False, id="graph.left",
                tooltip="To the task on the left"),
        Binding("l,right", "move('right')", "Right", show=False, id="graph.right",
                tooltip="To the task on the right"),
        Binding("g,home", "edge('first')", "First", show=False, id="graph.first",
                tooltip="To the first task"),
        Binding("G,end", "edge('last')", "Last", show=False, id="graph.last",
                tooltip="To the last task"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="graph.page-down",
                tooltip="A screen down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="graph.page-up",
                tooltip="A screen up"),
        Binding("enter", "open", "Open", id="graph.open",
                tooltip="Open the task, or what it leads to: an execution, a workflow"),
        Binding("z", "fold", "Fold", id="graph.fold",
                tooltip="Fold the block of this task, or unfold it"),
        Binding("Z", "fold_all", "Fold all", show=False, id="graph.fold-all",
                tooltip="Fold all blocks, or unfold them"),
        Binding("f", "follow", "Follow", id="graph.follow",
                tooltip="Go to the task that runs, and stay with it"),
        Binding("y", "copy", "Copy ref", show=False, id="graph.copy",
                tooltip="Copy the ref of the task"),
    ]  # fmt: skip

    @dataclass
    class TaskMessage(Message):
        """Something about a task.

        Attributes:
            ref: As the workflow has it, without the number of an iteration.
            iteration: That of its latest attempt; 0: it is in no loop, or was not reached.
        """

        graph: FlowGraph
        ref: str
        iteration: int = 0

        @property
        def control(self) -> FlowGraph:
            return self.graph

    class TaskSelected(TaskMessage):
        """The cursor is on another task."""

    class TaskOpened(TaskMessage):
        """Somebody wants to see more of a task."""

    @dataclass
    class WorkflowOpened(TaskMessage):
        """Somebody wants to see the workflow that a task leads to; version 0: the latest."""

        name: str = ""
        version: int = 0

    def __init__(
        self,
        title: str = "",
        *,
        ascii: bool = False,
        following: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(title, id=id)
        self.following = following
        self._ascii = ascii
        self._plan: Plan | None = None
        self._document: object = None
        self._moves: Moves | None = None
        self._folded: frozenset[str] = frozenset()
        self._opened: frozenset[str] = frozenset()
        self._faults: Mapping[str, str] = {}

    # What is shown.

    def show(
        self, document: object, overlay: Overlay | None = None, *, title: str | None = None
    ) -> None:
        """Show a workflow, and where an execution of it stands.

        Args:
            document: The workflow's document. It may be half-written.
            overlay: See :func:`tui.views.graph.overlay.of_states` and ``of_document``.
            title: Of the panel; None: as it is.
        """
        if title is not None:
            self.border_title = as_title(title)
        if self._plan is None or document is not self._document:
            self._plan, self._document = read(document), document
        self._lay_out(overlay)

    def apply(self, tasks: Iterable[pb.TaskState], status: str = "") -> None:
        """Show attempts that have changed since, and the execution's status where it has."""
        before = self.overlay or Overlay({})
        self.stand(before.changed(tasks, status))

    def stand(self, overlay: Overlay | None) -> None:
        """Show where the execution stands now; laid out anew only where it has made tasks."""
        drawing = self.drawing
        if drawing is None or self._plan is None:
            self.pane.overlay = overlay
            return
        was_live = self.overlay is not None
        if was_live != (overlay is not None) or grown(self._plan, overlay) != drawing.grown:
            self._lay_out(overlay)
        else:
            self.pane.restand(overlay)
            self._follow()
            self._tell_again()

    def go_to(self, ref: str) -> bool:
        """Put the cursor on the task ``ref``, unfolded; whether there is one."""
        if self.drawing is None or ref not in self.drawing.steps:
            return False
        self.reveal(ref)
        return True

    def show_faults(self, faults: Mapping[str, str]) -> None:
        """Mark what is wrong, by the path of its task in the document, with a sentence each."""
        self._faults = faults
        self._mark_faults()
        self.tell()

    def point_at(self, path: str) -> None:
        """Put the cursor on the task at ``path`` of the document, or on what it is folded in."""
        drawing = self.drawing
        key = self._key_of(path)
        if drawing is not None and key and (home := moving.home_of(drawing, key)) != self.cursor:
            self.go(home)

    @property
    def path_of_cursor(self) -> str:
        """Where in the document the task under the cursor stands; empty: nowhere."""
        step = self.drawing.steps.get(self.cursor) if self.drawing else None
        return step.path if step else ""

    def _key_of(self, path: str) -> str:
        steps = self.drawing.steps.items() if self.drawing else ()
        return next((key for key, step in steps if step.path == path), "")

    def _mark_faults(self) -> None:
        """A task that is folded is marked at what it is folded in."""
        drawing = self.drawing
        if drawing is None:
            return
        at_fault = [key for key, step in drawing.steps.items() if step.path in self._faults]
        self.pane.mark_faults({moving.home_of(drawing, key) or key for key in at_fault})

    def _lay_out(self, overlay: Overlay | None) -> None:
        if self._plan is None:
            return
        drawing = lay_out(
            self._plan, overlay, folded=self._folded, opened=self._opened, ascii=self._ascii
        )
        self._moves = Moves(drawing)
        cursor = self._still_there(drawing)
        self.pane.show(drawing, overlay, cursor)
        if self.wanted:
            self.pane.mark(moving.find(drawing, self.wanted))
        if self._faults or self.pane.faulty:
            self._mark_faults()
        self._follow()
        self.tell()
        if drawing.plan.faults:
            self.say(drawing.plan.faults[0])

    def _still_there(self, drawing: Drawing) -> str:
        """The task under the cursor, or what it is folded in now; else the first."""
        return moving.home_of(drawing, self.cursor) or next(iter(drawing.regions), "")

    def _follow(self) -> None:
        if self.following and self.drawing is not None and self.overlay is not None:
            runs = moving.running(self.drawing, self.overlay)
            if runs:
                self.pane.go(runs)

    # What is said of it.

    def tell(self) -> None:
        if self.drawing is not None:
            self._sum_up()
            fault = self._faults.get(self.path_of_cursor, "")
            self.say(fault or place(self.drawing, self.cursor, self.overlay))
            self.said_at = ""

    def _sum_up(self) -> None:
        """Say how many tasks stand where."""
        if self.drawing is not None:
            parts = (summary(self.drawing, self.overlay), "following" if self.following else "")
            self.border_subtitle = Content("  ".join(part for part in parts if part))

    def _tell_again(self) -> None:
        """As :meth:`tell`, unless something else is said of the task under the cursor."""
        if self.said_at and self.said_at == self.cursor:
            self._sum_up()
        else:
            self.tell()

    @on(GraphPane.CursorMoved)
    def _moved(self, event: GraphPane.CursorMoved) -> None:
        event.stop()
        if event.by_hand:
            self.following = False
        self._tell_again()
        if event.key:
            self.post_message(self.TaskSelected(self, *self._told_of(event.key)))

    @on(GraphPane.TaskPressed)
    def _pressed(self, event: GraphPane.TaskPressed) -> None:
        event.stop()
        self.action_open()

    def _told_of(self, key: str) -> tuple[str, int]:
        """The ref and the iteration of a task, as messages tell them."""
        step = self.drawing.steps.get(key) if self.drawing else None
        attempt = self.overlay.attempts.get(key) if self.overlay else None
        return step.ref if step else "", attempt.iteration if attempt else 0

    # What the keys do.

    def go(self, key: str) -> None:
        """Go where somebody has said, and stay there."""
        self.following = False
        self.pane.go(key)
        self.tell()

    def action_move(self, direction: str) -> None:
        """Go to the next task in a direction."""
        if self._moves is not None:
            self.go(self._moves.to(self.cursor, direction))

    def action_edge(self, which: str) -> None:
        """Go to the first task, or the last."""
        if self._moves is not None:
            self.go(self._moves.first() if which == "first" else self._moves.last())

    def action_page(self, direction: int) -> None:
        """Go a screen up or down."""
        here = self.pane.region_of_cursor
        if here is None or self.drawing is None:
            return
        y = here.y + direction * max(1, self.pane.room.height - 2)
        self.go(moving.near(self.drawing, here.x + here.width // 2, y))

    def action_open(self) -> None:
        """Open the task, or the workflow that it leads to."""
        region = self.pane.region_of_cursor
        if region is None:
            return
        ref, iteration = self._told_of(region.key)
        if region.step.opens:
            name, version = region.step.opens
            self.post_message(self.WorkflowOpened(self, ref, iteration, name=name, version=version))
        else:
            self.post_message(self.TaskOpened(self, ref, iteration))

    def action_fold(self) -> None:
        """Fold the block of the task, or the one around it; unfold what is folded."""
        region, drawing = self.pane.region_of_cursor, self.drawing
        if region is None or drawing is None:
            return
        step = region.step if can_fold(region.step) else drawing.steps.get(region.parent)
        if step is None:
            self.say("There is no block here.")
        elif drawing.composing.is_folded(step):
            self._fold(self._folded - {step.key}, self._opened | {step.key})
        else:
            self._fold(self._folded | {step.key}, self._opened - {step.key})

    def action_fold_all(self) -> None:
        """Fold all blocks, or unfold them where any is folded."""
        if self._plan is not None:
            all_of_them = frozenset(self._plan.foldable)
            self._fold(frozenset() if self._folded else all_of_them, frozenset())

    def unfold(self, keys: set[str]) -> None:
        self._fold(self._folded - keys, self._opened | keys)

    def _fold(self, folded: frozenset[str], opened: frozenset[str]) -> None:
        self._folded, self._opened = folded, opened
        self._lay_out(self.overlay)

    def action_follow(self) -> None:
        """Go to the task that runs and stay with it, or do so no more."""
        self.following = not self.following
        self._follow()
        self.tell()

    def action_copy(self) -> None:
        """Copy the ref of the task."""
        region = self.pane.region_of_cursor
        if region is not None:
            self.app.copy_to_clipboard(region.step.ref)
            self.say(f"Copied {shown(region.step.ref)}.")
