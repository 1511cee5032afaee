"""What `podium status` says of a suite that waits since it was restored."""

from __future__ import annotations

import pytest

from tui.views.services import restored_lines


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        (0, "Its executions are PAUSED since"),
        (1, "1 execution is PAUSED since"),
        (1234, "1,234 executions are PAUSED since"),
    ],
)
def test_it_says_how_many_wait_and_the_way_out(waiting: int, said: str) -> None:
    lines = restored_lines("2027-01-31T12:00:00Z", "2027-01-30T12:00:00Z", waiting)

    assert "from a backup of 2027-01-30T12:00:00Z" in lines[0]
    assert lines[1].startswith(said)
    assert lines[-1].strip() == "podium resume --query status:paused"
    assert all(len(line) <= 80 for line in lines)
