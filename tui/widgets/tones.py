"""Tones as styles: which colour one has is the theme's word."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError
from textual.strip import Strip

_VARIABLES = {
    "primary": "text-primary",
    "accent": "accent",
    "success": "text-success",
    "warning": "text-warning",
    "error": "text-error",
}


def tone_style(app: App[Any], tone: str, bold: bool = False) -> Style:
    """The foreground of ``tone`` (see :data:`tui.views.statuses.TONES`) in the theme of ``app``.

    What is kept of it, a rendered line say, is void after ``app.theme_changed_signal``.
    """
    if tone == "muted":
        return _muted(bold)
    return _colored(app.theme_variables.get(_VARIABLES.get(tone, ""), ""), bold)


@lru_cache
def _muted(bold: bool) -> Style:
    return Style(dim=True, bold=bold or None)


@lru_cache
def _colored(color: str, bold: bool) -> Style:
    try:
        return Style(color=Color.parse(color).rich_color, bold=bold or None)
    except ColorParseError:
        # "text", and what a theme gives no colour of its own.
        return Style(bold=bold or None)


def under_cursor(strip: Strip, cursor: Style) -> Strip:
    """``strip`` with the cursor's background behind its cells, which have one of their own."""
    over = Style(bgcolor=cursor.bgcolor, bold=cursor.bold, reverse=cursor.reverse)
    return Strip(Segment.apply_style(strip, post_style=over), strip.cell_length)
