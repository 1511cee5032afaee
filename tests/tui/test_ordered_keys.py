"""Keys that come at once, in an app of their own."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tests.tui.screen import until
from tui.widgets.ordered_keys import OrderedKeys


class Stuck(Static, can_focus=True):
    """Has a key until it is told to let go."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.lets_go = asyncio.Event()

    async def on_key(self, event: events.Key) -> None:
        self.app.query_one(Input).focus()
        await self.lets_go.wait()


class Two(OrderedKeys[None]):
    """A line, and somebody who loses keys."""

    lost_seconds = 0.05
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "put('2')"), Binding("f3", "put('3')")]

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def on_input_changed(self) -> None:
        self.written.set()

    def compose(self) -> ComposeResult:
        yield Stuck()
        yield Input()

    def action_put(self, text: str) -> None:
        self.query_one(Input).value += text
        self.query_one(Input).action_end()


def typed(app: Any, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_keys_of_the_app_and_letters_are_done_in_their_order() -> None:
    async with Two().run_test() as pilot:
        line = pilot.app.query_one(Input)
        line.focus()

        typed(pilot.app, "a", "f2", "b", "f3", "backspace", "c")
        pilot.app.post_message(events.Paste("pasted"))
        typed(pilot.app, "f2")

        await until(pilot, lambda: line.value.endswith("pasted2"))
        assert line.value == "a2bcpasted2"


async def test_a_key_that_is_lost_holds_nobody_up() -> None:
    app = Two()
    async with app.run_test() as pilot:
        stuck = pilot.app.query_one(Stuck)
        stuck.focus()

        typed(pilot.app, "x", "y")

        # The pilot would wait for whoever has a key.
        async with asyncio.timeout(10):
            await app.written.wait()
        assert pilot.app.query_one(Input).value == "y"
        stuck.lets_go.set()
