"""The first records of a noun, as its list has them."""

from __future__ import annotations

from dataclasses import dataclass

from tui.resources.model import Cell, Column, Resource


@dataclass(frozen=True)
class Row:
    id: str
    at: int | None


ROWS = [Row("b", 2), Row("none", None), Row("c", 3), Row("a", 1)]
AT: Column[Row] = Column("at", "AT", 4, lambda row, _: Cell(str(row.at)), lambda row: row.at)


def _ids(reverse: bool, most: int) -> str:
    rows: Resource[Row] = Resource("rows", (), "Rows", "", (AT,), sort="at", reverse=reverse)
    return " ".join(row.id for row in rows.first(ROWS, most))


def test_they_come_in_the_order_of_the_list_whatever_order_they_came_in() -> None:
    assert _ids(reverse=True, most=2) == "c b"
    assert _ids(reverse=False, most=2) == "a b"


def test_those_without_a_value_come_last() -> None:
    assert _ids(reverse=True, most=9) == "c b a none"
    assert _ids(reverse=False, most=9) == "a b c none"
    assert _ids(reverse=True, most=0) == ""


def test_without_a_column_they_come_by_their_ids() -> None:
    rows: Resource[Row] = Resource("rows", (), "Rows", "")

    assert [row.id for row in rows.first(ROWS, 9)] == ["a", "b", "c", "none"]
