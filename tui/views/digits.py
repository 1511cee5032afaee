"""Numbers three lines high."""

from __future__ import annotations

_GLYPHS = {
    "0": ("┌─┐", "│ │", "└─┘"),
    "1": ("╶┐ ", " │ ", "╶┴╴"),
    "2": ("╶─┐", "┌─┘", "└─╴"),
    "3": ("╶─┐", " ─┤", "╶─┘"),
    "4": ("╷ ╷", "└─┤", "  ╵"),
    "5": ("┌─╴", "└─┐", "╶─┘"),
    "6": ("┌─╴", "├─┐", "└─┘"),
    "7": ("╶─┐", "  │", "  ╵"),
    "8": ("┌─┐", "├─┤", "└─┘"),
    "9": ("┌─┐", "└─┤", "╶─┘"),
    "-": ("   ", "╶─╴", "   "),
    ".": (" ", " ", "."),
    ",": (" ", " ", ","),
    " ": (" ", " ", " "),
}
HEIGHT = 3


def tall(text: str) -> tuple[str, str, str]:
    """``text`` on three lines of one length; what is no digit stands on the lowest."""
    columns = [_GLYPHS.get(each, (" ", " ", each)) for each in text]
    first, second, third = ("".join(column[row] for column in columns) for row in range(HEIGHT))
    return first, second, third
