"""A key that is shown once stays in sight."""

from __future__ import annotations

from textual.app import App
from textual.widgets import Button

from tests.tui.screen import screen_text, until, until_shown
from tui.screens.once import OnceScreen, Shown

KEY = "k" * 60


class Around(App[None]):
    copied = ""

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text


async def test_nothing_that_is_told_stands_over_the_key() -> None:
    app = Around()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.push_screen(OnceScreen("New key", [Shown("key first", KEY)], "It begins at once."))
        await until_shown(pilot, KEY)
        app.notify("Something else, told at length, " * 4, timeout=60)
        await until_shown(pilot, "Something else")
        await pilot.press("y")

        await until_shown(pilot, KEY, "I have it", "Copied. The terminal must allow it")
        assert app.copied == KEY
        focused = app.screen.focused
        assert isinstance(focused, Button)
        assert "╭─ New key" in screen_text(app)
        await until(pilot, lambda: app.screen.focused is app.screen.query(Button).last())
