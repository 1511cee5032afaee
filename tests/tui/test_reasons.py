"""A reason says what failed and why, and no id."""

from __future__ import annotations

import pytest

from tui.views.reasons import short_reason

ID = "2926eb62-16cd-81e6-a0b1-0123456789ab"


@pytest.mark.parametrize(
    ("reason", "refs", "short"),
    [
        (
            f"Task {ID} failed with status: FAILED and reason: '127.0.0.1:1 refused.'",
            ("call",),
            "call: 127.0.0.1:1 refused.",
        ),
        (f"Task {ID} failed with status: FAILED and reason: 'it isn't'", ("a",), "a: it isn't"),
        (f"Task {ID} failed with status: TIMED_OUT and reason: ''", ("a", "b"), "a: TIMED_OUT"),
        (f"Task {ID} failed with status: FAILED and reason: 'cut off he", (), "cut off he"),
        ("Somebody ended it.", ("call",), "Somebody ended it."),
        ("", (), ""),
    ],
)
def test_its_frame_is_left_out(reason: str, refs: tuple[str, ...], short: str) -> None:
    assert short_reason(reason, refs) == short
