"""Definitions created and edited by forms, in a real registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Input

from podium.registry.v1 import registry_pb2
from services.errors import NotFound
from tests.tui.console.conftest import console_on
from tests.tui.screen import assert_snapshot, screen_text, until, until_shown
from tests.tui.services import Services, put
from tui.clients import connected
from tui.screens.definition.form import FormPane
from tui.widgets.form import Form
from tui.widgets.form_lines import FormLines
from tui.widgets.live_table import LiveTable

NOTHING = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}


def workflow(name: str) -> dict[str, Any]:
    return {"name": name, "version": 1, "tasks": [NOTHING]}


def application(name: str) -> dict[str, Any]:
    return {"kind": "application", "id": name}


def anybody(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    auth = {"kind": "auth", "id": name, "authenticationType": "NONE", "applicationId": name}
    return application(name), auth


def service(name: str, auth: str, *routes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "service", "id": name, "path": f"/{name}", "authConfigId": auth,
        "routes": list(routes),
    }  # fmt: skip


def route(path: str, runs: str, method: str = "POST") -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": runs}}


async def stored(services: Services, kind: str, name: str) -> dict[str, Any]:
    async with connected(services.suite) as clients:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(kind=kind, name=name)
        )
    document: dict[str, Any] = json.loads(answer.definition.document)
    return document


async def is_stored(services: Services, kind: str, name: str) -> bool:
    try:
        await stored(services, kind, name)
    except NotFound:
        return False
    return True


async def form_in(pilot: Pilot[Any]) -> Form:
    """The form that is shown, once it is there."""
    await until(pilot, lambda: any(form.row is not None for form in _shown_forms(pilot)))
    # The line below the tabs is laid out last.
    await until_shown(pilot, "╺")
    return _shown_forms(pilot)[-1]


def _shown_forms(pilot: Pilot[Any]) -> list[Form]:
    console: Any = pilot.app
    place = console.frame.place
    return list(place.query(Form)) if isinstance(place, FormPane) else []


def pane_text(pilot: Pilot[Any]) -> str:
    """What is shown between the frame's lines, which tell of other things."""
    return "\n".join(screen_text(pilot.app).splitlines()[1:-1])


def cursor_on(form: Form, *path: str | int) -> None:
    assert form.go_to(path), path


async def type_in(pilot: Pilot[Any], form: Form, path: tuple[str | int, ...], text: str) -> None:
    """Type a value, or pick one by some of its letters, as an operator does."""
    cursor_on(form, *path)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, Input))
    await pilot.press(*text, "enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))


async def saved(pilot: Pilot[Any]) -> None:
    await pilot.press("ctrl+s")
    await until_shown(pilot, "Before → after")
    await pilot.press("enter")


async def press_button(pilot: Pilot[Any], name: str) -> None:
    button = next(each for each in pilot.app.screen.query(Button) if each.name == name)
    button.focus()
    await until(pilot, lambda: button.has_focus)
    await pilot.press("enter")


async def test_an_application_is_created_and_the_list_has_it_when_the_stream_tells(
    services: Services,
) -> None:
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await until_shown(pilot, "New application", "id *")
        assert_snapshot(pane_text(pilot), "manage_new_application_80x24")
        await type_in(pilot, form, ("id",), "made-by-form")
        await until_shown(pilot, "✔ fine")

        await saved(pilot)

        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "made-by-form")
        assert (await stored(services, "application", "made-by-form"))["id"] == "made-by-form"
        await pilot.press("colon", *"actions", "enter")
        await until_shown(pilot, "✔ done", "podium apply -")


async def test_a_generated_key_is_shown_once_and_nowhere_else(services: Services) -> None:
    await put(services, application("keyed-app"))
    async with console_on(services, "auths", size=(100, 30)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "keyed")
        await type_in(pilot, form, ("authenticationType",), "API")
        await type_in(pilot, form, ("applicationId",), "keyed")
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
        await pilot.press("colon", *"actions", "enter")
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

        await until_shown(pilot, "New auth", "inner-app")
        assert outer.document == {"kind": "auth", "id": "outer-auth", "applicationId": "inner-app"}


