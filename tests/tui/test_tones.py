"""Tones are the theme's colours."""

from __future__ import annotations

import pytest
from textual.app import App

from tests.tui.screen import until
from tui.views.statuses import TONES
from tui.widgets.tones import tone_style


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_every_tone_that_means_something_has_a_style_of_its_own(theme: str) -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.theme = theme
        await until(pilot, lambda: app.theme_variables == app.get_css_variables())

        styles = {tone: tone_style(app, tone) for tone in TONES if tone != "accent"}

    assert len(set(styles.values())) == len(styles)


async def test_a_theme_of_sixteen_colours_has_no_others() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        await pilot.pause()
        before = tone_style(app, "error")
        app.theme = "ansi-dark"
        await until(pilot, lambda: tone_style(app, "error") != before)
        color = tone_style(app, "error").color

    assert color is not None
    assert color.number is not None
    assert color.number < 16
