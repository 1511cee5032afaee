"""Cache-Control as calls and answers say it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from services.edge.call import JSON, Answer
from services.edge.freshness import NO_WISH, Wish, seconds_to_keep, wish_of


def wish(*values: bytes) -> Wish:
    return wish_of([(b"cache-control", value) for value in values], costs_nothing=False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((b"no-cache",), Wish(no_cache=True)),
        ((b"No-Cache, NO-STORE",), Wish(no_cache=True, no_store=True)),
        ((b"no-cache", b"only-if-cached"), Wish(no_cache=True, only_if_cached=True)),
        ((b"max-age=0",), Wish(max_age=0)),
        ((b'max-age="60" , max-age=1',), Wish(max_age=60)),
        ((b"min-fresh = 5",), Wish(min_fresh=5)),
        ((b"max-age=-1, max-stale, x=no-store",), NO_WISH),
        ((b'ext="no-store, no-cache"',), NO_WISH),
        ((b"max-age=99999999999999999999",), NO_WISH),
        ((b"", b",,=,;"), NO_WISH),
        ((b" " * 2000 + b"no-store",), NO_WISH),
    ],
)
def test_what_a_call_wants(values: tuple[bytes, ...], expected: Wish) -> None:
    assert wish(*values) == expected


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_whatever_a_call_says_is_read(values: list[bytes]) -> None:
    assert wish(*values).min_fresh >= 0


def test_words_that_are_made_to_take_long_do_not() -> None:
    begun = time.process_time()
    wish(b'a="' * 20_000, b"a=" * 20_000, b" " * 60_000)

    assert time.process_time() - begun < 0.1


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.one_of(st.none(), st.integers(0, 10**6)),
    st.integers(0, 10**6),
)
def test_an_answer_that_is_taken_is_neither_too_old_nor_too_near_its_end(
    age: float, left: float, max_age: int | None, min_fresh: int
) -> None:
    taken = Wish(max_age=max_age, min_fresh=min_fresh).takes(age, left)

    assert taken == ((max_age is None or age <= max_age) and left >= min_fresh)


def test_only_200_is_kept_and_a_plain_answer_for_the_whole_time() -> None:
    assert seconds_to_keep(Answer(200, b"1", (JSON,)), 300.0, ()) == 300.0
    for status in (201, 203, 204, 301, 404, 500):
        assert seconds_to_keep(Answer(status, b"1", (JSON,)), 300.0, ()) == 0.0


@given(st.integers(0, 10**9), st.floats(0, 1e6))
def test_no_answer_is_kept_for_longer_than_either_says(seconds: int, most: float) -> None:
    said = Answer(200, b"1", (JSON, (b"cache-control", b"max-age=%d" % seconds)))

    assert seconds_to_keep(said, most, ()) == min(most, seconds)
