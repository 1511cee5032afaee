"""What is remembered of texts: enough to be quick, and never much."""

from __future__ import annotations

from hypothesis import given, strategies as st

from services.executor.core.model import Json
from services.executor.core.remembered import remembered
from tests.executor.core.test_expressions import value_of


def test_a_short_text_is_worked_on_once_and_a_long_one_is_not_kept() -> None:
    asked: list[str] = []

    @remembered(most=2, longest=3)
    def doubled(text: str) -> str:
        asked.append(text)
        return text + text

    for _ in range(3):
        assert (doubled("abc"), doubled("abcd")) == ("abcabc", "abcdabcd")

    assert asked == ["abc", "abcd", "abcd", "abcd"]


@given(st.lists(st.text(alphabet="ab", max_size=4), max_size=20))
def test_what_is_remembered_is_what_would_be_made(texts: list[str]) -> None:
    made = remembered(most=2, longest=2)(str.upper)

    assert [made(text) for text in texts] == [text.upper() for text in texts]


def test_a_path_of_any_length_may_come_from_a_caller() -> None:
    for length, found in ((1, 7), (4000, 7), (5000, None), (1 << 20, None)):
        name = "k" * length
        roots: dict[str, Json] = {"workflow": {"input": {"name": name, name: 7}}}

        assert value_of("${workflow.input.${workflow.input.name}}", roots) == found
