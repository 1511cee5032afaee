"""Which keys a line has room for."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tui.views.key_hints import GAP, KeyHint, fit

hints = st.builds(
    KeyHint, st.just("k"), st.text("kK^", min_size=1, max_size=4), st.text("Titel", max_size=9),
    st.booleans(), st.booleans(),
)  # fmt: skip


def test_the_way_to_all_others_stays() -> None:
    all_ = [KeyHint("a", "a", "Something"), KeyHint("?", "?", "Help", stays=True)]

    assert fit(all_, 8) == [all_[1]]
    assert fit(all_, 40) == all_


def test_what_does_nothing_now_goes_first() -> None:
    off, on = KeyHint("a", "a", "Off", enabled=False), KeyHint("b", "b", "On")

    assert fit([off, on], on.width) == [on]


def test_what_does_something_now_comes_first_and_what_stays_last() -> None:
    off, on = KeyHint("a", "a", "Off", enabled=False), KeyHint("b", "b", "On")
    help_ = KeyHint("?", "?", "Help", stays=True)

    assert fit([help_, off, on], 80) == [on, off, help_]


@given(st.lists(hints, max_size=9), st.integers(0, 80))
def test_what_is_chosen_fits_and_keeps_its_order(some: list[KeyHint], width: int) -> None:
    chosen = fit(some, width)
    stay = sum(hint.width for hint in some if hint.stays)

    assert sum(hint.width for hint in chosen) - GAP <= max(width, stay)
    places = [next(i for i, each in enumerate(some) if each is hint) for hint in chosen]
    order = [(hint.stays, not hint.enabled, at) for hint, at in zip(chosen, places, strict=True)]
    assert order == sorted(order)
