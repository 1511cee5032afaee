"""The console's screens as text, and waiting for what they are to show."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from textual import events
from textual._context import active_app
from textual.app import App
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot

SNAPSHOTS = Path(__file__).with_name("snapshots")
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.015
LOOK_SECONDS = 0.02
# A screen that is the same for so many looks is what it comes to.
STILL = 25
# Who has nothing to do for so many rounds waits for somebody else.
QUIET = 2
# Whoever goes on without a message has its turn before: as many as dealing with one took.
TURNS = 5
# As Pilot's own.
DEALING_SECONDS = 30.0
# While a worker of these is under way a place, its tab or its form does not have the keys yet.
GOING = ("navigation", "place", "tab", "form")
_SIGNS = {"slash": "/", "colon": ":", "space": " ", "number_sign": "#"}


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
    wanted = path.read_text("utf-8")
    lines = difflib.unified_diff(wanted.splitlines(), text.splitlines(), name, "shown", lineterm="")
    assert text + "\n" == wanted, "\n".join(lines)


async def settled(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Let the app go on until every message was dealt with; instead of Textual's wait_for_idle.

    Args:
        min_sleep: Is left out of account: what is waited for is known.
        max_sleep: In seconds of a machine that does nothing else: who deals with one message for
            longer is not waited for.
    """
    settling = asyncio.create_task(_settle(active_app.get()))
    try:
        # Counted, not timed: where the machine, or the app, is slow, each of them takes longer.
        for _ in range(round(max_sleep / LOOK_SECONDS)):
            if (await asyncio.wait([settling], timeout=LOOK_SECONDS))[0]:
                settling.result()
                return
    finally:
        settling.cancel()


async def dealt_with(pilot: Pilot[Any]) -> bool:
    """Let the app go on until all is dealt with that its nodes were sent; instead of Pilot's wait.

    That has each node deal with a message of its own; here only those have one that do not wait for
    their next message already.

    Returns:
        Whether all is: not where the app fails meanwhile.
    """
    app = pilot.app
    for _ in range(TURNS):
        await asyncio.sleep(0)
    if app._exception_event.is_set() or not app._screen_stack:
        return False
    asked = [(node, asyncio.Event()) for node in _nodes(app) if not _waits(node)]
    dealt = [event.wait() for node, event in asked if node.call_later(event.set)]
    if not dealt:
        return True
    all_dealt = asyncio.gather(*dealt)
    failed = asyncio.create_task(app._exception_event.wait())
    try:
        async with asyncio.timeout(DEALING_SECONDS):
            await asyncio.wait((all_dealt, failed), return_when=asyncio.FIRST_COMPLETED)
        return all_dealt.done()
    finally:
        all_dealt.cancel()
        failed.cancel()


def _nodes(app: App[Any]) -> list[MessagePump]:
    return [app, *app.screen.walk_children(with_self=True)]


def _waits(node: MessagePump) -> bool:
    """Whether a node has nothing to do: it waits for the next message, and there is none."""
    come: asyncio.Event = node._message_queue.ready_event
    return bool(come._waiters) and not come.is_set()


async def _settle(app: App[Any]) -> None:
    pilot, quiet = Pilot(app), 0
    while quiet < QUIET:
        # Until all that was there is dealt with, and laid out; it may have brought more.
        await dealt_with(pilot)
        app.screen._on_timer_update()
        if _is_going(app):
            await asyncio.sleep(POLL_SECONDS)
        quiet = 0 if _has_work(app) else quiet + 1


def _has_work(app: App[Any]) -> bool:
    screen = app.screen
    if screen._layout_required or screen._dirty_widgets or app._next_callbacks or _is_going(app):
        return True
    return any(node.message_queue_size for node in _nodes(app))


def _is_going(app: App[Any]) -> bool:
    # What another screen is open over waits for that.
    return any(
        worker.group in GOING
        and not worker.is_finished
        and app.screen in worker.node.ancestors_with_self
        for worker in app.workers
    )


def burst(app: App[Any], *keys: str) -> None:
    """Post all keys at once, as a terminal gives what was typed while it was slow.

    Args:
        keys: Names of keys, or the signs that they make.
    """
    for key in keys:
        character = _SIGNS.get(key, key if len(key) == 1 else None)
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, character))


async def typed(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys as somebody who writes: those of a word at once, and none before it is there.

    Args:
        keys: As Pilot's ``press`` has them; those of one letter are of a word.
    """
    for of_word, some in groupby(keys, lambda key: len(key) == 1):
        if of_word:
            burst(pilot.app, *some)
            await pilot.pause()
        else:
            await pilot.press(*some)


async def until(pilot: Pilot[Any], holds: Callable[[], bool], what: str = "") -> None:
    """Let the app go on until ``holds``; fails, with the screen, where it never does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await asyncio.sleep(POLL_SECONDS)
                # What is to be painted is, though nobody has waited for it.
                pilot.app.screen._on_timer_update()
    except TimeoutError:
        raise AssertionError(f"{what or 'never so'}:\n{screen_text(pilot.app)}") from None


async def until_shown(pilot: Pilot[Any], *texts: str) -> None:
    """Let the app go on until the screen shows all of ``texts``."""

    def shown() -> bool:
        screen = screen_text(pilot.app)
        return all(text in screen for text in texts)

    await until(pilot, shown, f"never shown: {texts}")


async def until_snapshot(
    pilot: Pilot[Any], name: str, text: Callable[[Pilot[Any]], str] | None = None
) -> None:
    """Let the app go on until it shows ``snapshots/NAME.txt``.

    Some of what a text stands for is shown before the rest of the screen is: what is compared is
    waited for as a whole. With ``UPDATE_SNAPSHOTS=1`` it is written once it no longer changes.

    Args:
        text: What is compared; None: all of the screen.
    """
    read = text or (lambda pilot: screen_text(pilot.app))
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        await _until_still(pilot, read)
        assert_snapshot(read(pilot), name)
        return
    wanted = path.read_text("utf-8")
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while read(pilot) + "\n" != wanted:
                await pilot.pause(0.01)
    except TimeoutError:
        assert_snapshot(read(pilot), name)


async def _until_still(pilot: Pilot[Any], read: Callable[[Pilot[Any]], str]) -> None:
    same, before = 0, read(pilot)
    while same < STILL:
        await pilot.pause(0.02)
        same, before = (same + 1 if read(pilot) == before else 0), read(pilot)
