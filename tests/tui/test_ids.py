"""Ids of executions where there is little room."""

from __future__ import annotations

import pytest

from tui.views.ids import brief_id, is_id, with_brief_ids

ID = "01a21ec6-915a-7c3e-8f00-423bf868c0d3"


def test_of_an_id_the_end_is_shown() -> None:
    assert brief_id(ID) == "f868c0d3"


@pytest.mark.parametrize("text", ["", "order", ID[:-1], f"{ID}0", f"{ID} ", f"x{ID}", ID.upper()])
def test_what_is_no_id_is_taken_for_none(text: str) -> None:
    assert is_id(ID)
    assert not is_id(text)


def test_ids_within_a_text_are_shortened_and_nothing_else_of_it() -> None:
    text = f"podium terminate {ID} {ID} --reason '{ID}'"

    assert with_brief_ids(text) == "podium terminate …f868c0d3 …f868c0d3 --reason '…f868c0d3'"
    assert with_brief_ids("podium terminate 9f2c") == "podium terminate 9f2c"
    assert with_brief_ids(f"x{ID}") == f"x{ID}"
