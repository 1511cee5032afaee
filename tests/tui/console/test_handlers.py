"""Event handlers and webhooks in the console: listed, with what they did."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.screen import until_shown
from tests.tui.services import Services, put, start


async def test_what_a_handler_did_is_shown(services: Services) -> None:
    noop = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    tell = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": "conductor:told"}
    starts = {"action": "start_workflow", "start_workflow": {"name": "hears"}}
    await put(
        services,
        {"kind": "workflow", "name": "hears", "tasks": [noop]},
        {"kind": "workflow", "name": "tells", "tasks": [tell]},
        {"kind": "event", "name": "listener", "event": "conductor:tells:told", "active": True,
         "actions": [starts]},
    )  # fmt: skip
    await start(services, "tells")
    async with console_on(services, "handlers name:listener", size=(140, 30)) as pilot:
        await until_shown(pilot, "listener", "conductor:tells", "start_workflow", "on")

        await pilot.press("enter")
        await until_shown(pilot, "AT (UTC)", "✔ completed")


async def test_a_webhook_is_listed_with_its_url(services: Services) -> None:
    await put(services, {"kind": "webhook", "name": "inbox", "verifier": {"type": "NONE"}})
    async with console_on(services, "webhooks name:inbox", size=(140, 30)) as pilot:
        await until_shown(pilot, "inbox", "/-/webhooks/inbox", "NONE", "on")
