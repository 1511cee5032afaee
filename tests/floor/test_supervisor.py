"""The supervisor: how soon a child is started again, and starts that fail."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

import pytest

from services.supervisor import SERVICES, Suite, restart_delay

# More than the kernel hands to a new process in one variable.
TOO_LARGE = {"PODIUM_HOME": "x" * (1 << 20)}


@pytest.fixture(autouse=True)
def _no_suite_of_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The services see the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("PODIUM_")]:
        monkeypatch.delenv(name)


def nobody(pids: Mapping[str, int]) -> None:
    raise AssertionError(f"{pids} cannot serve")


def test_a_child_that_lived_is_started_again_at_once() -> None:
    assert restart_delay(5.0, previous=3.2) == 0.0


def test_one_that_dies_at_once_waits_longer_each_time_up_to_5_s() -> None:
    delays = [0.0]
    for _ in range(7):
        delays.append(restart_delay(0.1, delays[-1]))

    assert delays[1:] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_process_that_there_is_no_room_for_is_tried_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Starts real processes, which end at once for want of a home; that takes a while."""
    environment = dict(TOO_LARGE)
    suite = Suite(environment, nobody)

    async with asyncio.timeout(30):
        running = asyncio.create_task(suite.run())
        told = ""
        while told.count("again in 0.4 s") < len(SERVICES):
            await asyncio.sleep(0.01)
            told += capfd.readouterr().err
        environment.clear()

        assert await running == 1

    for name in SERVICES:
        assert (
            f"podium up: the {name} cannot be started (Argument list too long); "
            "it is tried again in 0.2 s.\n"
        ) in told
    assert "Neither PODIUM_" in capfd.readouterr().err


async def test_a_suite_that_waits_to_try_again_can_be_stopped() -> None:
    suite = Suite(TOO_LARGE, nobody)
    asyncio.get_running_loop().call_later(0.05, suite.stop)

    assert await suite.run() == 0


async def test_an_end_that_nobody_foresaw_ends_the_suite() -> None:
    with pytest.raises(ExceptionGroup):
        await Suite({"no\0name": ""}, nobody).run()
