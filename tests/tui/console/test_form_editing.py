"""Forms while they are filled in: moved in, left, and kept while nobody answers."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.console.filling import (
    anybody,
    application,
    form_in,
    is_stored,
    pane_text,
    saved,
    service,
    stored,
    type_in,
)
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.live.link import LinkState
from tui.screens.definition.form import FormPane
from tui.widgets.live_table import LiveTable


async def test_immutable_fields_are_fixed_when_editing(services: Services) -> None:
    await put(services, *anybody("fixed-any"), service("fixed", "fixed-any"))
    async with console_on(services, "services fixed", size=(80, 24)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("fixed"))
        await pilot.press("e")
        form = await form_in(pilot)
        await until_shown(pilot, "service fixed", "(fixed)")
        await until_snapshot(pilot, "manage_edit_service_80x24", pane_text)

        await type_in(pilot, form, ("description",), "what it is for")
        await saved(pilot)

        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        document = await stored(services, "service", "fixed")
        assert document["description"] == "what it is for"


async def test_json_beside_the_form_is_the_same_document(services: Services) -> None:
    async with console_on(services, "applications", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "as-json")
        await until_shown(pilot, '"id": "as-json"')
        await pilot.press("2", "ctrl+end")
        await typed(pilot, "up", "end", *',"name":"By JSON"')

        await until(pilot, lambda: form.document.get("name") == "By JSON")  # type: ignore[union-attr]
        await pilot.press("escape", "3")
        await until_shown(pilot, "name: By JSON")


async def test_leaving_what_is_written_asks_and_so_does_quitting(services: Services) -> None:
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)

        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "nearly-lost")
        await pilot.press("escape")
        await until_shown(pilot, "Leave?", "Go on editing")
        await pilot.press("enter")
        await until(pilot, lambda: "Leave?" not in screen_text(pilot.app))
        assert form.document == {"kind": "application", "id": "nearly-lost"}

        await pilot.press("ctrl+q")
        await until_shown(pilot, "Leave the console?")
        await pilot.press("escape")
        await typed(pilot, "colon", *"services", "enter")
        await until_shown(pilot, "Services")
        await pilot.press("escape")
        await until_shown(pilot, "nearly-lost")

        await pilot.press("escape")
        await until_shown(pilot, "Leave?")
        await pilot.press("right", "enter")
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        assert not await is_stored(services, "application", "nearly-lost")


async def test_the_cursor_moves_in_a_form_that_is_longer_than_the_screen(
    services: Services,
) -> None:
    await put(services, *anybody("long-any"), service("long", "long-any"))
    async with console_on(services, "services/long/routes", size=(80, 24)) as pilot:
        await until_shown(pilot, "n New route")
        # The key is shown before the service has come; until then it is no key.
        place = pilot.app.frame.place  # type: ignore[attr-defined]
        await until(pilot, lambda: place.record is not None)
        await pilot.press("n")
        form = await form_in(pilot)
        for key in ("down", "end", "pageup", "home", "pagedown", "up"):
            before = form.row
            await pilot.press(key)
            await until(pilot, lambda before=before: form.row != before, key)  # type: ignore[misc]


async def test_nothing_is_lost_while_the_registry_is_away(own_services: Services) -> None:
    async with console_on(own_services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "patient")
        await own_services.stop("registry")

        await pilot.press("ctrl+s")

        await until_shown(pilot, "What was written is kept")
        assert form.document == {"kind": "application", "id": "patient"}
        session = pilot.app.session  # type: ignore[attr-defined]
        await until(pilot, lambda: session.link.state is not LinkState.LIVE)
        await own_services.start("registry")
        # Until its line is back, it is away for who saves again.
        await until(pilot, lambda: session.link.state is LinkState.LIVE)
        await saved(pilot)
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        assert await is_stored(own_services, "application", "patient")


async def test_read_only_consoles_have_no_forms(services: Services) -> None:
    await put(services, application("looked-at"))
    async with console_on(services, "applications", read_only=True) as pilot:
        await until_shown(pilot, "LIVE", "looked-at")

        await pilot.press("n", "e")
        await pilot.pause()

        assert not pilot.app.query(FormPane)
