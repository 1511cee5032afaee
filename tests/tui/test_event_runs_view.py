"""What is said where handlers did nothing."""

from __future__ import annotations

from tui.views.event_runs import none_of


def test_it_is_said_of_whom_and_what_was_asked() -> None:
    assert none_of("", "") == "Nothing was done yet."
    assert none_of("shipper", "") == "Nothing was done by a handler 'shipper' yet."
    assert none_of("", "webhook:shop") == "Nothing was done about the event 'webhook:shop' yet."
    assert none_of("a", "b") == "Nothing was done by a handler 'a' about the event 'b' yet."
