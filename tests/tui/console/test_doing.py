"""Before something is done, while it is, and what came of it."""

from __future__ import annotations

import shlex
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Input

from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.screens.confirm import ConfirmScreen
from tui.screens.list_pane import ListPane
from tui.settings import Context
from tui.widgets.live_table import LiveTable

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip

FAILS = {
    "taskReferenceName": "fails", "name": "fails", "type": "INLINE",
    "inputParameters": {"evaluatorType": "javascript", "expression": "nothing.at.all"},
}  # fmt: skip


async def _started(services: Services, workflow: str, count: int = 1) -> list[str]:
    await put(services, {"name": workflow, "version": 1, "tasks": [WAITS]})
    return [await start(services, workflow) for _ in range(count)]


async def _status(services: Services, id_: str) -> int:
    async with connected(services.suite) as clients:
        request = executor_pb2.GetExecutionRequest(execution_id=id_)
        return int((await clients.executor.GetExecution(request)).state.status)


async def _dialog(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await until(pilot, lambda: isinstance(pilot.app.screen.focused, Button | Input))


async def test_enter_alone_does_nothing(services: Services) -> None:
    (id_,) = await _started(services, "enter-does-nothing")
    async with console_on(services, "executions wf:enter-does-nothing") as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("t")
        await _dialog(pilot)
        focused = pilot.app.screen.focused
        assert focused is not None
        assert focused.id == "answer-reason"

        await pilot.press("enter")
        assert pilot.app.screen.focused is pilot.app.screen.query_one("#cancel")
        await pilot.press("enter")

        await until(pilot, lambda: not isinstance(pilot.app.screen, ConfirmScreen))
        assert await _status(services, id_) == executor_pb2.EXECUTION_STATUS_RUNNING


async def test_answers_go_with_the_command_that_is_logged(services: Services) -> None:
    (id_,) = await _started(services, "answered")
    async with console_on(services, "executions wf:answered") as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("t")
        await _dialog(pilot)
        await typed(pilot, *"it's over", "enter")
        # Letters were text, and it takes one more key.
        await until_shown(pilot, "it's over", "Terminate")
        assert pilot.app.screen.focused is pilot.app.screen.query_one("#do")
        await pilot.press("enter")
        await until_shown(pilot, "⊘ terminated", "it's over")

        await typed(pilot, "colon", *"actions", "enter", "w")

        await until_shown(pilot, "✔ done")
        command = shlex.join(["podium", "terminate", id_, "--reason", "it's over"])
        log = pilot.app.session.log.collection.records  # type: ignore[attr-defined]
        assert [entry.command for entry in log.values()] == [command]


async def test_many_are_done_only_when_their_count_was_typed(services: Services) -> None:
    ids = await _started(services, "many", 12)
    async with console_on(services, "executions wf:many") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: len(table.view) == 12)
        await pilot.press("asterisk", "t")
        await _dialog(pilot)
        await until_shown(pilot, "Terminate 12", "12 ● running", "and 7 more")
        await pilot.press("ctrl+s")
        typed = pilot.app.screen.query_one("#typed", Input)
        await until(pilot, lambda: pilot.app.screen.focused is typed)
        assert pilot.app.screen.query_one("#do", Button).disabled
        await pilot.press("1", "2")
        await until(pilot, lambda: not pilot.app.screen.query_one("#do", Button).disabled)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.focused is pilot.app.screen.query_one("#do"))
        await pilot.press("enter")

        await until_shown(pilot, "Terminate 12: 12 of 12", "✔ ok")
        for id_ in ids:
            assert await _status(services, id_) == executor_pb2.EXECUTION_STATUS_TERMINATED
        await pilot.press("escape")
        await until(pilot, lambda: "12 of 12" not in screen_text(pilot.app))


async def test_what_failed_is_told_and_marked_with_one_key(
    own_services: Services,
) -> None:
    ids = await _started(own_services, "away", 2)
    async with console_on(own_services, "executions wf:away") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: len(table.view) == 2)
        await own_services.stop("executor")
        await pilot.press("asterisk", "t")
        await _dialog(pilot)
        await pilot.press("ctrl+s")

        await until_shown(pilot, "2 failed", "✘ failed", "● running")
        await pilot.press("backslash", "M")
        await until(pilot, lambda: table.marks == set(ids))
        await own_services.start("executor")


async def test_marks_end_with_what_they_were_for_and_what_is_out_of_sight_is_asked_for(
    services: Services,
) -> None:
    ids = await _started(services, "marks-end", 2)
    async with console_on(services, "executions wf:marks-end status:running") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: len(table.view) == 2)
        await pilot.press("asterisk", "P")
        await _dialog(pilot)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Pause 2: 2 of 2")
        assert table.marks == set()
        await until(pilot, lambda: len(table.view) == 0)

        pane = pilot.app.screen.query_one(ListPane)
        pane.mark(ids[:1])
        await until_shown(pilot, "1 marked, 1 out of sight")
        # One is paused and resumed without a question, but not one that is not seen.
        await pilot.press("u")
        await _dialog(pilot)
        await until_shown(pilot, "1 of them out of sight")


async def test_a_protected_context_is_typed(services: Services) -> None:
    await _started(services, "protected")
    async with console_on(
        services, "executions wf:protected", context=Context("live", protected=True)
    ) as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("t")
        await _dialog(pilot)

        await until_shown(pilot, "Type the context's name to go on: live", "which is protected")


