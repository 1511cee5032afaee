"""Two who change one definition: both changes are shown, and none is lost unasked."""

from __future__ import annotations

from tests.tui.console.conftest import console_on, until_listed
from tests.tui.console.filling import (
    application,
    form_in,
    pane_text,
    press_button,
    saved,
    stored,
    type_in,
)
from tests.tui.screen import screen_text, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.widgets.live_table import LiveTable


async def test_a_conflict_shows_all_sides_and_loses_none(services: Services) -> None:
    await put(services, {**application("fought"), "description": "one"})
    async with console_on(services, "applications", size=(120, 40)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("fought"))
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("name",), "Mine")
        await put(services, {**application("fought"), "description": "two"})

        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "Theirs", "Mine", "Both")
        await until_shown(pilot, "+description: two", "+name: Mine")
        assert form.document["name"] == "Mine"  # type: ignore[index,call-overload]
        await pilot.press("escape")
        await until(pilot, lambda: "Changed meanwhile" not in screen_text(pilot.app))
        assert form.document["name"] == "Mine"  # type: ignore[index,call-overload]

        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile")
        await press_button(pilot, "both")
        await until(pilot, lambda: form.document.get("description") == "two")  # type: ignore[union-attr]
        await saved(pilot)

        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        document = await stored(services, "application", "fought")
        assert (document["name"], document["description"]) == ("Mine", "two")


async def test_theirs_is_taken_where_one_says_so(services: Services) -> None:
    await put(services, {**application("yielded"), "description": "one"})
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("yielded"))
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("description",), "!")
        await put(services, {**application("yielded"), "description": "two"})
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "They meet at description")
        await until_snapshot(pilot, "manage_conflict_80x24", pane_text)

        await press_button(pilot, "theirs")

        await until(pilot, lambda: form.document.get("description") == "two")  # type: ignore[union-attr]
        assert not form.changed


async def test_what_is_stored_already_is_not_stored_again(services: Services) -> None:
    """As after an answer that was lost on its way."""
    await put(services, application("twice-sent"))
    async with console_on(services, "applications", size=(120, 40)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("twice-sent"))
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("name",), "Same")
        await put(services, {**application("twice-sent"), "name": "Same"})

        await pilot.press("ctrl+s")

        await until_shown(pilot, "What was written is what is stored.")
        assert not form.changed


async def test_what_came_after_the_shown_conflict_is_not_written_over(services: Services) -> None:
    await put(services, {**application("thrice"), "description": "one"})
    async with console_on(services, "applications thrice", size=(120, 40)) as pilot:
        await until_listed(pilot, "thrice")
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("description",), "!")
        await put(services, {**application("thrice"), "description": "two"})
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "+description: two")
        await put(services, {**application("thrice"), "description": "three"})

        await press_button(pilot, "mine")
        await until(pilot, lambda: "Changed meanwhile" not in screen_text(pilot.app))
        await pilot.press("ctrl+s")

        await until_shown(pilot, "Changed meanwhile", "+description: three")
        assert (await stored(services, "application", "thrice"))["description"] == "three"


async def test_what_comes_while_the_difference_is_shown_is_not_written_over(
    services: Services,
) -> None:
    await put(services, {**application("late"), "description": "one"})
    async with console_on(services, "applications late", size=(120, 40)) as pilot:
        await until_listed(pilot, "late")
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("description",), "!")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        await put(services, {**application("late"), "description": "two"})

        await pilot.press("enter")

        await until_shown(pilot, "Changed meanwhile", "+description: two")
        assert (await stored(services, "application", "late"))["description"] == "two"
