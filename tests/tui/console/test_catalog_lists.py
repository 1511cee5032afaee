"""Lists of definitions, as they change in a real registry."""

from __future__ import annotations

from typing import Any

import pytest

from podium.registry.v1 import registry_pb2
from tests.tui.console.conftest import console_on, until_listed
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put
from tui.clients import connected
from tui.widgets.live_table import LiveTable

NOTHING = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}


def workflow(name: str, version: int = 1) -> dict[str, Any]:
    return {"name": name, "version": version, "tasks": [NOTHING]}


ANYBODY = (
    {"kind": "application", "id": "anybody"},
    {"kind": "auth", "id": "anybody", "authenticationType": "NONE", "applicationId": "anybody"},
)


def service(name: str, *paths: str) -> dict[str, Any]:
    return {
        "kind": "service", "id": name, "name": name, "path": f"/{name}", "authConfigId": "anybody",
        "routes": [
            {"httpMethod": "POST", "path": path, "mappedWorkflow": {"name": f"{name}-flow"}}
            for path in paths
        ],
    }  # fmt: skip


async def test_a_workflow_is_one_row_of_its_latest_version(services: Services) -> None:
    await put(services, workflow("twice", 1), workflow("twice", 2))
    async with console_on(services, "workflows twice") as pilot:
        await until_listed(pilot, "twice")
        table = pilot.app.screen.query_one(LiveTable)
        assert [(row.id, row.version, row.versions) for row in table.view.shown()] == [
            ("twice", 2, (1, 2))
        ]

        await put(services, workflow("twice", 3))

        await until(pilot, lambda: table.view.shown()[0].version == 3)


async def test_what_is_deleted_is_gone_and_a_version_that_goes_uncovers_the_one_before(
    services: Services,
) -> None:
    await put(services, workflow("going", 1), workflow("going", 2))
    async with console_on(services, "workflows going") as pilot:
        await until_listed(pilot, "going")
        table = pilot.app.screen.query_one(LiveTable)

        async with connected(services.suite) as clients:
            request = registry_pb2.DeleteDefinitionRequest(kind="workflow", name="going", version=2)
            await clients.registry.DeleteDefinition(request)
            await until(pilot, lambda: table.view.shown()[0].version == 1)
            request.version = 1
            await clients.registry.DeleteDefinition(request)

        await until(pilot, lambda: len(table.view) == 0)


async def test_a_route_is_a_row_and_goes_with_its_line_in_the_service(services: Services) -> None:
    await put(services, *ANYBODY, workflow("routed-flow"), service("routed", "/one", "/two/{id}"))
    async with console_on(services, "routes routed") as pilot:
        await until_shown(pilot, "/routed/one", "/routed/two/{id}", "routed-flow")

        await put(services, service("routed", "/two/{id}"))

        await until(pilot, lambda: "/routed/one" not in screen_text(pilot.app))
        assert "/routed/two/{id}" in screen_text(pilot.app)


@pytest.mark.parametrize(
    "place", ["tasks", "services", "auths", "applications", "schemas", "secrets", "actions"]
)
async def test_every_list_opens_by_its_name(services: Services, place: str) -> None:
    async with console_on(services, place, size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE", place.removesuffix("s").title())


async def test_marks_and_rows_outlive_a_restart_of_the_registry(own_services: Services) -> None:
    await put(own_services, workflow("first"), workflow("second"))
    async with console_on(own_services, "workflows") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on("second"))
        await pilot.press("space")

        await own_services.stop("registry")
        await until_shown(pilot, "RECONNECTING", "first", "second")
        await own_services.start("registry")
        await put(own_services, workflow("third"))
        await pilot.press("ctrl+r")
        await until_shown(pilot, "LIVE", "third")

        assert table.marks == {"second"}
        assert table.cursor_id == "second"


async def test_a_definition_opens_as_json_yaml_and_history(services: Services) -> None:
    await put(services, {**workflow("opened"), "description": "first"})
    await put(services, {**workflow("opened"), "description": "second"})
    async with console_on(services, "workflows opened") as pilot:
        await until_listed(pilot, "opened")
        await pilot.press("enter")
        await until_shown(pilot, "1 Graph", "nothing")

        await pilot.press("2")
        await until_shown(pilot, '"description": "second"')

        await pilot.press("3")
        await until_shown(pilot, "description: second")

        await pilot.press("4")
        await until_shown(pilot, "Revisions", "created", '"description": "first"')


async def test_an_earlier_revision_is_stored_again_and_shows(services: Services) -> None:
    await put(services, {**workflow("rolled"), "description": "good"})
    await put(services, {**workflow("rolled"), "description": "bad"})
    async with console_on(services, "workflows/rolled/history") as pilot:
        await until_shown(pilot, "Revisions", '"description": "good"')
        await pilot.press("down")
        await until_shown(pilot, '+   "description": "good"')

        await pilot.press("b")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")

        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await until(pilot, lambda: len(pilot.app.screen.query_one(LiveTable).view) == 3)
        await pilot.press("2")
        await until_shown(pilot, '"description": "good"')


async def test_what_uses_a_definition_is_a_row_that_leads_there(services: Services) -> None:
    await put(services, *ANYBODY, workflow("used-flow"), service("used", "/"))
    async with console_on(services, "workflows/used-flow/references") as pilot:
        await until_shown(pilot, "used by", "routes[0].mappedWorkflow.name")

        await pilot.press("enter")

        await until_shown(pilot, "1 Routes", "/used", "POST")