async def test_actions_are_absent_where_nothing_may_be_changed(services: Services) -> None:
    await _started(services, "read-only")
    async with console_on(
        services, "executions wf:read-only", context=Context("live", read_only=True)
    ) as pilot:
        await until_shown(pilot, "● running", "RO")
        assert "Terminate" not in screen_text(pilot.app)
        await pilot.press("t")

        pane = pilot.app.screen.query_one(ListPane)
        assert pane.check_action("act", ("executions.terminate",)) is False
        assert not isinstance(pilot.app.screen, ConfirmScreen)


async def test_a_row_says_what_was_asked_until_the_stream_says_that_it_is_so(
    services: Services,
) -> None:
    (id_,) = await _started(services, "asked-of")
    async with console_on(services, "executions wf:asked-of") as pilot:
        await until_shown(pilot, "● running")
        console: Any = pilot.app
        record = console.session.known(_source())[id_]
        console.session.pending.sent("executions", "terminating", [record], _state)

        await until_shown(pilot, "⋯ terminating")
        async with connected(services.suite) as clients:
            await clients.executor.TerminateExecution(
                executor_pb2.TerminateExecutionRequest(execution_id=id_)
            )

        await until_shown(pilot, "⊘ terminated")
        assert "⋯" not in screen_text(pilot.app)


def _source() -> Any:
    from tui.resources.executions import SOURCE

    return SOURCE


def _state(row: Any) -> Any:
    return row.status, row.ended_at


async def test_several_that_are_retried_are_done_only_when_the_stream_says_so(
    services: Services,
) -> None:
    await put(services, {"name": "fails-again", "version": 1, "tasks": [FAILS]})
    ids = [await start(services, "fails-again") for _ in range(2)]
    async with console_on(services, "executions wf:fails-again status:failed") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: len(table.view) == 2)
        await pilot.press("asterisk", "r")
        await _dialog(pilot)
        await until_shown(pilot, "Retry 2", "go on from what failed", "Retry · Esc cancel")
        await pilot.press("ctrl+s")

        # It was accepted, and failed again: only the stream tells that.
        await until_shown(pilot, "Retry 2: 2 of 2", "2 failed", "failed: fails")
        console: Any = pilot.app
        (entry,) = console.session.log.collection.records.values()
        assert entry.state == "FAILED"
        assert entry.detail.startswith("0 of 2, 2 failed: failed: fails")
        assert sorted(console.session.log.results(entry.id).failed_ids) == sorted(ids)


async def test_results_are_shown_at_the_place_where_it_was_done_and_nowhere_else(
    services: Services,
) -> None:
    ids = await _started(services, "told-there", 2)
    async with console_on(services, "executions wf:told-there") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: len(table.view) == 2)
        await pilot.press("asterisk", "P")
        await _dialog(pilot)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Pause 2: 2 of 2", "✔ ok")

        await pilot.press("backslash", "enter")
        await until_shown(pilot, "1 Timeline", "hold")
        assert "Pause 2" not in screen_text(pilot.app)
        await typed(pilot, "colon", *"executions", "enter")
        await until_shown(pilot, "STATUS")
        assert "Pause 2" not in screen_text(pilot.app)

        await pilot.press("left_square_bracket", "left_square_bracket")
        await until_shown(pilot, "Pause 2: 2 of 2", ids[0][-8:])
        await pilot.press("escape")
        await until(pilot, lambda: "Pause 2" not in screen_text(pilot.app))


async def test_a_task_that_is_completed_by_hand_is_called_by_its_name(services: Services) -> None:
    (id_,) = await _started(services, "by-hand")
    async with console_on(services, f"executions/{id_}", size=(80, 24)) as pilot:
        await until_shown(pilot, "hold", "in progress")
        await pilot.press("m")
        await _dialog(pilot)

        await until_shown(
            pilot, "Complete by hand hold (WAIT)", "Enter next · ^s Complete by hand · Esc cancel"
        )
        await pilot.press("tab", "tab")
        await until_shown(pilot, "Tab next · y Complete by hand · Esc cancel")

        await pilot.press("shift+tab")
        await until_shown(pilot, "Enter next · ^s Complete by hand · Esc cancel")


async def test_a_signal_and_a_rerun_are_asked_about_and_done(services: Services) -> None:
    human = {**WAITS, "type": "HUMAN", "inputParameters": {}}
    await put(services, {"name": "told-by-hand", "version": 1, "tasks": [human]})
    id_ = await start(services, "told-by-hand")
    async with console_on(services, "executions wf:told-by-hand") as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("I")
        await _dialog(pilot)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "✔ completed")
        await pilot.press("B")
        await _dialog(pilot)
        await typed(pilot, *"hold", "ctrl+s")
        await until_shown(pilot, "● running")

        log = pilot.app.session.log.collection.records  # type: ignore[attr-defined]
        commands = [entry.command for entry in log.values()]
        assert f"podium rerun {id_} --from hold" in commands


async def test_what_a_test_of_a_workflow_came_to_is_shown_whole(services: Services) -> None:
    task = {"name": "ask", "taskReferenceName": "ask", "type": "HUMAN"}
    await put(services, {"kind": "workflow", "name": "tested", "version": 1, "tasks": [task]})
    async with console_on(services, "workflows name:tested", size=(120, 30)) as pilot:
        await until_shown(pilot, "tested", "HUMAN")
        await pilot.press("t")
        await until_shown(pilot, "without its world")
        await typed(pilot, *'{"ask": [{"status": "COMPLETED", "output": {"ok": 1}}]}')
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Test: completed", '"status": "COMPLETED"')
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen.query(LiveTable).first().has_focus)
