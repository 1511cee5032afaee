"""Titles of panels: others' text, which is no markup and moves no cursor."""

from __future__ import annotations

from textual.content import Content

from tui.views.visible import in_one_line


def as_title(text: str) -> Content:
    """``text`` as it can be given to ``border_title`` and ``border_subtitle``: a str is markup."""
    return Content(in_one_line(text))
