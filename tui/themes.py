"""Themes beside those that Textual has: one that needs no telling of red from green, and users'."""

from __future__ import annotations

from dataclasses import asdict

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from tui.settings import ThemeColors

# Blue, orange and vermilion of Okabe and Ito: told apart by everybody, also by brightness.
SAFE = Theme(
    name="podium-safe",
    primary="#56B4E9",
    secondary="#0072B2",
    accent="#F0E442",
    success="#56B4E9",
    warning="#E69F00",
    error="#D55E00",
    foreground="#E8E8E8",
    background="#101418",
    surface="#181D22",
    panel="#242B32",
)

NAMES = (*BUILTIN_THEMES, SAFE.name)


def theme_of(colors: ThemeColors) -> Theme:
    """A theme of one's own. Raises ValueError: a colour of it is none; the message says which."""
    given = {name: value for name, value in asdict(colors).items() if value != ""}
    for name, value in given.items():
        if isinstance(value, str) and name != "name":
            try:
                Color.parse(value)
            except ColorParseError as error:
                raise ValueError(
                    f"themes.{colors.name}.{name}: {value!r} is no colour; write e.g. #56B4E9."
                ) from error
    return Theme(**given)
