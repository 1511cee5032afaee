"""Titles of panels and lines below them: others' text, which is no markup and moves no cursor."""

from __future__ import annotations

from textual.content import Content

from tui.views.visible import in_one_line, visible


def as_title(text: str) -> Content:
    """``text`` as it can be given to ``border_title`` and ``border_subtitle``: a str is markup."""
    return Content(in_one_line(text))


def as_line(text: str) -> Content:
    """``text`` for a widget that shows one line: as :func:`as_title`, blanks stay as they are."""
    return Content(visible(text.replace("\n", " ").replace("\t", " ")))
