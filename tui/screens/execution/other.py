"""Which execution another one is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.views.visible import in_one_line

SUCCESS, BEFORE = "success", "before"


class OtherScreen(ModalScreen[str]):
    """Gives ``success``, ``before``, an execution's id, or nothing: it stays as it is."""

    HELP = """\
## Compare with

- the last one of the same workflow that completed before, or the run before, however it ended
- a row that is marked in `:executions`
- any other: its id, typed or pasted into the field
"""
    DEFAULT_CSS = """
    OtherScreen { align: center middle; }
    OtherScreen #dialog {
        width: 90%; max-width: 76; height: auto; padding: 0 1; border: round $primary;
        background: $surface;
    }
    OtherScreen OptionList { height: auto; max-height: 10; border: none; padding: 0; }
    OtherScreen Input { border: none; height: 1; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="other.leave", tooltip="Leave it as it is"),
    ]

    def __init__(self, marked: Sequence[tuple[str, str]]) -> None:
        """``marked`` are ids and how their executions are called."""
        super().__init__()
        self._marked = marked

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Compare with"
            options = [
                Option("the last one that completed before", id=f"={SUCCESS}"),
                Option("the run before, however it ended", id=f"={BEFORE}"),
                *(Option(f"marked: {in_one_line(label)}", id=id_) for id_, label in self._marked),
            ]
            yield OptionList(*options, markup=False)
            yield Static("or the execution with the id", markup=False)
            yield Input(id="id", select_on_focus=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.dismiss((message.option_id or "").removeprefix("="))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.dismiss(message.value.strip())

    def action_leave(self) -> None:
        self.dismiss("")
