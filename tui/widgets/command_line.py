"""The line that ``:`` and ``/`` open: it completes what is typed, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from services.query import Completion
from tui.views.commands import applied, ghost
from tui.views.visible import in_one_line, visible
from tui.widgets.tones import tone_style

MOST_SHOWN = 6
Completer = Callable[[str, int], Sequence[Completion]]
Check = Callable[[str], str]


class Candidates(Static):
    """What may stand at the cursor, above the line; or what is wrong with the line."""

    DEFAULT_CSS = """
    Candidates {
        layer: popup; dock: bottom; margin: 0 0 2 0; height: auto; max-height: 8; padding: 0 1;
        background: $panel; color: $foreground; display: none;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.candidates: Sequence[Completion] = ()
        self.at = 0
        self.fault = ""

    def show(self, candidates: Sequence[Completion], fault: str) -> None:
        """Show these, or hide where there are none."""
        self.candidates, self.at, self.fault = candidates, 0, fault
        self._draw()

    def step(self, by: int) -> None:
        """Highlight another one."""
        if self.candidates:
            self.at = (self.at + by) % len(self.candidates)
            self._draw()

    @property
    def top(self) -> int:
        """Which of them is shown first."""
        return max(0, min(self.at - MOST_SHOWN + 1, len(self.candidates) - MOST_SHOWN))

    def _draw(self) -> None:
        self.display = bool(self.candidates or self.fault)
        if not self.display:
            return
        text = Text(no_wrap=True, overflow="ellipsis")
        if self.fault:
            text.append(in_one_line(self.fault), tone_style(self.app, "error"))
        shown = self.candidates[self.top : self.top + MOST_SHOWN]
        width = max((len(each.text) for each in shown), default=0)
        for number, each in enumerate(shown, self.top):
            text.append("\n" if text else "")
            style = tone_style(self.app, "accent", bold=True) if number == self.at else ""
            mark = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} " if number == self.at else "  "
            text.append(mark + in_one_line(each.text).ljust(width), style)
            text.append(f"  {in_one_line(each.hint)}", tone_style(self.app, "muted"))
        if (more := len(self.candidates) - MOST_SHOWN - self.top) > 0:
            text.append(f"\n  {more} more", tone_style(self.app, "muted"))
        self.update(text)


class _Ghost(Suggester):
    def __init__(self, line: CommandLine) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._line = line

    async def get_suggestion(self, value: str) -> str | None:
        return ghost(value, self._line.candidates_of(value)) or None


class _Field(Input):
    """An input whose Enter holds for what was typed before it, however fast it came."""

    def __init__(self, line: CommandLine) -> None:
        super().__init__(id="command-input", select_on_focus=False, suggester=_Ghost(line))
        self._line = line

    def validate_value(self, value: str) -> str:
        """What is completed, recalled or pasted may hold what a terminal would obey."""
        return visible(value)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter" or not self._line.is_open:
            # As a binding it would come after letters that were typed behind it.
            event.stop()
            event.prevent_default()
            self._line.enter()


