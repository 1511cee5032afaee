"""Others' text is shown as it is: it moves no cursor, is no markup, and breaks nothing."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.widgets.command_line import CommandLine

# A title, a colour, C1's CSI; markup that is never opened; what writes from right to left.
HOSTILE = "x\x1b]0;owned\x07\x1b[31m\x9b2J [red]b[/red] [/nope] \N{RIGHT-TO-LEFT OVERRIDE}abc"
# What the registry lets a name be.
NAME = "host[/ile]"
WAITS = {
    "taskReferenceName": "hold[/nope]", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


@pytest.fixture(scope="module")
async def ids(services: Services) -> tuple[str, str]:
    """A terminated execution and a running one, hostile wherever they can be."""
    description = {"description": HOSTILE}
    await put(services, {"name": NAME, "version": 1, "tasks": [WAITS], **description})
    given = json.dumps({"a": HOSTILE, HOSTILE: [HOSTILE]})
    ended = await start(services, NAME, correlation_id=HOSTILE, input=given)
    async with connected(services.suite) as clients:
        await clients.executor.TerminateExecution(
            executor_pb2.TerminateExecutionRequest(execution_id=ended, reason=HOSTILE)
        )
    return ended, await start(services, NAME, correlation_id=HOSTILE, input=given)


def controls(app: Any) -> str:
    """What a terminal would obey, of all that the screen shows."""
    text = screen_text(app)
    return "".join(each for each in text if unicodedata.category(each) == "Cc" and each != "\n")


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("tab", ["timeline", "graph", "data", "events", "definition"])
async def test_an_execution_shows_it(
    services: Services, ids: tuple[str, str], tab: str, which: int
) -> None:
    async with console_on(services, f"executions/{ids[which]}/{tab}", size=(180, 40)) as pilot:
        await until_shown(pilot, "LIVE", ("⊘ terminated", "● running")[which], NAME)
        await until(pilot, lambda: any(
            word in screen_text(pilot.app) for word in ("hold", '"a"', "execution running")
        ))  # fmt: skip
        assert not controls(pilot.app)


@pytest.mark.parametrize(
    "place",
    ["executions", "workflows name:host*", f"workflows/{NAME.replace('/', '%2F')}/json", "audit"],
)
async def test_lists_show_it(services: Services, ids: tuple[str, str], place: str) -> None:
    async with console_on(services, place, size=(200, 40)) as pilot:
        await until_shown(pilot, "LIVE", NAME)
        assert not controls(pilot.app)


@pytest.mark.parametrize(("place", "key"), [("workflows", "d"), ("workflows", "x")])
async def test_dialogs_and_forms_are_about_it(
    services: Services, ids: tuple[str, str], place: str, key: str
) -> None:
    async with console_on(services, f"{place} name:host*", size=(120, 30)) as pilot:
        await until_shown(pilot, "LIVE", NAME)
        await pilot.press(key)

        await until_shown(pilot, f"{'Delete' if key == 'd' else 'Run'} {NAME}")


async def test_it_is_no_completion_and_cannot_be_in_the_line(
    services: Services, ids: tuple[str, str]
) -> None:
    async with console_on(services, "executions") as pilot:
        await until_shown(pilot, NAME)
        await typed(pilot, "slash", *"corr:x", "tab")
        line = pilot.app.screen.query_one(CommandLine)
        await until(pilot, lambda: line.text == "corr:x")

        line.open(":", HOSTILE, lambda text, cursor: (), lambda text: "", ())

        await until_shown(pilot, r"\x1b]0;owned")
        assert not controls(pilot.app)


async def test_what_is_told_is_neither_obeyed_nor_markup(services: Services) -> None:
    async with console_on(services, "actions", size=(200, 30)) as pilot:
        console: Any = pilot.app
        console.tell(HOSTILE)

        await until_shown(pilot, r"\x1b]0;owned", "[/nope]")
        assert not controls(pilot.app)


async def test_a_history_that_others_wrote_is_left_out(services: Services, tmp_path: Path) -> None:
    (tmp_path / "history-commands").write_bytes(b"actions\n\x1b]0;owned\x07\n\xff\xfe\x00\n")
    async with console_on(services, "actions", state=tmp_path) as pilot:
        await until_shown(pilot, "COMMAND")
        line = pilot.app.screen.query_one(CommandLine)
        await pilot.press("colon", "up")
        await until(pilot, lambda: line.text != "")
        await pilot.press("up", "up")

        await until(pilot, lambda: line.text == "actions")
        assert not controls(pilot.app)


async def test_what_is_no_character_is_copied_as_a_question_mark(services: Services) -> None:
    async with console_on(services, "actions") as pilot:
        pilot.app.copy_to_clipboard("a\ud800b")

        assert pilot.app.clipboard == "a?b"
