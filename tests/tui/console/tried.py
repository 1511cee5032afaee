"""Services whose routes are tried in the console's tests: with and without keys, and scripts."""

from __future__ import annotations

import re
import time
from typing import Any

from textual.pilot import Pilot

from podium.registry.v1 import registry_pb2
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put
from tui.clients import connected
from tui.widgets.form_lines import FormLines

NOTHING = {"taskReferenceName": "sums", "name": "sums", "type": "NOOP"}
HOLDS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
BODY = {
    "type": "object", "required": ["a"],
    "properties": {"a": {"type": "integer", "examples": [41]}, "note": {"type": "string"}},
}  # fmt: skip


async def serve(services: Services, name: str, *, key: bool = False, **more: Any) -> None:
    """A service ``name``: ``POST /sum/{id}``, and more of one route by ``more``'s fields."""
    flows = {"sums": NOTHING, "holds": HOLDS}
    await put(
        services,
        *(
            {"name": f"{name}-{flow}", "version": 1, "tasks": [task],
             "outputParameters": {"sum": "${workflow.input.a}"} if flow == "sums" else {}}
            for flow, task in flows.items()
        ),
        {"kind": "application", "id": name, "permissions": [
            {"target": {"type": "workflow", "id": f"{name}-{flow}"}, "access": ["EXECUTE"]}
            for flow in flows]},
        {"kind": "auth", "id": name, "applicationId": name,
         "authenticationType": "API_KEY" if key else "NONE"},
        {"kind": "service", "id": name, "name": name, "path": f"/{name}", "authConfigId": name,
         "routes": [
             {"httpMethod": "POST", "path": "/sum/{id}", "inputSchema": BODY,
              "mappedWorkflow": {"name": f"{name}-sums"}, **more},
             {"httpMethod": "POST", "path": "/hold", "timeoutInSeconds": 120,
              "mappedWorkflow": {"name": f"{name}-holds"}},
             {"httpMethod": "POST", "path": "/later", "workflowExecutionMode": "ASYNCHRONOUS",
              "mappedWorkflow": {"name": f"{name}-holds"}},
         ]},
    )  # fmt: skip


async def key_of(services: Services, auth: str) -> str:
    """A new key of an auth."""
    async with connected(services.suite) as clients:
        answer = await clients.registry.CreateApiKey(
            registry_pb2.CreateApiKeyRequest(auth_id=auth, name="tried")
        )
    return str(answer.key)


async def trying(pilot: Pilot[Any], route: str) -> None:
    """Open the test of the route under the cursor, which is ``route``."""
    await until_shown(pilot, "LIVE", route)
    await pilot.press("t")
    await until_shown(pilot, "headers")


async def typed_id(pilot: Pilot[Any]) -> None:
    """Write the parameter, on which the cursor is."""
    # Before the form has the keys they are the place's: 7 goes to another tab.
    await until(pilot, lambda: isinstance(pilot.app.focused, FormLines), "no form has the keys")
    await pilot.press("enter", "7", "enter")


BUSY = "· overloaded"


async def calm(pilot: Pilot[Any]) -> None:
    """Wait until the loop, which the executor shares here, is not late any more."""
    prompt = 0
    while prompt < 10:
        before = time.monotonic()
        await pilot.pause(0.02)
        prompt = prompt + 1 if time.monotonic() - before < 0.2 else 0


async def answered(pilot: Pilot[Any], *texts: str) -> None:
    """Send, and wait for the answer; again where the suite, which has this process, is too busy."""

    def has(*wanted: str) -> bool:
        return all(text in screen_text(pilot.app) for text in wanted)

    await calm(pilot)
    await pilot.press("ctrl+r")
    await until(pilot, lambda: has(*texts) or has(BUSY), f"never shown: {texts}")
    while BUSY not in texts and has(BUSY):
        await pilot.press("ctrl+r")
        await until(pilot, lambda: not has(BUSY))
        await until(pilot, lambda: has(*texts) or has(BUSY), f"never shown: {texts}")


_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CUT_ID = r"[0-9a-f]{8}-[0-9a-f-]{0,27}…|[0-9a-f]{8}(?:-[0-9a-f]{1,4}){1,3}(?:-[0-9a-f]{1,12})?$"
_ID_END = r"…[0-9a-f]{8}\b"
_MASKS = (
    (rf"{_ID}|{_CUT_ID}|{_ID_END}", lambda found: "<id>".ljust(len(found[0]), "~")),
    (r"127\.0\.0\.1:\d+", lambda found: "<gateway>".ljust(len(found[0]), "~")),
    (r"─+ \d[\d,]*\.\d+ ms ─", lambda found: " <took> ─".rjust(len(found[0]), "─")),
    (r"\d[\d,]*\.\d+ ms", lambda found: "<took>"),
    (r" +\d[\d,]*\.\d\d(?= )", lambda found: "#.##".rjust(len(found[0]))),
)


def masked(pilot: Pilot[Any]) -> str:
    """The screen below its first line, without what differs from run to run."""
    text = "\n".join(screen_text(pilot.app).split("\n")[1:])
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text, flags=re.MULTILINE)
    return text
