"""The console's screens as text, and waiting for what they are to show."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.pilot import Pilot

SNAPSHOTS = Path(__file__).with_name("snapshots")
PATIENCE_SECONDS = 20.0
_NAMES = {"/": "slash", ":": "colon", " ": "space", "#": "number_sign"}
_SIGNS = {name: sign for sign, name in _NAMES.items()}


def screen_text(app: App[Any]) -> str:
    """What the screen shows, without colours; lines without trailing blanks."""
    # The one place that reaches into Textual: it has no public way to the cells of a screen.
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def assert_snapshot(text: str, name: str) -> None:
    """``text`` is that of ``snapshots/NAME.txt``; with ``UPDATE_SNAPSHOTS=1`` it becomes it."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")
    assert text + "\n" == path.read_text("utf-8")


def burst(app: App[Any], *keys: str) -> None:
    """Post all keys at once, as a terminal gives what was typed while it was slow.

    Args:
        keys: Names of keys, or the signs that they make.
    """
    for key in keys:
        character = _SIGNS.get(key, key if len(key) == 1 else None)
        app.post_message(events.Key(_NAMES.get(key, key), character))


async def until(pilot: Pilot[Any], holds: Callable[[], bool], what: str = "") -> None:
    """Let the app go on until ``holds``; fails, with the screen, where it never does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await pilot.pause(0.01)
    except TimeoutError:
        raise AssertionError(f"{what or 'never so'}:\n{screen_text(pilot.app)}") from None


async def until_shown(pilot: Pilot[Any], *texts: str) -> None:
    """Let the app go on until the screen shows all of ``texts``."""
    await until(
        pilot,
        lambda: all(text in screen_text(pilot.app) for text in texts),
        f"never shown: {texts}",
    )
