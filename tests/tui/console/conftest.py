"""A suite in this process for the console's tests, and consoles on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.screen import until
from tests.tui.services import Services, services_in
from tui.app import Console
from tui.clients import Connection
from tui.live.session import Session
from tui.widgets.live_table import LiveTable

Opened = Callable[..., AbstractAsyncContextManager[Pilot[Any]]]


@pytest.fixture(scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Services]:
    """One suite for all that only look, or put things under names of their own."""
    async with services_in(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture
async def own_services(tmp_path: Path) -> AsyncGenerator[Services]:
    """A suite of which a test may stop a part."""
    async with services_in(tmp_path / "home") as running:
        yield running


@asynccontextmanager
async def console_on(
    services: Services, place: str = "executions", size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncGenerator[Pilot[Any]]:
    """A console on a suite, at a place."""
    session = Session(Connection(lambda: services.suite))
    console = Console(session, place, **options)
    async with console.run_test(size=size, notifications=True) as pilot:
        yield pilot
        # Whatever failed within the console is a defect, though the screen may look right.
        assert not list(console.failures.last)


async def until_listed(pilot: Pilot[Any], id_: str) -> None:
    """Let the app go on until the cursor of the shown list is on a record; its name may be shown
    as the filter before that."""
    await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).put_cursor_on(id_), id_)
