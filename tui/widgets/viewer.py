"""A panel of lines that is searched, wrapped, numbered, copied and paged: every viewer's base."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.views.lines import MOST_MATCHES, Searching
from tui.views.yanking import MOST_COPIED
from tui.widgets.line_pane import LinePane
from tui.widgets.outside import page
from tui.widgets.titles import as_line, as_title
from tui.widgets.working import begin

# Terminals take less, some a lot less.
# More is searched, or read, beside the loop.
LARGE = 2_000_000

Asked = Literal["", "search", "jump"]
Choices = Mapping[str, tuple[str, Callable[[], None]]]


class Viewer(Vertical):
    """Lines, a line below them that says where one is, and what is asked for there."""

    DEFAULT_CSS = """
    Viewer {
        height: 1fr;
        border: round $foreground 30%;
        border-title-color: $text-primary; border-subtitle-color: $foreground 70%;
        &:focus-within { border: round $border; }
        & > .viewer--below { height: 1; color: $foreground 60%; text-wrap: nowrap; }
        & > Input { display: none; }
        &.-asking > Input { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('search')", "Search", id="viewer.search", priority=True,
                tooltip="Search as you type; enter stays, escape goes back"),
        Binding("n", "match(1)", "Next", show=False, id="viewer.next-match",
                tooltip="Next match"),
        Binding("N", "match(-1)", "Previous", show=False, id="viewer.previous-match",
                tooltip="Match before"),
        Binding("y", "yank", "Copy", id="viewer.copy", tooltip="Copy: a second key says what"),
        Binding("v", "page", "Pager", show=False, id="viewer.page",
                tooltip="Open all of it in $PAGER"),
        Binding("W", "wrap", "Wrap", show=False, id="viewer.wrap",
                tooltip="Wrap long lines, or do not"),
        Binding("L", "number", "Numbers", show=False, id="viewer.numbers",
                tooltip="Show the numbers of lines, or do not"),
    ]  # fmt: skip
    suffix: ClassVar[str] = ".txt"

    @dataclass
    class Copied(Message):
        """Something was copied; ``what`` is e.g. ``path``."""

        viewer: Viewer
        what: str
        text: str

        @property
        def control(self) -> Viewer:
            return self.viewer

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = as_title(title)
        self.pane = LinePane()
        self._line = Static("", classes="viewer--below", markup=False)
        self.searching: Searching | None = None
        self._asked: Asked = ""
        self._origin = 0
        self._told_at = -1
        self._choices: Choices = {}
        # What an owner lets be copied besides.
        self.more_copies: Choices = {}

    def compose(self) -> ComposeResult:
        yield self.pane
        yield self._line
        yield Input(select_on_focus=False, compact=True)

    def focus(self, scroll_visible: bool = True) -> Viewer:
        """What takes the keys is inside."""
        self.pane.focus(scroll_visible)
        return self

    # What the viewers say of themselves.

    def whole(self) -> str:
        """All of it, as it is copied and paged."""
        raise NotImplementedError

    def place(self) -> str:
        """Where the cursor is, for the line below."""
        raise NotImplementedError

    def search(self, wanted: str) -> Searching:
        """Every place of ``wanted``; it may be called beside the loop."""
        raise NotImplementedError

    def is_large(self) -> bool:
        """Whether a search takes so long that the screen would stand still."""
        return False

    def copies(self) -> Choices:
        """What ``y`` and a second key copy: the key, what that is, and the deed."""
        return {"y": ("all", lambda: self.copy("all", self.whole()))}

    def jump(self, text: str) -> str:
        """Go where ``text`` says; what was wrong with it, or nothing."""
        if not text.strip().isdecimal():
            return f"{text} is no number of a line."
        self.pane.go(int(text) - 1)
        return ""

    # What they share.

    def tell(self, text: str) -> None:
        """Say something in the line below, until the cursor moves."""
        self._told_at = self.pane.cursor
        self._line.update(as_line(text))

    def copy(self, what: str, text: str) -> None:
        """Copy ``text`` and say so."""
        if len(text) > MOST_COPIED:
            self.tell(f"{len(text):,} characters are too many to copy; v opens them in a pager.")
            return
        self.app.copy_to_clipboard(text)
        self.post_message(self.Copied(self, what, text))
        self.tell(f"Copied {what}: {len(text):,} characters.")

    def choose(self, title: str, choices: Choices) -> None:
        """Let the next key choose."""
        self._choices = choices
        offered = "   ".join(f"{key} {what}" for key, (what, _) in choices.items())
        self.tell(f"{title}: {offered}   esc nothing")

    def on_key(self, event: events.Key) -> None:
        """The second key of two, and escape."""
        if self._choices:
            event.stop()
            event.prevent_default()
            chosen, self._choices = self._choices.get(event.character or ""), {}
            self._tell_place()
            if chosen is not None:
                chosen[1]()
        elif event.key == "escape" and (self._asked or self.searching is not None):
            event.stop()
            event.prevent_default()
            self._end_search()

    def on_descendant_blur(self) -> None:
        """Who goes elsewhere has chosen nothing."""
        if self._choices:
            self._choices = {}
            self._tell_place()

    @on(LinePane.CursorMoved)
    def _moved(self, event: LinePane.CursorMoved) -> None:
        event.stop()
        if not self._choices and event.line != self._told_at:
            self._tell_place()

    def action_ask(self, what: Asked) -> None:
        """Ask for what is searched, or where to go."""
        self._asked, self._origin = what, self.pane.cursor
        self.add_class("-asking")
        asking = self.query_one(Input)
        with asking.prevent(Input.Changed):
            asking.value = ""
        asking.placeholder = self._question(what)
        # At once: the next key is for what is asked.
        self.screen.set_focus(asking)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Signs that ask something are text in the answer, and may be the second key of two.

        Their bindings go first (priority): what is typed right behind a sign is for the answer.
        """
        return action != "ask" or not (self._asked or self._choices)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._asked == "search":
            self.find(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        asked = self._asked
        self._close()
        if asked == "jump" and event.value.strip():
            self.tell(self.jump(event.value.strip()) or self.place())

    def find(self, wanted: str) -> None:
        """Search ``wanted`` and go to the first match from where one was."""
        if wanted and self.is_large():
            self.tell(f"Searching {wanted!r}…")
            begin(self, partial(self._find_beside, wanted), "search", exclusive=True)
        else:
            self.workers.cancel_group(self, "search")
            self._found(self.search(wanted) if wanted else None)

    def action_match(self, direction: int) -> None:
        """Go to the next match, or the one before."""
        found = self.searching
        if found is None or not found.count:
            self.tell("Nothing is searched: / searches." if found is None else self._matches())
            return
        row = self.pane.cursor
        self._go_to(found.after(row) if direction > 0 else found.before(row))

    def action_yank(self) -> None:
        """Ask what is to be copied."""
        self.choose("copy", {**self.copies(), **self.more_copies})

    def action_page(self) -> None:
        """Lend the terminal to the pager."""
        self.tell(page(self.app, self.whole(), self.suffix) or self.place())

    def action_wrap(self) -> None:
        """Wrap long lines, or let them go on to the right."""
        self.pane.set_wrap(not self.pane.wrapped)

    def action_number(self) -> None:
        """Show the numbers of lines, or none."""
        self.pane.set_numbers(not self.pane.numbered)

    def search_again(self) -> None:
        """Search the same in what is shown now, and stay where one is."""
        # What is still found is found in what was shown before.
        self.workers.cancel_group(self, "search")
        if self.searching is not None:
            wanted, self.searching = self.searching.wanted, None
            if self.is_large():
                self.pane.highlight("")
            else:
                self.searching = self.search(wanted)

    async def _find_beside(self, wanted: str) -> None:
        self._found(await asyncio.to_thread(self.search, wanted))

    def _found(self, found: Searching | None) -> None:
        self.searching = found
        self.pane.highlight(found.wanted if found else "")
        if found is not None and found.count:
            self._go_to(found.at(self._origin))
        else:
            self.pane.go(self._origin)
            self.tell(self._matches() if found else self.place())

    def _go_to(self, place: int) -> None:
        if self.searching is not None:
            self.shown(self.searching.line(place))
            self.tell(self._matches(place))

    def shown(self, line: int) -> None:
        """Go to a line that a search found, which may have been unfolded for it."""
        self.pane.go(line)

    def _matches(self, place: int | None = None) -> str:
        found = self.searching
        if found is None:
            return self.place()
        many = f"{found.count:,}{'+' if found.count >= MOST_MATCHES else ''}"
        if not found.count:
            return f"Nothing holds {found.wanted!r}."
        where = f"{place + 1:,} of {many}" if place is not None else many
        return f"{where} with {found.wanted!r}   {self.place()}"

    def _question(self, what: Asked) -> str:
        return "search" if what == "search" else "the number of a line"

    def _end_search(self) -> None:
        """Forget what was searched; while it is typed, go back."""
        if self._asked:
            self.pane.go(self._origin)
        self._close()
        self.searching = None
        self.pane.highlight("")
        self._tell_place()

    def _close(self) -> None:
        self._asked = ""
        self.remove_class("-asking")
        self.pane.focus()

    def _tell_place(self) -> None:
        self.tell(self.place())
