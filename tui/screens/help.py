"""Help on what has the focus: what it shows, and every key that does something there."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Markdown, Static

from tui.screens.acting import ActingPane
from tui.widgets.tones import tone_style


class HelpScreen(ModalScreen[None]):
    """A page that is left by any of the keys that leave things."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 90%; max-width: 92; height: auto; max-height: 90%; padding: 0 1;
        border: round $primary; background: $surface;
    }
    HelpScreen Markdown { background: $surface; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", id="help.close",
                tooltip="Leave the help"),
        Binding("j", "scroll_by(1)", "Down", id="help.down", show=False, tooltip="A line down"),
        Binding("k", "scroll_by(-1)", "Up", id="help.up", show=False, tooltip="A line up"),
    ]  # fmt: skip

    def __init__(self, below: Screen[object]) -> None:
        """Help on the screen ``below``."""
        super().__init__()
        self._texts = help_of(below.focused)
        self._keys = _keys_of(below)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes · :keys lists all keys"
            yield Markdown("\n\n".join(self._texts), open_links=False)
            yield Static(self._table(), markup=False)

    def _table(self) -> Text:
        width = max((cell_len(shown) for shown, _, _, _ in self._keys), default=0)
        text = Text()
        for shown, does, id_, enabled in self._keys:
            tone = "text" if enabled else "muted"
            text.append(shown.ljust(width), tone_style(self.app, "accent", bold=enabled))
            text.append(f"  {does}", tone_style(self.app, tone))
            text.append(f"  {id_}\n", tone_style(self.app, "muted"))
        return text

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll_by(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def help_of(focused: Widget | None) -> list[str]:
    """Markdown on a widget and on the place that it is in, from the inside out."""
    texts: list[str] = []
    for node in focused.ancestors_with_self if focused is not None else ():
        text = getattr(node, "HELP", None)
        if isinstance(text, str) and text not in texts:
            texts.append(text)
        if isinstance(node, ActingPane):
            texts.append(node.resource.help)
    return texts


def _keys_of(screen: Screen[object]) -> list[tuple[str, str, str, bool]]:
    """(keys, what they do, the binding's id, whether it does something now)."""
    found: dict[tuple[str, str], tuple[list[str], bool]] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if binding.system or not binding.id:
            continue
        does = binding.tooltip or binding.description
        keys, was = found.get((does, binding.id), ([], False))
        keys.append(screen.app.get_key_display(binding))
        found[does, binding.id] = keys, was or enabled
    return [(" ".join(keys), does, id_, enabled) for (does, id_), (keys, enabled) in found.items()]
