"""Ids of which the beginning is typed."""

from __future__ import annotations

from tui.views.addresses import begun_with

ONE = "b4a43dbf-386d-4d00-8000-000000000001"
TWO = "b4a43dbf-386d-4d00-8000-000000000002"
OTHER = "c0ffee00-386d-4d00-8000-000000000003"


def test_the_beginning_of_one_id_means_it() -> None:
    assert begun_with("c0ff", [ONE, TWO, OTHER]) == [OTHER]
    assert begun_with("b4a43dbf", [ONE, TWO, OTHER]) == [ONE, TWO]
    assert begun_with(ONE, [ONE, TWO]) == [ONE]


def test_what_is_not_known_and_names_stay_as_they_are() -> None:
    assert begun_with("dead", [ONE]) == ["dead"]
    assert begun_with("b4a", [ONE]) == ["b4a"]
    assert begun_with("feed", ["feedback"]) == ["feed"]
