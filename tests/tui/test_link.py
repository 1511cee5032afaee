"""How the line to a service stands is what came and when."""

from __future__ import annotations

import pytest

from tui.live import link
from tui.live.link import STALE_AFTER_SECONDS, Link, LinkState, worst


def test_it_goes_from_connecting_over_syncing_to_live() -> None:
    line = Link("executor")
    assert line.state == LinkState.CONNECTING

    line = link.syncing(line, 1.0, 40)
    assert (line.state, line.told) == (LinkState.SYNCING, 40)

    line = link.live(line, 2.0, 0.012)
    assert (line.state, line.lag_seconds, line.age(3.0)) == (LinkState.LIVE, 0.012, 1.0)


def test_who_is_silent_for_long_is_stale_and_says_since_when() -> None:
    line = link.live(Link("executor"), 10.0)

    assert line.at(10.0 + STALE_AFTER_SECONDS).state == LinkState.LIVE
    late = line.at(11.0 + STALE_AFTER_SECONDS)

    assert late.state == LinkState.STALE
    assert late.age(11.0 + STALE_AFTER_SECONDS) == 1.0 + STALE_AFTER_SECONDS


def test_a_break_is_reconnecting_and_counts() -> None:
    line = link.live(Link("edge"), 10.0)

    line = link.broken(line, "gone", 11.0)
    line = link.broken(line, "gone", 12.0)

    assert line.state == LinkState.RECONNECTING
    assert (line.attempt, line.next_at, line.reason) == (2, 12.0, "gone")
    assert line.age(12.0) == 2.0


def test_a_line_that_never_stood_is_still_connecting() -> None:
    assert link.broken(Link("edge"), "refused", 1.0).state == LinkState.CONNECTING


def test_a_lag_is_kept_by_signs_of_life_and_is_never_negative() -> None:
    line = link.live(link.live(Link("executor"), 1.0, 0.5), 2.0)
    assert line.lag_seconds == 0.5
    assert link.live(line, 3.0, -0.1).lag_seconds == 0.0


@pytest.mark.parametrize("state", list(LinkState))
def test_a_list_that_may_not_be_seen_says_nothing_of_others(state: LinkState) -> None:
    denied = link.denied(Link("registry"), "no", 1.0)
    assert worst([denied, Link("edge", state)]).state == state
    assert worst([denied]).reason == "no"


@pytest.mark.parametrize("state", list(LinkState))
def test_nothing_is_worse_than_a_refused_key(state: LinkState) -> None:
    refused = link.refused(Link("registry"), "no", 1.0)
    assert worst([Link("edge", state), refused]).state == LinkState.AUTH