async def test_a_service_with_a_route_is_written_and_faults_stand_at_their_fields(
    services: Services,
) -> None:
    await put(services, *anybody("svc-anybody"), workflow("svc-flow"))
    async with console_on(services, "services", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "written")
        await type_in(pilot, form, ("path",), "/written")
        await type_in(pilot, form, ("authConfigId",), "svc-any")
        cursor_on(form, "routes")
        await pilot.press("a")
        await type_in(
            pilot,
            form,
            (
                "routes",
                0,
                "httpMethod",
            ),
            "POST",
        )
        await type_in(pilot, form, ("routes", 0, "path"), "/{id}/go")
        await type_in(
            pilot,
            form,
            (
                "routes",
                0,
                "mappedWorkflow",
                "name",
            ),
            "no-such-flow",
        )
        await until_shown(pilot, "✘ there is no workflow", "1 to mend")
        assert_snapshot(pane_text(pilot), "manage_service_with_fault_120x40")

        await type_in(
            pilot,
            form,
            (
                "routes",
                0,
                "mappedWorkflow",
                "name",
            ),
            "svc-flow",
        )
        await until_shown(pilot, "✔ fine")
        await saved(pilot)

        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "written")
        document = await stored(services, "service", "written")
        assert document["routes"] == [
            {"httpMethod": "POST", "path": "/{id}/go", "mappedWorkflow": {"name": "svc-flow"}}
        ]


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


async def test_immutable_fields_are_fixed_when_editing(services: Services) -> None:
    await put(services, *anybody("fixed-any"), service("fixed", "fixed-any"))
    async with console_on(services, "services fixed", size=(80, 24)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("fixed"))
        await pilot.press("e")
        form = await form_in(pilot)
        await until_shown(pilot, "service fixed", "(fixed)")
        assert_snapshot(pane_text(pilot), "manage_edit_service_80x24")

        await type_in(pilot, form, ("description",), "what it is for")
        await saved(pilot)

        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        document = await stored(services, "service", "fixed")
        assert document["description"] == "what it is for"


async def test_an_id_that_is_taken_is_told_at_its_field(services: Services) -> None:
    await put(services, application("taken"))
    async with console_on(services, "applications", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)

        await type_in(pilot, form, ("id",), "taken")

        await until_shown(pilot, "✘ Application 'taken' is there already.")


async def test_json_beside_the_form_is_the_same_document(services: Services) -> None:
    async with console_on(services, "applications", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        form = await form_in(pilot)
        await type_in(pilot, form, ("id",), "as-json")
        await until_shown(pilot, '"id": "as-json"')
        await pilot.press("2", "ctrl+end")
        await pilot.press("up", "end", *',"name":"By JSON"')

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
        await pilot.press("colon", *"services", "enter")
        await until_shown(pilot, "Services")
        await pilot.press("escape")
        await until_shown(pilot, "nearly-lost")

        await pilot.press("escape")
        await until_shown(pilot, "Leave?")
        await pilot.press("right", "enter")
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        assert not await is_stored(services, "application", "nearly-lost")


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
        await until(pilot, lambda: form.document["description"] == "two")  # type: ignore[index,call-overload]
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
        assert_snapshot(pane_text(pilot), "manage_conflict_80x24")

        await press_button(pilot, "theirs")

        await until(pilot, lambda: form.document["description"] == "two")  # type: ignore[index,call-overload]
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
        await type_in(
            pilot,
            form,
            (
                "mappedWorkflow",
                "name",
            ),
            "more-flow",
        )
        await saved(pilot)

        await until_shown(pilot, "GET")
        routes = (await stored(services, "service", "more"))["routes"]
        assert [each["httpMethod"] for each in routes] == ["POST", "GET"]


async def test_the_cursor_moves_in_a_form_that_is_longer_than_the_screen(
    services: Services,
) -> None:
    await put(services, *anybody("long-any"), service("long", "long-any"))
    async with console_on(services, "services/long/routes", size=(80, 24)) as pilot:
        await until_shown(pilot, "n New route")
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
        await own_services.start("registry")
        await until_shown(pilot, "LIVE")
        await saved(pilot)
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)
        assert await is_stored(own_services, "application", "patient")


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

        await until(pilot, lambda: form.document["value"] == "hidden-from-all-eyes")  # type: ignore[index,call-overload]
        await until_shown(pilot, "••••", "✔ fine")
        assert "hidden-from" not in screen_text(pilot.app)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Before → after")
        assert "hidden-from" not in screen_text(pilot.app)
        await pilot.press("enter")
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "FROM_FILE")
        console: Any = pilot.app
        assert "hidden-from" not in str(console.session.log.collection.records)


async def test_read_only_consoles_have_no_forms(services: Services) -> None:
    await put(services, application("looked-at"))
    async with console_on(services, "applications", read_only=True) as pilot:
        await until_shown(pilot, "LIVE", "looked-at")

        await pilot.press("n", "e")
        await pilot.pause()

        assert not pilot.app.query(FormPane)
