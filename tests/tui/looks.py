"""`python -m tests.tui.looks`: the console's lists as text, at three sizes, as a JSON object.

A process of its own: the time of day stands still in it, and no other suite may live by that.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.console.conftest import console_on
from tests.tui.screen import dealt_with, screen_text, until, until_shown
from tests.tui.still import Clock, still_suite
from tui.app import Console
from tui.views.addresses import parse

STILL_SECONDS = 0.25
# What is read again and again is read once in that, of real time.
TOLD_SECONDS = 2.5
SIZES = ((80, 24), (120, 40), (200, 60))
# Each with what is there once all of it is. The pulse, whose figures are drawn of each second, has
# its looks by values: see test_ops_widgets.
PLACES = {
    "executions": "Order", "workflows": "Order", "services": "shop", "routes": "Feedback",
    "metrics": "all requests", "limits": "shop", "audit": "shop",
    "applications": "feedback-portal", "auths": "feedback-keys",
}  # fmt: skip


def name_of(place: str, size: tuple[int, int]) -> str:
    """Of the snapshot."""
    return f"look_{place}_{size[0]}x{size[1]}"


async def main() -> None:
    """Print them."""
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        # Each look but one finds that nobody has anything to do.
        patch.setattr(Pilot, "_wait_for_screen", dealt_with)
        async with (
            still_suite(Path(home) / "home") as (services, clock, _),
            console_on(services, size=SIZES[0]) as pilot,
        ):
            for place in PLACES:
                await _look(pilot, clock, place, texts)
    sys.stdout.write(json.dumps(texts))


async def _look(pilot: Pilot[None], clock: Clock, place: str, texts: dict[str, str]) -> None:
    console = pilot.app
    assert isinstance(console, Console)
    console.open(parse(place))
    await until(pilot, lambda: _is_at(console, place))
    await until_shown(pilot, "LIVE", PLACES[place])
    await go_on(pilot, clock, place)
    for size in SIZES:
        await pilot.resize_terminal(*size)
        await until_shown(pilot, "LIVE", PLACES[place])
        texts[name_of(place, size)] = await text_of_still(pilot)


def _is_at(console: Console, place: str) -> bool:
    shown = console.frame.place
    return shown is not None and shown.address.resource == place


async def go_on(pilot: Pilot[None], clock: Clock, place: str) -> None:
    """Let a second pass: figures are made anew once a second, of what services tell as often."""
    seconds = TOLD_SECONDS if place == "pulse" else STILL_SECONDS
    await text_of_still(pilot, seconds)
    clock.wait(1)
    await text_of_still(pilot, seconds)


async def text_of_still(pilot: Pilot[None], seconds: float = STILL_SECONDS) -> str:
    """The screen's text once it has been the same for a moment: nothing else goes on."""
    text, alike = screen_text(pilot.app), 0
    while alike < seconds / 0.05:
        await pilot.pause(0.05)
        now = screen_text(pilot.app)
        text, alike = now, alike + 1 if now == text else 0
    return text


if __name__ == "__main__":
    asyncio.run(main())
