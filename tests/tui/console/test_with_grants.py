"""A console whose key has grants and no role: what it may see is there, and follows the grants."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from podium.registry.v1 import registry_pb2
from services.home import Credentials
from tests.tui.console.conftest import console_on
from tests.tui.console.test_lists import WAITS
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.widgets.live_table import LiveTable

GRANT = {"target": {"type": "tag", "id": "team:granted"}, "access": ["READ", "EXECUTE"]}
REFUSED = ("breakers", "audit", "log")


def flow(name: str, *tags: str) -> dict[str, Any]:
    return {"name": name, "version": 1, "tasks": [WAITS], "tags": list(tags)}


async def granted(services: Services, application: str) -> Any:
    """The suite as that application finds it."""
    await put(services, {"kind": "application", "id": application, "permissions": [GRANT]})
    async with connected(services.suite) as clients:
        made = await clients.registry.CreateAccessKey(
            registry_pb2.CreateAccessKeyRequest(application_id=application)
        )
    credentials = Credentials(made.access_key.key_id, made.key_secret)
    return SimpleNamespace(suite=replace(services.suite, credentials=credentials))


async def test_executions_are_those_that_may_be_seen_as_grants_and_tags_change(
    services: Services,
) -> None:
    await put(services, flow("granted-one", "team:granted"), flow("granted-not"))
    await start(services, "granted-not")
    id_ = await start(services, "granted-one")
    async with console_on(await granted(services, "granted-desk")) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(id_))
        assert "granted-not" not in screen_text(pilot.app)

        await pilot.press("t")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "⊘ terminated")

        await put(services, flow("granted-one"), flow("granted-not", "team:granted"))
        await until_shown(pilot, "granted-not")
        assert "granted-one" not in screen_text(pilot.app)


async def test_what_may_not_be_seen_any_more_is_shown_no_more(services: Services) -> None:
    await put(services, flow("granted-until", "team:granted"))
    await start(services, "granted-until")
    async with console_on(await granted(services, "granted-once")) as pilot:
        await until_shown(pilot, "granted-until", "LIVE")
        await put(services, {"kind": "application", "id": "granted-once", "roles": ["WORKER"]})
        # Whoever refuses it first says so in the list's own place.
        await until_shown(pilot, "The application 'granted-once'")
        await until(pilot, lambda: "granted-until" not in screen_text(pilot.app))


async def test_a_list_that_is_refused_breaks_no_other(services: Services) -> None:
    await put(services, flow("granted-on", "team:granted"))
    await start(services, "granted-on")
    async with console_on(await granted(services, "granted-guest")) as pilot:
        await until_shown(pilot, "granted-on", "LIVE")
        for place in REFUSED:
            await typed(pilot, "colon", *place, "enter")
            await until_shown(pilot, "may not call this")
        for place, shown in (("workflows", "granted-on"), ("executions", "granted-on")):
            await typed(pilot, "colon", *place, "enter")
            await until_shown(pilot, shown, "LIVE")
