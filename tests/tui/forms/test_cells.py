"""A form's rows in so many cells: labels, and what is said about the row under the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as some
from rich.cells import cell_len

from tui.views.forms.cells import about, label_cells
from tui.views.forms.fields import Field
from tui.views.forms.rows import FormRow

LONG = "How long callers wait for an answer before they are told where to ask for it later."


def row(label: str = "wait", description: str = "", *, required: bool = False) -> FormRow:
    field = Field(label, "integer", description=description, required=required)
    return FormRow("value", (label,), field, 0, label)


@pytest.mark.parametrize(
    ("width", "cells"),
    [(120, 30), (56, 30), (50, 24), (40, 16)],
    ids=["plenty", "enough", "values have room first", "little"],
)
def test_labels_are_whole_where_values_have_room_beside_them(width: int, cells: int) -> None:
    assert label_cells([row("n" * 28)], width) == cells


def test_what_fits_in_a_line_has_one() -> None:
    assert about(row(description="Short.", required=True), 40) == (
        "Short.",
        "required · a whole number",
    )


def test_what_is_too_long_for_a_line_goes_on_in_the_next() -> None:
    first, second = about(row(description=LONG, required=True), 70)

    assert f"{first} {second}" == f"{LONG} · required · a whole number"


def test_what_may_stand_there_is_told_however_long_the_description_is() -> None:
    first, second = about(row(description=LONG * 3, required=True), 50)

    assert LONG.startswith(first)
    assert second.endswith("… · required · a whole number")


@given(some.text(max_size=200), some.integers(10, 80))
def test_the_second_line_fits_where_the_first_does_not(text: str, width: int) -> None:
    _, second = about(row(description=text, required=True), width)

    assert cell_len(second) <= max(width, len("required · a whole number"))
