"""A drawing with a line below it that tells of the cursor's task, and a search: a graph's base."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.views.graph import moving
from tui.views.graph.drawing import Drawing
from tui.views.graph.overlay import Overlay
from tui.widgets.graph_pane import GraphPane
from tui.widgets.titles import as_line, as_title


class GraphViewer(Vertical):
    """Where one is in a drawing, and how tasks are found in it; :class:`FlowGraph` has the rest."""

    DEFAULT_CSS = """
    GraphViewer {
        height: 1fr;
        border: round $foreground 30%;
        border-title-color: $text-primary; border-subtitle-color: $foreground 70%;
        &:focus-within { border: round $border; }
        & > .graph-viewer--below { height: 1; color: $foreground 60%; text-wrap: nowrap; }
        & > Input { display: none; }
        &.-asking > Input { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="graph.search", priority=True,
                tooltip="Search refs and types as you type; enter stays, escape goes back"),
        Binding("n", "match(1)", "Next", show=False, id="graph.next-match",
                tooltip="Next match"),
        Binding("N", "match(-1)", "Previous", show=False, id="graph.previous-match",
                tooltip="Match before"),
    ]  # fmt: skip

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = as_title(title)
        self.pane = GraphPane()
        self._line = Static("", classes="graph-viewer--below", markup=False)
        self.wanted = ""
        self.said_at = ""
        self._origin = ""

    def compose(self) -> ComposeResult:
        yield self.pane
        yield self._line
        yield Input(select_on_focus=False, compact=True, placeholder="search")

    def focus(self, scroll_visible: bool = True) -> GraphViewer:
        """What takes the keys is inside."""
        self.pane.focus(scroll_visible)
        return self

    @property
    def drawing(self) -> Drawing | None:
        """What is drawn; None: nothing yet."""
        return self.pane.drawing

    @property
    def overlay(self) -> Overlay | None:
        """Where the execution stands; None: there is none."""
        return self.pane.overlay

    @property
    def cursor(self) -> str:
        """The key of the task under the cursor (its ref, where that is its own); empty: none."""
        return self.pane.cursor

    # What the graph does.

    def unfold(self, keys: set[str]) -> None:
        """Draw what is in the steps ``keys``."""
        raise NotImplementedError

    def tell(self) -> None:
        """Say where one is."""
        raise NotImplementedError

    def go(self, key: str) -> None:
        """Go where somebody has said."""
        raise NotImplementedError

    def reveal(self, key: str) -> None:
        """Go to a task that may be folded in others."""
        if self.drawing is None:
            return
        around = set(moving.path(self.drawing, key)[:-1])
        if key not in self.drawing.regions and around:
            self.unfold(around)
        self.go(moving.home_of(self.drawing, key) or self.cursor)

    def say(self, text: str) -> None:
        """Say something in the line below, until the cursor moves."""
        self.said_at = self.cursor
        self._line.update(as_line(text))

    # Searching.

    def action_search(self) -> None:
        """Ask what is searched."""
        self._origin = self.cursor
        self.add_class("-asking")
        asking = self.query_one(Input)
        with asking.prevent(Input.Changed):
            asking.value = ""
        # At once: the next key is for what is searched.
        self.screen.set_focus(asking)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Signs that ask are text in the answer; their bindings go first, as those of viewers."""
        return action != "search" or not self.has_class("-asking")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.wanted = event.value
        found = moving.find(self.drawing, self.wanted) if self.drawing and self.wanted else []
        self.pane.mark(found)
        self.reveal(found[0] if found else self._origin)
        self.say(self._matches(found, 0))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()

    def on_key(self, event: events.Key) -> None:
        """Escape ends a search, and while it is typed goes back to where it began."""
        if event.key == "escape" and (self.wanted or self.has_class("-asking")):
            event.stop()
            event.prevent_default()
            if self.has_class("-asking") and self._origin:
                self.reveal(self._origin)
            self.wanted = ""
            self.pane.mark(())
            self._close()
            self.tell()

    def _close(self) -> None:
        self.remove_class("-asking")
        self.pane.focus()

    def action_match(self, direction: int) -> None:
        """Go to the next match, or the one before."""
        if self.drawing is None or not self.wanted:
            self.say("Nothing is searched: / searches.")
            return
        found = moving.find(self.drawing, self.wanted)
        if not found:
            self.say(self._matches(found, 0))
            return
        here = found.index(self.cursor) if self.cursor in found else -1 if direction > 0 else 0
        index = (here + direction) % len(found)
        self.reveal(found[index])
        self.say(self._matches(found, index))

    def _matches(self, found: list[str], index: int) -> str:
        if not self.wanted:
            return ""
        if not found:
            return f"Nothing holds {self.wanted!r}."
        return f"{index + 1:,} of {len(found):,} with {self.wanted!r}"
