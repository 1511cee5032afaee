"""`make screenshots`: pictures of the console on a real suite that is busy, for README and docs."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.system.running import upstream_running
from tests.tui.console.conftest import console_on
from tests.tui.console.traffic import call, serve
from tests.tui.screen import until_shown
from tests.tui.services import Services, put, services_in, start

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
WIDE, NARROW = (120, 40), (80, 24)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        place: Where the console is opened; ``{order}`` and ``{failed}`` are ids of executions.
        shows: What the screen must show before it is taken, or before ``keys`` are pressed.
        keys: What is pressed then.
        then: What the screen must show after that.
    """

    name: str
    place: str
    shows: tuple[str, ...]
    keys: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE


PICTURES = (
    Picture("executions", "executions", ("LIVE", "Order", "failed")),
    Picture("timeline", "executions/{order}/timeline", ("LIVE", "poll")),
    Picture("graph", "executions/{order}/graph", ("LIVE", "poll")),
    Picture("data", "executions/{order}/data", ("LIVE", "orderId")),
    Picture("events", "executions/{order}/events", ("LIVE", "poll")),
    Picture("workflows", "workflows", ("LIVE", "Feedback")),
    Picture("editor", "workflows", ("LIVE", "Feedback"), ("e",), ("Graph", "tasks")),
    Picture("services", "services", ("LIVE", "shop")),
    Picture("routes", "routes", ("LIVE", "user-feedback")),
    Picture("test-route", "routes", ("LIVE", "user-feedback"), ("t",), ("Stages",)),
    Picture("metrics", "metrics", ("LIVE", "p95")),
    Picture("pulse", "pulse", ("LIVE",)),
    Picture("limits", "limits", ("LIVE", "burst")),
    Picture("help", "executions", ("LIVE", "Order"), ("question_mark",), ("all keys",)),
    Picture("confirm", "executions status:running", ("LIVE", "Order"), ("t",), ("Cancel",)),
    Picture("executions-80x24", "executions", ("LIVE", "Order"), size=NARROW),
    Picture("timeline-80x24", "executions/{order}/timeline", ("LIVE", "poll"), size=NARROW),
    Picture("graph-80x24", "executions/{order}/graph", ("LIVE", "poll"), size=NARROW),
)


def order(upstream: str) -> dict[str, Any]:
    """A workflow that starts a job and polls it, past a choice and two things side by side."""
    return {
        "name": "Order", "version": 1,
        "tasks": [
            _task("price", "HTTP", uri=f"{upstream}/items/${{workflow.input.orderId}}",
                  method="GET"),
            _task("size", "SWITCH", level="${workflow.input.size}") | {
                "evaluatorType": "value-param", "expression": "level",
                "decisionCases": {"large": [_task("announce", "NOOP")]},
                "defaultCase": [_task("pick", "NOOP")],
            },
            _task("job", "HTTP", uri=f"{upstream}/jobs", method="POST",
                  body={"seconds": 600, "owner": "${workflow.workflowId}"}),
            _task("poll", "HTTP_POLL", method="GET", pollingInterval=1, pollingStrategy="FIXED",
                  uri=f"{upstream}/jobs/${{job.output.response.body.jobId}}",
                  terminationCondition="$.output.response.statusCode == 200"),
        ],
        "outputParameters": {"job": "${poll.output.response.body.result}"},
    }  # fmt: skip


def _task(ref: str, kind: str, **given: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": given}


async def busy(services: Services, upstream: str) -> dict[str, str]:
    """Have a suite with something to see; ids of executions by the names that places have."""
    examples = list(YAML(typ="safe").load_all((ROOT / "examples" / "feedback.yaml").read_text()))
    away = _task("ask", "HTTP", uri=f"{upstream}/nowhere", method="GET")
    await put(services, *examples, order(upstream), {"name": "Away", "version": 1, "tasks": [away]})
    await serve(services, "shop")
    for _ in range(8):
        await call(services, "POST /shop/quick", "GET /shop/kept/1", "POST /shop/fails")
    await call(services, "POST /shop/held")
    failed = await start(services, "Away", correlation_id="night-run")
    await start(services, "Feedback", input='{"rating": 5, "comment": "Fast."}')
    orders = [
        await start(services, "Order", input=f'{{"orderId": "o-{each}", "size": "large"}}')
        for each in range(1, 5)
    ]
    return {"order": orders[-1], "failed": failed}


async def take(services: Services, picture: Picture, ids: dict[str, str]) -> str:
    """The picture as SVG."""
    place = picture.place.format(**ids)
    async with console_on(services, place, picture.size) as pilot:
        await until_shown(pilot, *picture.shows)
        if picture.keys:
            await pilot.press(*picture.keys)
            await until_shown(pilot, *picture.then)
        await pilot.pause()
        return pilot.app.export_screenshot(title=f"podium · {picture.name}")


async def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, upstream_running() as upstream:
        async with services_in(Path(home) / "home") as services:
            ids = await busy(services, upstream)
            for picture in PICTURES:
                svg = await take(services, picture, ids)
                (FOLDER / f"{picture.name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