class CommandLine(Horizontal):
    """An input with a sign before it; hidden until it is opened. The screen has its popup."""

    HELP = """\
## Command line and filter

`:` takes a place (`executions status:failed`, `workflows/order`), `@context`, or a command;
`/` filters the list as you type.

- `Tab` or `→` takes what is offered, `Shift+Tab` goes to the next offer
- `↑ ↓` bring back what was typed before
- `Enter` does it, with what is highlighted where it is not yet a command
- `Esc` leaves the line as if nothing was typed
"""

    DEFAULT_CSS = """
    CommandLine { height: 1; }
    CommandLine Label { width: 2; color: $accent; text-style: bold; }
    CommandLine Input { border: none; height: 1; padding: 0; background: $surface; }
    CommandLine Input:focus { border: none; }
    CommandLine.-fault Input { color: $text-error; }
    CommandLine.-fault Label { color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="command.leave", tooltip="Leave the line"),
        Binding("tab", "take", "Take", id="command.take", tooltip="Take what is offered"),
        Binding("shift+tab", "offer(1)", "Next offer", id="command.next_offer",
                tooltip="Go to the next offer"),
        Binding("up", "recall(-1)", "Earlier", id="command.earlier", show=False,
                tooltip="What was typed before"),
        Binding("down", "recall(1)", "Later", id="command.later", show=False,
                tooltip="What was typed after it"),
    ]  # fmt: skip

    class Typed(Message):
        """The text has changed."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Entered(Message):
        """The text is complete."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Left(Message):
        """The line was left; what it was opened with holds."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    def __init__(self, popup: Candidates) -> None:
        super().__init__()
        self.sign = ":"
        self._popup = popup
        self._before = ""
        self._complete: Completer = lambda text, cursor: ()
        self._check: Check = lambda text: ""
        self._history: Sequence[str] = ()
        self._at = 0
        self._typed = ""

    def compose(self) -> ComposeResult:
        self.display = False
        yield Label(":", markup=False)
        yield _Field(self)

    def open(
        self, sign: str, text: str, complete: Completer, check: Check, history: Sequence[str]
    ) -> None:
        """Show it, with ``text`` in it, and take the focus.

        Args:
            check: What is wrong with a text, empty for nothing: such a text is not entered.
            history: What was typed before, the newest last.
        """
        self.sign, self._before = sign, text
        self._complete, self._check, self._history = complete, check, history
        self._at, self._typed = len(history), text
        self.query_one(Label).update(sign)
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.display = True
        self._offer(text)
        # At once: the next key is for the line.
        self.screen.set_focus(line)

    def close(self) -> None:
        """Hide it."""
        self.display = False
        self._popup.show((), "")

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.query_one(Input).value

    def candidates_of(self, text: str) -> Sequence[Completion]:
        """What may stand at the end of ``text``."""
        return self._complete(text, len(text)) if self.is_open else ()

    def _offer(self, text: str, fault: str = "") -> None:
        cursor = self.query_one(Input).cursor_position
        # An empty filter wants no list of all that could be written.
        found = self._complete(text, min(cursor, len(text))) if text or self.sign == ":" else ()
        self.set_class(bool(fault), "-fault")
        self._popup.show(found, fault)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if not self.is_open:
            return
        # While a command is typed it is mostly none yet; a filter is one with every key.
        fault = self._check(message.value) if self.sign == "/" else ""
        self._offer(message.value, fault)
        self.post_message(self.Typed(self.sign, message.value))

    def enter(self) -> None:
        """What stands in it is complete, unless something is wrong with it."""
        if not self.is_open:
            return
        if self.sign == ":" and self._check(self.text):
            self._take_offered()
        if fault := self._check(self.text):
            self._offer(self.text, fault)
            return
        self.close()
        self.post_message(self.Entered(self.sign, self.text))

    def _take_offered(self) -> None:
        """Have the highlighted offer, where it makes a command of what is none."""
        popup, line = self._popup, self.query_one(Input)
        found = self._complete(line.value, line.cursor_position)
        if not found:
            return
        # What is shown may be of before the last letters.
        at = popup.at if found == popup.candidates else 0
        value, cursor = applied(line.value, found[at])
        if not self._check(value):
            line.value, line.cursor_position = value, cursor

    def on_click(self, event: events.Click) -> None:
        self.query_one(Input).focus()

    def action_leave(self) -> None:
        self.close()
        self.post_message(self.Left(self.sign, self._before))

    def action_take(self) -> None:
        popup, line = self._popup, self.query_one(Input)
        if popup.candidates:
            value, cursor = applied(line.value, popup.candidates[popup.at])
            line.value = value
            line.cursor_position = cursor

    def action_offer(self, by: int) -> None:
        self._popup.step(by)

    def action_recall(self, by: int) -> None:
        if self._at == len(self._history):
            self._typed = self.text
        self._at = min(max(0, self._at + by), len(self._history))
        text = self._history[self._at] if self._at < len(self._history) else self._typed
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)
