"""The keys that do something now, in one line; a click on one presses it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static

from tui.views.key_hints import GAP, KeyHint, fit
from tui.widgets.tones import tone_style

STAY = frozenset(("console.command", "console.filter", "console.help"))


class KeyBar(Static):
    """One line; what is not possible at this moment is dim."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; text-wrap: nowrap; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._hints: list[KeyHint] = []
        self._shown: list[KeyHint] | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw(anew=True))

    def on_resize(self) -> None:
        self._draw()

    def _changed(self, screen: Screen[object]) -> None:
        self._hints = []
        actions: set[str] = set()
        for key, (node, binding, enabled, _) in self.screen.active_bindings.items():
            title = _title(node, binding)
            # Two keys of the same words do the same: the nearer one is named.
            if not binding.show or actions & {binding.action, title}:
                continue
            actions |= {binding.action, title}
            shown = self.app.get_key_display(binding)
            stays = binding.id in STAY
            self._hints.append(KeyHint(key, shown, title, enabled, stays))
        self._draw()

    def _draw(self, anew: bool = False) -> None:
        shown = fit(self._hints, self.content_size.width)
        if shown == self._shown and not anew:
            return
        self._shown = shown
        text = Text(no_wrap=True, overflow="ellipsis")
        for hint in shown:
            tone = "accent" if hint.enabled else "muted"
            text.append(hint.shown, tone_style(self.app, tone, bold=hint.enabled))
            text.append(f" {hint.title}", tone_style(self.app, "text" if hint.enabled else "muted"))
            text.append(" " * GAP)
        self.update(text, layout=False)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        for hint in self._shown or ():
            if 0 <= x < hint.width:
                self.app.simulate_key(hint.key)
                return
            x -= hint.width


def _title(node: DOMNode, binding: Binding) -> str:
    """What a key does, in words: a part may have others for it than all of its kind."""
    titles: Mapping[str, str] = getattr(node, "key_titles", {})
    return titles.get(binding.id or "", binding.description)
