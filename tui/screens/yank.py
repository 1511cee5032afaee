"""What is to be copied: a menu of one key."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.views.yanking import CHOICES
from tui.widgets.tones import tone_style


class YankScreen(ModalScreen[str]):
    """Gives what of a row is copied, or nothing."""

    DEFAULT_CSS = """
    YankScreen { align: center bottom; background: $background 0%; }
    YankScreen Static {
        width: auto; height: auto; margin: 0 0 1 0; padding: 0 1;
        border: round $primary; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"choose('{name}')", name, id=f"yank.{name}", tooltip=f"Copy {text}")
            for key, name, text in CHOICES
        ),
        Binding("escape,q", "choose('')", "Leave", id="yank.leave", tooltip="Copy nothing"),
    ]

    def compose(self) -> ComposeResult:
        text = Text("\n").join(
            Text.assemble((key, tone_style(self.app, "accent", bold=True)), f"  {words}")
            for key, _, words in CHOICES
        )
        menu = Static(text, markup=False)
        menu.border_title = "Copy"
        yield menu

    def action_choose(self, name: str) -> None:
        self.dismiss(name)
