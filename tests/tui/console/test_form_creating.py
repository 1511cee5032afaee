"""Definitions created by forms, in a real registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.widgets import Input

from tests.tui.console.conftest import console_on
from tests.tui.console.filling import (
    application,
    cursor_on,
    form_in,
    is_stored,
    pane_text,
    saved,
    stored,
    type_in,
)
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.widgets.live_table import LiveTable


async def test_an_application_is_created_and_the_list_has_it_when_the_stream_tells(
    services: Services,
) -> None:
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await until_shown(pilot, "New application", "id *")
        await until_snapshot(pilot, "manage_new_application_80x24", pane_text)
        await type_in(pilot, form, ("id",), "made-by-form")
        await until_shown(pilot, "✔ fine")

        await saved(pilot)

        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "made-by-form")
        assert (await stored(services, "application", "made-by-form"))["id"] == "made-by-form"
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "✔ done", "podium apply -")


async def test_a_generated_key_is_shown_once_and_nowhere_else(services: Services) -> None:
    await put(services, application("keyed-app"))
    async with console_on(services, "auths", size=(100, 30)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "keyed")
        await type_in(pilot, form, ("authenticationType",), "API")
        await type_in(pilot, form, ("applicationId",), "keyed-app")
        assert form.document == {
            "kind": "auth", "id": "keyed", "authenticationType": "API_KEY",
            "applicationId": "keyed-app",
        }  # fmt: skip
        copied: list[str] = []
        pilot.app.copy_to_clipboard = copied.append  # type: ignore[method-assign,assignment]

        await saved(pilot)
        await until_shown(pilot, "Shown this once", "I have it")
        await pilot.press("escape")
        await until_shown(pilot, "I have it")
        await pilot.press("y")

        (key,) = copied
        assert key in screen_text(pilot.app).replace("\n", "")
        await pilot.press("enter")
        await until(pilot, lambda: "I have it" not in screen_text(pilot.app))
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "✔ done")
        assert key not in screen_text(pilot.app)
        console: Any = pilot.app
        assert key not in str(console.session.log.collection.records)


async def test_what_a_field_refers_to_is_created_from_within_the_form(services: Services) -> None:
    async with console_on(services, "auths", size=(100, 30)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        outer = await form_in(pilot)
        await type_in(pilot, outer, ("id",), "outer-auth")
        cursor_on(outer, "applicationId")
        await pilot.press("c")
        await until_shown(pilot, "New application")
        inner = await form_in(pilot)
        await type_in(pilot, inner, ("id",), "inner-app")

        await saved(pilot)

        filled = {"kind": "auth", "id": "outer-auth", "applicationId": "inner-app"}
        await until(pilot, lambda: outer.document == filled)
        await until_shown(pilot, "New auth", "inner-app")


async def test_what_is_missing_is_asked_for_when_it_is_sent(services: Services) -> None:
    async with console_on(services, "auths", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "half")
        await until_shown(pilot, "to fill in")
        assert "✘" not in screen_text(pilot.app)

        await pilot.press("ctrl+s")

        await until_shown(pilot, "✘ is required")
        assert not await is_stored(services, "auth", "half")


async def test_an_id_that_is_taken_is_told_at_its_field(services: Services) -> None:
    await put(services, application("taken"))
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)

        await type_in(pilot, form, ("id",), "taken")

        await until_shown(pilot, "✘ Application 'taken' is there already.")


async def test_a_secret_is_masked_everywhere_and_may_come_from_a_file(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("hidden-from-all-eyes\n")
    async with console_on(services, "secrets", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("name",), "FROM_FILE")
        cursor_on(form, "value")
        await pilot.press("f")
        await until_shown(pilot, "value from a file")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "token")
        await pilot.press("enter")

        await until(pilot, lambda: form.document.get("value") == "hidden-from-all-eyes")  # type: ignore[union-attr]
        await until_shown(pilot, "••••", "✔ fine")
        assert "hidden-from" not in screen_text(pilot.app)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        assert "hidden-from" not in screen_text(pilot.app)
        await pilot.press("enter")
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "FROM_FILE")
        console: Any = pilot.app
        assert "hidden-from" not in str(console.session.log.collection.records)
