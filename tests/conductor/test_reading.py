from __future__ import annotations

from urllib.parse import quote

import pytest

from services.edge.management.conductor.reading import read_query
from services.errors import InvalidRequest


def test_what_languages_print_for_nothing_is_nothing() -> None:
    query = read_query(b"a=None&b=&c=null&d=undefined&e=x")
    assert [query.text(name, "-") for name in "abcdef"] == ["-", "-", "-", "-", "x", "-"]


def test_true_and_false_are_read_as_languages_print_them() -> None:
    query = read_query(b"a=True&b=false&c=None&d=maybe")
    assert query.flag("a")
    assert not query.flag("b", default=True)
    assert query.flag("c", default=True)
    with pytest.raises(InvalidRequest, match="d: must be true or false, not 'maybe'"):
        query.flag("d")


@pytest.mark.parametrize(
    "written", ["-1", "1.5", "x", "\u0663", "99999999999", "0" * 12 + "9" * 11, "9" * 5000]
)
def test_a_number_that_is_none_is_named(written: str) -> None:
    query = read_query(b"n=" + quote(written).encode())
    with pytest.raises(InvalidRequest, match="n: must be a whole number from 0 to"):
        query.whole("n")


def test_a_number_that_is_left_out_has_a_default() -> None:
    assert read_query(b"n=None").whole("n", 7) == 7
    assert read_query(b"n=007").whole("n") == 7


def test_a_list_is_given_with_commas_or_several_times() -> None:
    query = read_query(b"r=a,b&other=x&r=None&r=c&r=")
    assert query.several("r") == ["a", "b", "c"]


def test_of_a_field_that_is_given_twice_the_last_counts() -> None:
    assert read_query(b"v=1&v=2").text("v") == "2"
