"""Tasks of all executions: found by a query, ended by hand together, opened where they are."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.console.conftest import console_on
from tests.tui.screen import until, until_shown
from tests.tui.services import Services, put, start
from tui.screens.list_pane import ListPane
from tui.widgets.flow_graph import FlowGraph
from tui.widgets.timeline import Timeline


async def test_tasks_of_several_executions_are_ended_by_hand(services: Services) -> None:
    asks = [{"name": ref, "taskReferenceName": ref, "type": "HUMAN"} for ref in ("first", "last")]
    await put(services, {"kind": "workflow", "name": "asks-twice", "version": 1, "tasks": asks})
    for _ in range(2):
        await start(services, "asks-twice")
    async with console_on(services, "task-runs wf:asks-twice", size=(120, 24)) as pilot:
        await until_shown(pilot, "first", "the service decides wf:asks-twice")
        pane = pilot.app.screen.query_one(ListPane)
        await until(pilot, lambda: len(pane.table.view) == 2)
        await pilot.press("asterisk", "m")
        await until_shown(pilot, "counts as the word")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: [each.ref for each in pane.all_records()].count("last") == 2)
        last = next(each for each in pane.all_records() if each.ref == "last")
        await until(pilot, lambda: pane.table.put_cursor_on(last.id))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: last.id in _cursors(pilot))
        await pilot.press("2")
        graph = pilot.app.screen.query_one(FlowGraph)
        await until(pilot, lambda: bool(graph.cursor))
        await pilot.press("K")
        await until(pilot, lambda: bool(pilot.app.screen.query("#answer-ref")))
        # What is asked for is what the cursor is on.
        assert pilot.app.screen.query_one("#answer-ref", Input).value == graph.cursor


def _cursors(pilot: Pilot[Any]) -> list[str]:
    """On which attempts the cursors of timelines are."""
    rows = [each.row for each in pilot.app.screen.query(Timeline)]
    return [row.node.task_id for row in rows if row is not None]
