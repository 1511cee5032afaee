"""Ids of which a part is typed."""

from __future__ import annotations

import pytest

from tui.views.addresses import alike, meant_by

ONE = "b4a43dbf-386d-4d00-8000-000000000001"
TWO = "b4a43dbf-386d-4d00-8000-000000000002"
OTHER = "c0ffee00-386d-4d00-8000-423bf868c0d3"
ALL = [ONE, TWO, OTHER]


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ("c0ff", [OTHER]),
        ("b4a43dbf", [ONE, TWO]),
        (ONE, [ONE]),
        ("c0ff…", [OTHER]),
        ("b4a4…", [ONE, TWO]),
    ],
)
def test_the_beginning_of_one_id_means_it(written: str, ids: list[str]) -> None:
    assert meant_by(written, ALL).ids == ids


@pytest.mark.parametrize(
    "written", ["423bf868c0d3", "…423bf868c0d3", "68C0D3", "-423bf868c0d3", "c0…d3", "…d3"]
)
def test_the_end_of_one_id_means_it(written: str) -> None:
    assert meant_by(written, ALL).ids == [OTHER]


def test_what_only_one_holds_means_it() -> None:
    assert meant_by("bf868", ALL).ids == [OTHER]
    assert meant_by("d3", ALL).ids == [OTHER]


def test_those_that_begin_so_come_before_those_that_end_so() -> None:
    begins = "0001aaaa-386d-4d00-8000-00000000ffff"

    assert meant_by("0001", [ONE, begins]).ids == [begins]
    assert meant_by("…0001", [ONE, begins]).ids == [ONE]


@pytest.mark.parametrize(
    ("written", "how", "pattern"),
    [
        ("b4a43dbf", "begin with", "b4a43dbf*"),
        ("b4a43dbf…", "begin with", "b4a43dbf*"),
        ("386d-4d00", "hold", "*386d-4d00*"),
        ("…0000", "end with", "*0000"),
        ("b4…0000", "are like", "b4*0000"),
    ],
)
def test_of_several_it_is_said_what_they_have_in_common(
    written: str, how: str, pattern: str
) -> None:
    several = [ONE[:-4] + "0000", TWO[:-5] + "a0000"]

    found = meant_by(written, several)

    assert (found.how, found.pattern, len(found.ids)) == (how, pattern, 2)


def test_what_is_not_known_and_names_stay_as_they_are() -> None:
    assert meant_by("dead", [ONE]).ids == ["dead"]
    assert meant_by("…dead", [ONE]).ids == ["…dead"]
    assert meant_by("b4a", [ONE, TWO]).ids == ["b4a"]
    assert meant_by("feed", ["feedback"]).ids == ["feed"]
    assert meant_by("…", [ONE]).ids == ["…"]
    assert meant_by("", [ONE]).ids == [""]


def test_ids_that_are_like_what_is_written_are_told_apart_by_where_it_stands() -> None:
    begins, ends, holds = "01-22", "33-01", "4-01-4"

    found = [each.ids for each in alike("01", [holds, ends, begins, "5"])]

    assert found == [[begins], [ends], [holds]]
