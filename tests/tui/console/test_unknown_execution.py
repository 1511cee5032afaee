"""An execution that is not there: every part of its page says so, until it is."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put, start

ID = "01a21ec6-915a-7c3e-8f00-0000000000{:02}"
WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


def _keys(pilot: Pilot[Any]) -> set[str]:
    """What the last line has for keys that do something."""
    active = pilot.app.screen.active_bindings.values()
    return {each.binding.description for each in active if each.enabled and each.binding.show}


@pytest.mark.parametrize("tab", ["timeline", "graph", "data", "events"])
async def test_an_id_that_nothing_has_says_so_in_the_page_too(services: Services, tab: str) -> None:
    id_ = ID.format(99)
    async with console_on(services, f"executions/{id_}/{tab}", size=(140, 40)) as pilot:
        frame: Any = pilot.app.screen
        await until(pilot, lambda: frame.place.missing)
        await until(
            pilot,
            lambda: screen_text(pilot.app).count(f"There is no execution '{id_}'.") == 2,
        )

        await until_shown(pilot, "● LIVE")
        await until(pilot, lambda: _keys(pilot) == {"Command", "Help"})
        assert "asking" not in screen_text(pilot.app).lower()


async def test_what_begins_under_the_id_meanwhile_is_shown(services: Services) -> None:
    id_ = ID.format(1)
    await put(services, {"name": "comes-late", "version": 1, "tasks": [WAITS]})
    async with console_on(services, f"executions/{id_}") as pilot:
        frame: Any = pilot.app.screen
        await until(pilot, lambda: frame.place.missing)

        await start(services, "comes-late", execution_id=id_)

        await until_shown(pilot, "comes-late", "hold", "● running")
        await until(pilot, lambda: {"Fold", "Follow", "Terminate"} <= _keys(pilot))
