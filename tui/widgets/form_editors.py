"""What lies over a form's row while its value is typed or picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.views.forms.cells import matching
from tui.views.visible import in_one_line
from tui.widgets.ordered_keys import focus_at_once

MOST_OFFERED = 200
_LINES = 8
_CREATE = "create new…"
_LEAST_CELLS = 24


# Called at once, where a message would come after keys that are for what comes then: with what
# was typed (None: nothing is to be changed), and by how many fields to go on (0: it stays).
Leave = Callable[[str | None, int], None]


class FieldInput(Input):
    """A line in which one value is typed."""

    HELP = """\
## A value

- `Enter` keeps it, `Tab` keeps it and goes on to the next field, `Esc` leaves it as it was
"""
    DEFAULT_CSS = """
    FieldInput { position: absolute; layer: over; border: none; height: 1; padding: 0; }
    FieldInput:focus { border: none; background: $boost; }
    FieldInput:ansi { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="field.leave", tooltip="Leave it as it was"),
        Binding("tab", "go(1)", "Next", id="field.next", tooltip="Keep it, go to the next field"),
        Binding("shift+tab", "go(-1)", "Previous", id="field.previous", show=False,
                tooltip="Keep it, go to the field before"),
        Binding("down", "go(1)", "Next", id="field.down", show=False,
                tooltip="Keep it, go to the next field"),
        Binding("up", "go(-1)", "Previous", id="field.up", show=False,
                tooltip="Keep it, go to the field before"),
    ]  # fmt: skip

    def __init__(self, text: str, leave: Leave, *, password: bool = False) -> None:
        super().__init__(text, compact=True, password=password)
        self._leave = leave

    async def action_submit(self) -> None:
        self._leave(self.value, 0)

    def action_leave(self) -> None:
        self._leave(None, 0)

    def action_go(self, by: int) -> None:
        self._leave(self.value, by)


class _PickerInput(Input):
    """What is typed of a name."""

    def __init__(self, placeholder: str, take: Callable[[int], None]) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._take = take

    async def action_submit(self) -> None:
        self._take(0)


class Picker(Vertical, can_focus=True):
    """A value is picked from a list, which shrinks while some of it is typed.

    Args:
        free: Whether what is typed may be none of the list.
        create: What is done where something new is to be created; None: nothing can be.
    """

    HELP = """\
## Pick a value

- Type some of it; `↑ ↓` choose, `Enter` takes it, `Esc` leaves what there was
"""
    DEFAULT_CSS = """
    Picker { position: absolute; layer: over; height: auto; background: $panel; }
    Picker > Input { border: none; height: 1; padding: 0; }
    Picker > Input:focus { border: none; background: $boost; }
    Picker > OptionList { border: none; height: auto; max-height: 8; padding: 0; }
    Picker > OptionList:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="picker.leave", tooltip="Leave what there was"),
        Binding("down", "choose(1)", "Down", id="picker.down", show=False, tooltip="One further"),
        Binding("up", "choose(-1)", "Up", id="picker.up", show=False, tooltip="One back"),
        Binding("tab", "take(1)", "Next", id="picker.next", show=False,
                tooltip="Take it, go to the next field"),
        Binding("shift+tab", "take(-1)", "Previous", id="picker.previous", show=False,
                tooltip="Take it, go to the field before"),
    ]  # fmt: skip

    def __init__(
        self,
        names: Sequence[str],
        value: str,
        leave: Leave,
        *,
        free: bool = False,
        create: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._names = names
        self._value = value
        self._leave = leave
        self._free = free
        self._create = create
        self._shown: list[str] = []
        self._listed = ""
        self._input = _PickerInput(in_one_line(value) or "type some of it", self.action_take)
        self._options = OptionList(compact=True, markup=False)
        self._options.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._input
        yield self._options

    def on_mount(self) -> None:
        if not self._input.is_attached:
            # It was closed before it was there.
            return
        self._list("")
        self.on_focus()

    def on_focus(self) -> None:
        if self.app.focused is self and self._input.is_attached:
            focus_at_once(self._input)

    @property
    def typed(self) -> str:
        return self._input.value

    def lines_needed(self) -> int:
        """How many lines it takes, at most."""
        return 1 + min(_LINES, len(self._names) + (self._create is not None))

    def _list(self, typed: str) -> None:
        options, self._listed = self._options, typed
        self._shown = matching(self._names, typed, MOST_OFFERED)
        if self._free and (own := typed.strip()) and own not in self._shown:
            self._shown.append(own)
        options.clear_options()
        options.add_options(Option(Content(in_one_line(each))) for each in self._shown)
        if self._create is not None:
            options.add_option(Option(_CREATE))
        current = self._value if not typed else ""
        if self._shown:
            options.highlighted = self._shown.index(current) if current in self._shown else 0
        elif self._create is not None and not typed:
            options.highlighted = 0

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._catch_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._options.highlighted = event.option_index
        self.action_take(0)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()

    def action_choose(self, by: int) -> None:
        self._catch_up()
        if by > 0:
            self._options.action_cursor_down()
        else:
            self._options.action_cursor_up()

    def action_take(self, go: int) -> None:
        self._catch_up()
        at = self._options.highlighted
        if at is not None and at < len(self._shown):
            self._leave(self._shown[at], go)
        elif at is not None and self._create is not None:
            self._create()
        elif not self.typed:
            self._leave(None, go)

    def _catch_up(self) -> None:
        """The list is for what is typed by now: it hears of that a moment later."""
        if self._listed != self.typed:
            self._list(self.typed)

    def action_leave(self) -> None:
        self._leave(None, 0)

    def on_click(self, event: events.Click) -> None:
        event.stop()


def place_over(editor: Widget, at: Region, room: Region, lines: int) -> None:
    """Lay ``editor`` over the value ``at``, within ``room``; upwards where below is too little."""
    width = min(max(at.width, _LEAST_CELLS), room.width)
    height = min(lines, room.height)
    x = min(at.x, room.width - width)
    y = at.y if at.y + height <= room.height else max(0, room.height - height)
    editor.styles.width = width
    editor.styles.offset = (x, y)
