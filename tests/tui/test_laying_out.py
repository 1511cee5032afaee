"""Widgets hear of their size, whatever is looked up between a change and its layout."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static

from tests.tui.screen import until
from tui.widgets.laying_out import SteadyCompositor


class Sized(Static):
    told: tuple[int, int] = (0, 0)

    def on_resize(self, event: Resize) -> None:
        self.told = (event.size.width, event.size.height)


class Steady(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        self._compositor = SteadyCompositor()

    def compose(self) -> ComposeResult:
        yield Sized("shown", id="shown")
        hidden = Static("hidden", id="hidden")
        hidden.display = False
        yield hidden


class Shown(App[None]):
    def get_default_screen(self) -> Steady:
        return Steady()


async def test_a_look_at_a_region_takes_no_widgets_news_of_its_size() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        shown = app.screen.query_one("#shown", Sized)
        await until(pilot, lambda: shown.told == (80, 1))

        app.screen._compositor.update_widgets({app.screen.query_one("#hidden")})
        shown.styles.width = 30
        assert shown.region

        await until(pilot, lambda: shown.told == (30, 1))
