"""docs/commands.md tells of the commands as they are."""

from __future__ import annotations

from pathlib import Path

from tui.cli.document import PAGE, page

ROOT = Path(__file__).parents[2]


def test_the_page_of_commands_is_what_help_says() -> None:
    assert (ROOT / PAGE).read_text() == page(), "make docs"
