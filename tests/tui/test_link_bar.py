"""The line on top, at the widths of terminals."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tests.tui.screen import screen_text
from tui.live.link import Link, LinkState
from tui.settings import Context
from tui.widgets.link_bar import LinkBar, Words

VITALS: Words = [("312 running", "primary"), ("4 failed", "error")]
AWAY = Link(
    "executor", LinkState.RECONNECTING, heard_at=10.0, next_at=24.0,
    reason="The executor cannot be reached, whatever is tried, and that is a long story",
)  # fmt: skip


class Bar(App[None]):
    def compose(self) -> ComposeResult:
        yield LinkBar()


async def _line(width: int, link: Link, *services: Link, vitals: Words = VITALS) -> str:
    async with Bar().run_test(size=(width, 3)) as pilot:
        bar = pilot.app.query_one(LinkBar)
        bar.show(Context("prod", protected=True), True, link, services, vitals, 20.0)
        await pilot.pause()
        return screen_text(pilot.app).splitlines()[0]


async def test_a_live_suite_says_its_lag_and_what_runs() -> None:
    line = await _line(80, Link("executor", LinkState.LIVE, 20.0, lag_seconds=0.012))

    assert line.startswith(" prod  ● LIVE · lag 12 ms")
    assert line.endswith("312 running · 4 failed  PROTECTED  RO")
    assert len(line) <= 80


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_a_broken_line_says_whose_since_when_and_until_when(width: int) -> None:
    other = Link("registry", LinkState.LIVE, 20.0)
    line = await _line(width, AWAY, AWAY, other)

    assert "○ RECONNECTING ○ executor ● registry" in line
    assert ("312 running" in line) == (width > 80)
    assert line.endswith("PROTECTED  RO")
    assert len(line) <= width
    if width == 200:
        assert "as of 10 s ago · again in 4 s · The executor cannot be reached" in line


async def test_how_the_lines_stand_comes_before_what_runs() -> None:
    line = await _line(44, AWAY)

    assert "RECONNECTING" in line
    assert "running" not in line


async def test_stale_data_has_its_age() -> None:
    stale = Link("edge", LinkState.STALE, heard_at=5.0)

    assert "◌ STALE · edge · as of 15 s ago" in await _line(120, stale)
