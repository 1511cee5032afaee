"""What the caller may not do is grey, says why, and comes back when the right does."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import cast

from podium.registry.v1 import registry_pb2
from services.home import Credentials
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put
from tui.app import Console
from tui.clients import connected
from tui.views.addresses import parse


async def seen_by(services: Services, application_id: str) -> Services:
    """The suite as that application sees it."""
    async with connected(services.suite) as clients:
        made = await clients.registry.CreateAccessKey(
            registry_pb2.CreateAccessKeyRequest(application_id=application_id)
        )
    theirs = Credentials(made.access_key.key_id, made.key_secret)
    seen = Services.__new__(Services)
    seen.suite = dataclasses.replace(services.suite, credentials=theirs)
    return seen


async def test_a_key_that_may_not_be_used_is_grey_and_says_why(services: Services) -> None:
    workflow = {"name": "greyed", "tasks": [
        {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    ]}  # fmt: skip
    viewer = {"kind": "application", "id": "greying", "roles": ["VIEWER"]}
    await put(services, workflow, viewer)

    async with console_on(await seen_by(services, "greying"), "workflows name:greyed") as pilot:
        await until_shown(pilot, "greyed")
        await until(pilot, lambda: pilot.app.own_access is not None)  # type: ignore[attr-defined]

        def enabled(id_: str) -> bool:
            found = pilot.app.screen.active_bindings.values()
            return any(each.enabled for each in found if each.binding.id == id_)

        await until(pilot, lambda: not enabled("workflow.delete"))
        await pilot.press("d")
        await until_shown(pilot, "It takes ADMIN, EDITOR or DELETE")
        assert "will be deleted" not in screen_text(pilot.app)
        assert not enabled("workflows.run")

        await put(services, {**viewer, "roles": ["EDITOR"]})
        await until(pilot, lambda: enabled("workflow.delete"))
        assert not enabled("workflows.run")


async def test_the_keys_of_tabs_are_grey_and_say_why(services: Services) -> None:
    viewer = {"kind": "application", "id": "tab-grey", "roles": ["VIEWER"]}
    auth = {"kind": "auth", "id": "tab-auth", "authenticationType": "API_KEY",
            "applicationId": "tab-grey"}  # fmt: skip
    service = {"kind": "service", "id": "tab-service", "name": "tab-service", "path": "/tab-grey",
               "authConfigId": "tab-auth", "routes": []}  # fmt: skip
    await put(services, viewer, auth, service)

    async with console_on(await seen_by(services, "tab-grey"), "auths/tab-auth/keys") as pilot:
        console = cast("Console", pilot.app)
        await until(pilot, lambda: console.own_access is not None)
        for place, id_, taken in (
            ("auths/tab-auth/keys", "keys.create", "New key: It takes ADMIN, EDITOR or UPDATE"),
            ("services/tab-service/routes", "service.route_create", "New route: It takes ADMIN"),
            ("applications/tab-grey/grants", "grants.add", "Add target: It takes ADMIN"),
        ):
            console.open(parse(place))
            await until(pilot, partial(is_grey, console, id_))
            await pilot.press("a" if id_ == "grants.add" else "n")
            await until_shown(pilot, taken)


def is_grey(console: Console, id_: str) -> bool:
    """Whether the key of that id is there, and may not be used."""
    found = [each for each in console.screen.active_bindings.values() if each.binding.id == id_]
    return bool(found) and not any(each.enabled for each in found)


async def test_a_definition_and_an_application_have_a_tab_of_who_may_what(
    services: Services,
) -> None:
    task = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    tagged = {"name": "tabbed", "tags": [{"key": "team", "value": "tabs"}], "tasks": [task]}
    team = {"kind": "application", "id": "tabs-team", "permissions": [
        {"target": {"type": "tag", "id": "team:tabs"}, "access": ["READ", "EXECUTE"]}
    ]}  # fmt: skip
    await put(services, tagged, team)

    async with console_on(services, "workflows/tabbed/access") as pilot:
        await until_shown(pilot, "Who may do what")
        await until_shown(pilot, "tabs-team")
        shown = screen_text(pilot.app)
        assert "READ EXECUTE" in shown
        assert "grant on tag team:tabs" in shown
        assert "role ADMIN" in shown
        assert "may not see" not in shown
    async with console_on(services, "applications/tabs-team/access") as pilot:
        await until_shown(pilot, "What it may")
        await until_shown(pilot, "podium access who-can")
        await until_shown(pilot, "READ, EXECUTE on tag team:tabs")
        assert "where granted" in screen_text(pilot.app)


async def test_what_is_not_there_or_may_not_be_read_is_said_to_be_so(services: Services) -> None:
    task = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    one = {"kind": "application", "id": "one-only", "permissions": [
        {"target": {"type": "workflow", "id": "seen-one"}, "access": ["READ"]}
    ]}  # fmt: skip
    await put(services, one, *({"name": each, "tasks": [task]} for each in ("seen-one", "payroll")))

    async with console_on(await seen_by(services, "one-only"), "workflows/payroll") as pilot:
        console = cast("Console", pilot.app)

        def offered() -> set[str]:
            return {each.binding.id or "" for each in console.screen.active_bindings.values()}

        await until_shown(pilot, "There is no workflow 'payroll' here, or it may not be read.")
        await until(pilot, lambda: not {"workflows.run", "workflow.delete"} & offered())
        for tab in ("2", "3"):
            await pilot.press(tab)
            await until_shown(pilot, "There is no workflow 'payroll' here")
        # It comes in sight, and so does its page.
        shown = one | {"permissions": [
            {"target": {"type": "workflow", "id": "*"}, "access": ["READ"]}
        ]}  # fmt: skip
        await put(services, shown)
        await until(pilot, lambda: "There is no" not in screen_text(console))
        await until(pilot, lambda: "workflow.delete" in offered())
        console.open(parse("workflows/seen-one"))
        await until(pilot, lambda: "workflow.delete" in offered())
