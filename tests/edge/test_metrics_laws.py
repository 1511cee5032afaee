"""Counts that add up, whatever is counted and in whatever order; and what is held of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.edge.auth.model import Caller
from services.edge.call import Call
from services.edge.metrics.archive import Archive
from services.edge.metrics.counter import Counter
from services.edge.metrics.history import MINUTES, OTHER, History, Query, Series, total
from services.edge.metrics.recorder import Recorder
from services.edge.unconnected import Unconnected
from services.latency import below, bucket_of, quantile, value_of

Request = tuple[int, str, float, str, str]

durations = st.floats(1e-6, 1000.0)
requests = st.tuples(
    st.integers(200, 599),
    st.sampled_from(("", "quota-exceeded", "no-route")),
    durations,
    st.sampled_from(("", "hit", "miss")),
    st.sampled_from(("", "completed", "failed", "unknown")),
)
series = st.tuples(
    st.sampled_from(("", "orders", "shop")),
    st.sampled_from(("GET", "POST")),
    st.sampled_from(("/a", "/b/{c}")),
    st.sampled_from(("", "key:k/one", "key:k/two", "key:k/three")),
)
counted = st.dictionaries(series, st.lists(requests, min_size=1, max_size=5), max_size=6)
minutes = st.dictionaries(st.integers(10_000, 10_010), counted, max_size=6)

ALL = Query(0, 10**9)


def counter_of(each: Sequence[Request]) -> Counter:
    counter = Counter()
    for request in each:
        counter.add(*request)
    return counter


def facts(counter: Counter) -> object:
    """All that it has counted."""
    return json.loads(counter.text())


@given(st.lists(durations, min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_at_most_five_percent_off(values: list[float], share: float) -> None:
    buckets: dict[int, int] = {}
    for value in values:
        buckets[bucket_of(value)] = buckets.get(bucket_of(value), 0) + 1

    exact = sorted(values)[ceil(share * len(values)) - 1]
    assert quantile(buckets, share) == pytest.approx(exact, rel=0.05)


@given(durations)
def test_a_bucket_stands_for_all_in_it(seconds: float) -> None:
    assert bucket_of(value_of(bucket_of(seconds))) == bucket_of(seconds)
    assert value_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.05)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) == 0.0
    assert quantile({bucket_of(0.0): 1}, 0.0) == pytest.approx(1e-6, rel=0.05)


@given(st.lists(durations, max_size=50))
def test_bounds_in_powers_of_two_are_exact(values: list[float]) -> None:
    buckets = counter_of([(200, "", value, "", "") for value in values]).buckets

    for seconds, count in below(buckets, range(-10, 22)):
        near = sum(value == pytest.approx(seconds, rel=1e-9) for value in values)
        assert abs(count - sum(value < seconds for value in values)) <= near


@given(st.lists(requests, max_size=30), st.integers(0, 30))
def test_two_parts_add_up_to_the_whole(each: list[Request], n: int) -> None:
    whole, first, second = map(counter_of, (each, each[:n], each[n:]))
    texts = Counter()
    texts.merge_text(first.text())
    texts.merge_text(second.text())
    first.merge(second)

    assert facts(first) == facts(whole) == facts(texts)
    assert first.requests == len(each)
    assert first.limited.get("quota-exceeded", 0) == sum(
        (status, problem) == (429, "quota-exceeded") for status, problem, *_ in each
    )


@given(minutes, st.sampled_from(("", "minute", "service", "route", "key")), series)
def test_sums_of_a_grouping_are_those_of_its_requests(
    held: dict[int, dict[Series, list[Request]]],
    by: str,
    chosen: Series,
) -> None:
    history = History(10**6)
    for minute, rows in held.items():
        history.add(minute, {series: counter_of(each) for series, each in rows.items()})
    query = Query(10_003, 10_007, service=chosen[0], principal=chosen[3], by=by)

    expected: dict[object, list[Request]] = {}
    for minute, rows in held.items():
        for each, asked in rows.items():
            if 10_003 <= minute <= 10_007 and (each[0], each[3]) == (chosen[0], chosen[3]):
                expected.setdefault(query.key(minute, each), []).extend(asked)
    found = history.sums(query)
    assert {key: facts(counter) for key, counter in found.items()} == {
        key: facts(counter_of(each)) for key, each in expected.items()
    }


@given(minutes, st.integers(0, 30))
def test_what_is_too_much_is_told_less_apart_and_loses_nothing_while_it_can(
    held: dict[int, dict[Series, list[Request]]], most: int
) -> None:
    history = History(most)
    for minute, rows in held.items():
        history.add(minute, {series: counter_of(each) for series, each in rows.items()})
    before = facts(total(history.sums(ALL)))

    history.bound(10_010)

    assert len(history) <= most
    assert len(history) == sum(len(history.rows(minute)) for minute in held)
    if most >= 3 * 2 * len(held):
        # As many as there are services, with callers and without, in each minute.
        assert facts(total(history.sums(ALL))) == before


def test_the_oldest_minutes_are_the_first_to_tell_keys_no_more_apart() -> None:
    history = History(4)
    for minute in (1, 2):
        history.add(
            minute, {("s", "GET", "/a", f"key:k/{n}"): counter_of([REQUEST]) for n in range(3)}
        )

    assert history.bound(2) == {1}
    assert dict(history.rows(1)).keys() == {("s", "GET", "/a", OTHER)}
    assert len(history.rows(2)) == 3
    assert total(history.sums(Query(1, 1))).requests == 3


def test_many_routes_leave_the_last_hour_its_keys() -> None:
    # Of the hour 4 rows a minute, of all before it one.
    history = History(60 * 4 + 240)
    for minute in range(200):
        history.add(
            minute,
            {
                ("s", "GET", path, f"key:k/{n}"): counter_of([REQUEST])
                for path in ("/a", "/b")
                for n in range(2)
            },
        )
        history.bound(minute + 1)

    for minutes, keys in (
        (Query(140, 199, by="key"), {("key:k/0",), ("key:k/1",)}),
        (Query(0, 9, by="key"), {(OTHER,)}),
    ):
        assert history.sums(minutes).keys() == keys
    assert total(history.sums(ALL)).requests == 200 * 4


def test_a_minute_that_would_be_no_less_without_its_keys_keeps_them() -> None:
    # After a restart, too: all that was folded before is not folded, and written, again.
    history = History(3)
    for minute, keys in ((1, ("k/a",)), (2, ("k/a", "k/b")), (3, ("k/a",))):
        history.add(minute, {("s", "GET", "/a", f"key:{k}"): counter_of([REQUEST]) for k in keys})

    assert history.bound(3) == {2}
    assert set(history.rows(1)) == set(history.rows(3)) == {("s", "GET", "/a", "key:k/a")}
    assert set(history.rows(2)) == {("s", "GET", "/a", OTHER)}


REQUEST = (200, "", 0.01, "", "completed")
SERIES: Series = ("s", "GET", "/a", "key:k/n")


def test_a_day_is_held_and_no_minute_more() -> None:
    history = History(10**6)
    for minute in range(3 * MINUTES):
        history.add(minute, {SERIES: counter_of([REQUEST])})
        history.bound(minute)

    assert len(history) == MINUTES
    assert total(history.sums(ALL)).requests == MINUTES


def test_what_a_clock_far_ahead_has_dated_takes_no_room_once_it_is_right() -> None:
    archive = Archive(10)
    ahead = {minute: {SERIES: counter_of([REQUEST]).text()} for minute in range(9_000, 9_010)}
    archive.adopt(ahead, 7)
    assert archive.unsaved() == {minute: {} for minute in ahead}

    # Somebody has set it back by a second.
    archive.close(8, {SERIES: counter_of([REQUEST])}, 7)
    assert total(archive.sums(Query(8, 8))).requests == 1


def test_what_was_kept_adds_to_what_was_counted_since_and_is_to_be_kept_again() -> None:
    archive = Archive(100)
    archive.close(7, {SERIES: counter_of([REQUEST])}, 8)
    archive.saved(archive.unsaved())
    archive.adopt({7: {SERIES: counter_of([REQUEST] * 2).text()}}, 8)

    assert total(archive.sums(ALL)).requests == 3
    assert archive.unsaved().keys() == {7}
    # Of this process alone.
    assert archive.totals_with({})[SERIES[:3]].requests == 1


def test_totals_outlast_the_day_and_tell_no_keys_apart() -> None:
    archive = Archive(100)
    for minute in range(0, 5 * MINUTES, MINUTES):
        other = (*SERIES[:3], f"key:k/{minute}")
        archive.close(minute, {other: counter_of([REQUEST])}, minute)

    totals = archive.totals_with({SERIES: counter_of([REQUEST])})
    assert {place: counter.requests for place, counter in totals.items()} == {SERIES[:3]: 6}
    assert archive.totals_with({})[SERIES[:3]].requests == 5


async def nothing() -> dict[str, Any]:
    raise AssertionError("nobody reads it")


def test_keys_that_are_too_many_for_a_minute_count_together_and_bounded() -> None:
    recorder = Recorder(10)
    call = Call("GET", b"/a", b"", [], {}, nothing, Unconnected())
    call.place = SERIES[:3]
    for number in range(100):
        call.caller = Caller("k", f"key:k/{number}", "shop", key=str(number))
        recorder.record(call, 200)

    counted, used = recorder.take()
    assert len(counted) == 11
    assert counted[(*SERIES[:3], OTHER)].requests == 90
    assert len(used) == 100
    assert recorder.take() == ({}, {})


@given(
    steps=st.lists(st.tuples(st.integers(10_000, 10_150), counted), max_size=8),
    first=st.integers(9_900, 10_160),
    length=st.integers(0, 300),
    service=st.sampled_from((None, "orders")),
    by=st.sampled_from(("", "minute", "service", "route", "key")),
)
def test_sums_of_hours_are_those_of_their_minutes_whatever_comes_in_between(
    steps: list[tuple[int, Any]], first: int, length: int, service: str | None, by: str
) -> None:
    history = History(10**6)
    query = Query(first, first + length, service=service, by=by)
    expected: dict[Any, Counter] = {}
    for minute, of_series in steps:
        # Asked in between, they are made of what is there until then.
        history.sums(query)
        history.add(minute, {name: counter_of(each) for name, each in of_series.items()})
        for name, each in of_series.items():
            if query.first <= minute <= query.last and query.takes(name):
                expected.setdefault(query.key(minute, name), Counter()).merge(counter_of(each))

    found = history.sums(query)
    assert {key: same(each) for key, each in found.items()} == {
        key: same(each) for key, each in expected.items()
    }


def same(counter: Counter) -> object:
    return (
        counter.answers,
        counter.buckets,
        counter.microseconds,
        counter.cache,
        counter.outcomes,
    )


def test_sums_are_made_anew_where_less_is_told_apart() -> None:
    history = History(4)
    some = {
        ("orders", "GET", "/a", f"key:k/{n}"): counter_of([(200, "", 1.0, "", "")]) for n in "abc"
    }
    for minute in (0, 1, 120):
        history.add(minute, some)
        assert total(history.sums(Query(0, 200, by="key"))).requests > 0
    assert history.bound(120)

    assert set(history.sums(Query(0, 59, by="key"))) == {(OTHER,)}
    assert total(history.sums(Query(0, 200))).requests == 9
