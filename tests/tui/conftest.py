"""What all tests of the console share: keys that wait for the app, never for the processor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import textual.app
import textual.pilot

from tests.tui.screen import dealt_with, settled


@pytest.fixture(scope="session", autouse=True)
def colours() -> Iterator[None]:
    """A terminal of many colours, wherever the tests run: with few the console chooses others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLORTERM", "truecolor")
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_keys() -> Iterator[None]:
    """After each key Textual waits until the whole process is idle, up to two seconds of it.

    With three services in it, it hardly ever is; what counts is that the key was dealt with. And
    each of its waits has every widget deal with a message of its own, most of them in vain.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textual.app, "wait_for_idle", settled)
        patch.setattr(textual.pilot, "wait_for_idle", settled)
        patch.setattr(textual.pilot.Pilot, "_wait_for_screen", dealt_with)
        yield
