"""The line on top: which suite this is, how the lines to it stand, and how old the data is."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.color import Color, ColorParseError
from textual.widgets import Static

from tui.live.link import Link, LinkState
from tui.settings import Context
from tui.widgets.tones import tone_style

_LOOKS = {
    LinkState.CONNECTING: ("○", "primary"),
    LinkState.SYNCING: ("◐", "primary"),
    LinkState.LIVE: ("●", "success"),
    LinkState.STALE: ("◌", "warning"),
    LinkState.RECONNECTING: ("○", "warning"),
    LinkState.AUTH: ("✘", "error"),
}


class LinkBar(Static):
    """One line about the suite and the lines to it."""

    DEFAULT_CSS = """
    LinkBar { height: 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._shown: tuple[object, ...] = ()

    def show(self, context: Context, read_only: bool, link: Link, vitals: str, now: float) -> None:
        """Say how things stand; ``now`` is on the monotonic clock."""
        words = _words(link, now)
        wanted = (context.name, read_only, link.state, words, vitals, self.app.theme)
        if wanted == self._shown:
            return
        self._shown = wanted
        glyph, tone = _LOOKS[link.state]
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f" {context.name} ", self._context_style(context.color))
        text.append(f"{glyph} {link.state}", tone_style(self.app, tone, bold=True))
        text.append(f" {words}" if words else "", tone_style(self.app, tone))
        text.append("  RO" if read_only else "", tone_style(self.app, "warning", bold=True))
        text.append(f"  {vitals}")
        self.update(text)

    def _context_style(self, color: str) -> Style:
        """That of the settings: it tells a suite from another at a glance."""
        try:
            return Style(bgcolor=Color.parse(color).rich_color, color="black", bold=True)
        except ColorParseError:
            return tone_style(self.app, "accent", bold=True)


def _words(link: Link, now: float) -> str:
    """What there is to say of a state."""
    age = link.age(now)
    match link.state:
        case LinkState.LIVE:
            return f"lag {link.lag_seconds * 1000:.0f} ms" if link.lag_seconds is not None else ""
        case LinkState.SYNCING:
            return f"{link.told:,}"
        case LinkState.STALE:
            return f"{link.service}: as of {age:.0f} s ago" if age is not None else link.service
        case _:
            parts = [link.service]
            if age is not None:
                parts.append(f"as of {age:.0f} s ago")
            if link.next_at is not None and link.next_at > now:
                parts.append(f"again in {link.next_at - now:.0f} s")
            if link.reason:
                parts.append(link.reason)
            return " · ".join(parts)
