"""The line of keys: what it names, and what it names once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from tests.tui.screen import screen_text, until_shown
from tui.widgets.key_bar import KeyBar


class Keys(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Send", id="keys.submit"),
        Binding("ctrl+r", "send", "Send"),
        Binding("f6", "other", "Answer"),
    ]

    key_titles: ClassVar[dict[str, str]] = {}

    def compose(self) -> ComposeResult:
        yield KeyBar()

    def action_submit(self) -> None: ...

    def action_send(self) -> None: ...

    def action_other(self) -> None: ...


async def test_two_keys_of_the_same_words_are_named_once() -> None:
    app = Keys()
    async with app.run_test(size=(80, 5)) as pilot:
        await until_shown(pilot, "^s Send", "f6 Answer")

        assert screen_text(app).count("Send") == 1


async def test_a_part_may_have_other_words_for_its_keys() -> None:
    app = Keys()
    app.key_titles = {"keys.submit": "Save"}  # type: ignore[misc]
    async with app.run_test(size=(80, 5)) as pilot:
        await until_shown(pilot, "^s Save", "^r Send")
