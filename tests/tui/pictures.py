"""`make screenshots`: pictures of the console on a real suite, for README and docs.

Its clock stands still, so that pictures change only where the console does.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.tui.console.conftest import console_on
from tests.tui.looks import go_on, text_of_still
from tests.tui.screen import until_shown
from tests.tui.services import Services
from tests.tui.still import Clock, Ids, still_suite

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
WIDE, NARROW = (120, 40), (80, 24)
# Of the service that is called: places show its address.
PORT = 9099


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
    Picture("editor", "workflows", ("LIVE", "Feedback"), ("e",), ("Graph", "tasks", "✔ fine")),
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


async def take(services: Services, clock: Clock, picture: Picture, ids: Ids) -> str:
    """The picture as SVG."""
    place = picture.place.format(**ids)
    async with console_on(services, place, picture.size) as pilot:
        await until_shown(pilot, *picture.shows)
        await go_on(pilot, clock, picture.place)
        if picture.keys:
            await pilot.press(*picture.keys)
            await until_shown(pilot, *picture.then)
        await text_of_still(pilot)
        return pilot.app.export_screenshot(title=f"podium · {picture.name}")


async def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        async with still_suite(Path(home) / "home", PORT) as (services, clock, ids):
            for picture in PICTURES:
                svg = await take(services, clock, picture, ids)
                (FOLDER / f"{picture.name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
