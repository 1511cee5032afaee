"""Services and their routes written by forms."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.console.filling import (
    anybody,
    cursor_on,
    form_in,
    pane_text,
    press_button,
    route,
    saved,
    service,
    stored,
    type_in,
    workflow,
)
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.screens.console_screen import ConsoleScreen
from tui.widgets.live_table import LiveTable


async def test_a_service_with_a_route_is_written_and_faults_stand_at_their_fields(
    services: Services,
) -> None:
    await put(services, *anybody("svc-anybody"), workflow("svc-flow"))
    async with console_on(services, "services", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "by-form")
        await type_in(pilot, form, ("path",), "/by-form")
        await type_in(pilot, form, ("authConfigId",), "svc-any")
        cursor_on(form, "routes")
        await pilot.press("a")
        await type_in(pilot, form, ("routes", 0, "httpMethod"), "POST")
        await type_in(pilot, form, ("routes", 0, "path"), "/{id}/go")
        await type_in(pilot, form, ("routes", 0, "mappedWorkflow", "name"), "no-such-flow")
        await until_shown(pilot, "✘ there is no workflow", "1 to mend")
        await until_snapshot(pilot, "manage_service_with_fault_120x40", pane_text)

        await type_in(pilot, form, ("routes", 0, "mappedWorkflow", "name"), "svc-flow")
        await until_shown(pilot, "✔ fine")
        await saved(pilot)

        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "by-form")
        await until_shown(pilot, "service by-form is stored.")
        assert "Sent" not in screen_text(pilot.app)
        document = await stored(services, "service", "by-form")
        assert document["routes"] == [
            {"httpMethod": "POST", "path": "/{id}/go", "mappedWorkflow": {"name": "svc-flow"}}
        ]


async def test_a_route_is_edited_within_its_service(services: Services) -> None:
    one, two = route("/one", "rt-flow"), route("/two", "rt-flow")
    await put(services, *anybody("rt-any"), workflow("rt-flow"))
    await put(services, service("rt", "rt-any", one, two))
    async with console_on(services, "routes /rt/", size=(120, 40)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("rt POST /rt/two"))
        await pilot.press("e")
        form = await form_in(pilot)
        await type_in(pilot, form, ("description",), "second")
        await put(services, service("rt", "rt-any", {**one, "description": "theirs"}, two))
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "do not meet")
        await press_button(pilot, "both")
        await saved(pilot)

        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        routes = (await stored(services, "service", "rt"))["routes"]
        assert [each.get("description") for each in routes] == ["theirs", "second"]


async def test_a_route_is_added_to_a_service(services: Services) -> None:
    await put(services, *anybody("more-any"), workflow("more-flow"))
    await put(services, service("more", "more-any", route("/one", "more-flow")))
    async with console_on(services, "routes /more", size=(80, 24)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("more POST /more/one"))
        await pilot.press("n")
        form = await form_in(pilot)
        await until_shown(pilot, "New route of more")
        await type_in(pilot, form, ("httpMethod",), "GET")
        await type_in(pilot, form, ("path",), "one")
        await until_shown(pilot, "✘")
        cursor_on(form, "path")
        await pilot.press("enter", "home", "/", "enter")
        await type_in(pilot, form, ("mappedWorkflow", "name"), "more-flow")
        await saved(pilot)

        await until_shown(pilot, "GET")
        routes = (await stored(services, "service", "more"))["routes"]
        assert [each["httpMethod"] for each in routes] == ["POST", "GET"]


async def test_keys_of_a_list_of_routes_never_mean_the_whole_service(services: Services) -> None:
    await put(services, *anybody("own-any"), workflow("own-flow"))
    await put(services, service("own", "own-any", route("/one", "own-flow")))
    async with console_on(services, "services/own/routes", size=(120, 24)) as pilot:
        await until_shown(pilot, "n New route", "POST")
        assert "d Delete" not in screen_text(pilot.app)

        await pilot.press("d", "x", "E")
        await pilot.press("2")

        await until_shown(pilot, "d Delete", '"authConfigId"')
        assert isinstance(pilot.app.screen, ConsoleScreen)
        assert "enabled" not in await stored(services, "service", "own")


async def test_a_first_route_is_written_from_an_empty_list(own_services: Services) -> None:
    async with console_on(own_services, "routes", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE", "n New")
        await pilot.press("n")
        await until_shown(pilot, "New service")
        await pilot.press("escape")
        await put(own_services, *anybody("only-any"), service("only", "only-any"))
        await until_shown(pilot, "No routes yet")

        await pilot.press("n")
        await until_shown(pilot, "New route of only")
        await pilot.press("escape")
        await put(own_services, service("other", "only-any"), workflow("first-flow"))
        await until_shown(pilot, "No routes yet")
        await pilot.press("n")
        await until_shown(pilot, "of which service?", "only", "other", "create new…")
        await typed(pilot, *"oth", "enter")
        form = await form_in(pilot)
        await until_shown(pilot, "New route of other")
        await type_in(pilot, form, ("httpMethod",), "GET")
        await type_in(pilot, form, ("path",), "/first")
        await type_in(pilot, form, ("mappedWorkflow", "name"), "first-flow")
        await saved(pilot)

        await until_shown(pilot, "GET", "/other/first")


async def test_the_service_of_a_first_route_is_written_on_the_way(own_services: Services) -> None:
    await put(own_services, *anybody("way-any"))
    async with console_on(own_services, "routes", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE", "n New")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "way")
        await type_in(pilot, form, ("path",), "/way")
        await type_in(pilot, form, ("authConfigId",), "way-any")

        await saved(pilot)

        await until_shown(pilot, "New route of way")
