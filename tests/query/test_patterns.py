"""Text with gaps: some way of cutting it fits, or none does."""

from __future__ import annotations

from hypothesis import given, strategies as st

from services.query.patterns import fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    # The plain meaning, in a time that grows without bounds.
    def cut(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(cut(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] == text[0] and cut(pattern[1:], text[1:])

    assert fits(tuple(pattern.split("*")), text) is cut(pattern, text)
