"""What the console draws of large documents, without a terminal: a megabyte of JSON, 400 tasks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from bench.workloads import Figures
from tui.widgets.flow_graph import FlowGraph
from tui.widgets.json_view import JsonView

SIZE = (160, 48)
MEGABYTE = 1_000_000
TASKS = 400
CASES = 4
PATIENCE_SECONDS = 30.0


class Alone(App[None]):
    """One widget, that fills the screen."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.animation_level = "none"
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


def figures(runs: int) -> Figures:
    """Seconds from the call until what is shown is painted: the median of ``runs``."""
    text, flow = document(MEGABYTE), workflow(TASKS)
    opened = [asyncio.run(_json(text)) for _ in range(runs)]
    drawn = [asyncio.run(_graph(flow)) for _ in range(runs)]
    return {
        "console 1 MB JSON s": median(opened),
        "console 400 tasks drawn ms": 1000 * median(drawn),
    }


async def _json(text: str) -> float:
    view = JsonView("Output")
    return await _until_painted(view, lambda: view.show(text))


async def _graph(flow: dict[str, Any]) -> float:
    graph = FlowGraph("Graph")
    return await _until_painted(graph, lambda: graph.show(flow))


async def _until_painted(widget: Widget, show: Callable[[], None]) -> float:
    """Seconds from ``show()`` until the screen has been painted after it."""
    app = Alone(widget)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        painted = asyncio.Event()
        begin = time.perf_counter()
        show()
        widget.call_after_refresh(painted.set)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await painted.wait()
        app.screen._compositor.render_strips()
        return time.perf_counter() - begin


def document(size: int) -> str:
    """A JSON document of about ``size`` bytes, as an API answers a page of things."""
    item = {
        "id": 184467, "name": "Ünicode name of a thing", "price": 12.5, "active": True,
        "tags": ["one", "two", "three"], "owner": {"id": 7, "mail": "someone@example.com"},
    }  # fmt: skip
    count = size // len(json.dumps(item))
    return json.dumps({"items": [item | {"id": number} for number in range(count)]})


def workflow(count: int) -> dict[str, Any]:
    """A workflow of ``count`` tasks: steps, and every tenth of them a switch of four ways."""
    tasks: list[dict[str, Any]] = []
    made = 0
    while made < count:
        if made % 10 or count - made <= CASES:
            tasks.append(_step(made))
            made += 1
            continue
        cases = {f"case{at}": [_step(made + 1 + at)] for at in range(CASES)}
        tasks.append(_step(made) | {
            "type": "SWITCH", "evaluatorType": "value-param", "expression": "level",
            "decisionCases": cases,
        })  # fmt: skip
        made += 1 + CASES
    return {"name": "wide", "version": 1, "tasks": tasks}


def _step(number: int) -> dict[str, Any]:
    return {"name": f"step{number}", "taskReferenceName": f"step{number}", "type": "HTTP"}
