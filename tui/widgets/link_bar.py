"""The line on top: which suite this is, how the lines to it stand, and how old the data is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.color import Color, ColorParseError
from textual.widgets import Static

from tui.live.link import Link, LinkState
from tui.settings import Context
from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style

_LOOKS = {
    LinkState.CONNECTING: ("○", "primary"),
    LinkState.SYNCING: ("◐", "primary"),
    LinkState.LIVE: ("●", "success"),
    LinkState.STALE: ("◌", "warning"),
    LinkState.RECONNECTING: ("○", "warning"),
    LinkState.AUTH: ("✘", "error"),
    LinkState.DENIED: ("⊘", "warning"),
}
Words = Sequence[tuple[str, str]]


class LinkBar(Static):
    """One line about the suite and the lines to it."""

    DEFAULT_CSS = """
    LinkBar { height: 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._shown: tuple[object, ...] = ()

    def show(
        self,
        context: Context,
        read_only: bool,
        link: Link,
        services: Sequence[Link],
        vitals: Words,
        now: float,
    ) -> None:
        """Say how things stand.

        Args:
            link: The worst line.
            services: The worst line to each service, where one is not LIVE.
            vitals: Words and their tones, for the right end.
            now: On the monotonic clock.
        """
        words = _words(link, now)
        states = tuple((each.service, each.state) for each in services)
        width = self.size.width
        wanted = (context.name, read_only, link.state, words, states, tuple(vitals), width,
                  self.app.theme)  # fmt: skip
        if wanted == self._shown or not width:
            return
        self._shown = wanted
        right = self._right(context, read_only, vitals)
        left = self._left(context, link, services, words)
        if self._left(context, link, services, ()).cell_len + right.cell_len > width:
            # How the lines stand comes before how many run.
            right = self._right(context, read_only, ())
        left.truncate(max(0, width - right.cell_len), overflow="ellipsis", pad=True)
        self.update(left.append_text(right), layout=False)

    def _left(
        self, context: Context, link: Link, services: Sequence[Link], words: Sequence[str]
    ) -> Text:
        glyph, tone = _LOOKS[link.state]
        text = Text(no_wrap=True)
        text.append(f" {in_one_line(context.name)} ", self._context_style(context.color))
        text.append(f" {glyph} {link.state}", tone_style(self.app, tone, bold=True))
        for each in services if len(services) > 1 else ():
            glyph, tone_of = _LOOKS[each.state]
            text.append(f" {glyph} {each.service}", tone_style(self.app, tone_of))
        for word in words:
            text.append(f" · {in_one_line(word)}", tone_style(self.app, tone))
        return text

    def _right(self, context: Context, read_only: bool, vitals: Words) -> Text:
        text = Text("  ", no_wrap=True)
        for number, (word, tone) in enumerate(vitals):
            text.append(" · " if number else "", tone_style(self.app, "muted"))
            text.append(word, tone_style(self.app, tone))
        for holds, word, tone in (
            (context.protected, "PROTECTED", "warning"), (read_only, "RO", "warning"),
        ):  # fmt: skip
            if holds:
                text.append(f"  {word}", tone_style(self.app, tone, bold=True))
        text.append(" ")
        return text

    def _context_style(self, color: str) -> Style:
        """That of the settings: it tells a suite from another at a glance."""
        try:
            return Style(bgcolor=Color.parse(color).rich_color, color="black", bold=True)
        except ColorParseError:
            return tone_style(self.app, "accent", bold=True)


def _words(link: Link, now: float) -> tuple[str, ...]:
    """What there is to say of a state."""
    age = link.age(now)
    match link.state:
        case LinkState.LIVE:
            lag = link.lag_seconds
            return (f"lag {lag * 1000:.0f} ms",) if lag is not None else ()
        case LinkState.SYNCING:
            return (f"{link.told:,}",)
        case LinkState.STALE:
            return (link.service, *((f"as of {age:.0f} s ago",) if age is not None else ()))
        case _:
            parts = [link.service]
            if age is not None:
                parts.append(f"as of {age:.0f} s ago")
            if link.next_at is not None and link.next_at > now:
                parts.append(f"again in {link.next_at - now:.0f} s")
            if link.reason:
                parts.append(link.reason)
            return tuple(parts)
