"""Kept answers by law: never more than there is room for, never after their time."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, strategies as st

from services.edge.call import JSON, Answer
from services.edge.keeping import Cache, Kept, Place, Purge, Tag

ROOM = 60_000
ORDERS = Place("orders", "GET", "/orders/{id}")
REPORTS = Place("reports", "POST", "/reports")


def tag(place: Place = ORDERS, principal: str = "key:a/1", written: bytes = b"w") -> Tag:
    return Tag(place, principal, written)


def purge(cache: Cache, which: Purge, now: float) -> int:
    return sum(cache.purge(which, now))


def kept(
    *, size: int = 10, begun: float = 1.0, until: float = 100.0, of: Tag | None = None
) -> Kept:
    return Kept(Answer(200, b"x" * size, (JSON,)), "id", of or tag(), begun, begun, until)


@dataclass(frozen=True)
class Put:
    key: bytes
    size: int
    seconds: float
    place: Place


@dataclass(frozen=True)
class Find:
    key: bytes


@dataclass(frozen=True)
class Drop:
    purge: Purge


keys = st.integers(0, 12).map(lambda number: b"%d" % number)
places = st.sampled_from([ORDERS, REPORTS])
steps = st.one_of(
    st.builds(Put, keys, st.integers(0, 12_000), st.floats(0, 50), places),
    st.builds(Find, keys),
    st.builds(Drop, st.sampled_from([Purge(), Purge(frozenset({REPORTS}))])),
)


@given(st.lists(st.tuples(steps, st.floats(0, 20)), max_size=60))
def test_there_is_never_too_much_and_nothing_after_its_time(
    way: list[tuple[Put | Find | Drop, float]],
) -> None:
    cache, now = Cache(ROOM), 0.0
    last: dict[bytes, tuple[float, Place]] = {}
    for step, seconds in way:
        now += seconds
        match step:
            case Put():
                until = now + step.seconds
                one = kept(size=step.size, begun=now, until=until, of=tag(step.place))
                if cache.put(step.key, one, now):
                    last[step.key] = until, step.place
            case Find():
                found = cache.find(step.key, now)
                if found is not None and found.until > now:
                    assert last[step.key] == (found.until, found.tag.place)
                elif found is not None:
                    assert cache.find(step.key, now) is None
            case Drop():
                purge(cache, step.purge, now)
                for key, (_, place) in list(last.items()):
                    if step.purge.means(tag(place)):
                        del last[key]
                        assert cache.find(key, now) is None
        assert cache.bytes <= ROOM
        shelves = cache.shelves.values()
        assert sum(shelf.bytes for shelf in shelves) == cache.bytes
        assert sum(len(shelf.keys) for shelf in shelves) == len(cache)
        assert sum(shelf.answers for shelf in shelves) == len(cache)


def test_the_least_recently_used_make_room() -> None:
    cache = Cache(ROOM)
    for number in range(7):
        assert cache.put(b"%d" % number, kept(size=6000), 2.0)
    cache.find(b"0", 3.0)
    for number in (7, 8):
        cache.put(b"%d" % number, kept(size=6000), 4.0)

    assert cache.find(b"0", 5.0) is not None
    assert cache.find(b"1", 5.0) is None
    assert cache.let_off == 1


def test_one_answer_has_an_eighth_at_most() -> None:
    cache = Cache(ROOM)

    assert not cache.put(b"k", kept(size=ROOM // 8), 2.0)
    assert not Cache(0).put(b"k", kept(size=0), 2.0)
    assert len(cache) == cache.bytes == 0


def test_an_answer_gives_way_to_none_that_was_begun_before_it() -> None:
    cache = Cache(ROOM)
    cache.put(b"k", kept(begun=5.0), 6.0)

    assert not cache.put(b"k", kept(begun=4.0), 7.0)
    assert cache.put(b"k", kept(begun=4.0, until=200.0), 100.0)


def test_what_was_begun_before_a_purge_is_not_kept() -> None:
    cache = Cache(ROOM)
    purge(cache, Purge(), 5.0)

    assert not cache.put(b"k", kept(begun=5.0), 6.0)
    assert cache.put(b"k", kept(begun=5.1), 6.0)


def test_what_a_purge_does_not_mean_is_kept_though_it_was_begun_before() -> None:
    cache = Cache(ROOM)
    purge(cache, Purge(frozenset({REPORTS})), 5.0)

    assert not cache.put(b"r", kept(begun=4.0, of=tag(REPORTS)), 6.0)
    assert cache.put(b"k", kept(begun=4.0), 6.0)
    # So many are not remembered one by one.
    for number in range(100):
        purge(cache, Purge(frozenset({REPORTS})), 7.0 + number / 1000)
    assert not cache.put(b"l", kept(begun=6.0), 8.0)
    assert cache.put(b"l", kept(begun=7.5), 8.0)


def test_a_purge_means_what_all_of_it_holds_for() -> None:
    cache = Cache(ROOM)
    tags = [tag(), tag(REPORTS), tag(principal="key:b/1"), tag(written=b"v")]
    for number, each in enumerate(tags):
        cache.put(b"%d" % number, kept(of=each), 2.0)

    assert purge(cache, Purge(frozenset({ORDERS}), "key:a/1", b"v"), 3.0) == 1
    assert purge(cache, Purge(principal="key:b/1"), 3.0) == 1
    assert purge(cache, Purge(frozenset({REPORTS, Place("x", "GET", "/")})), 3.0) == 1
    assert purge(cache, Purge(), 3.0) == 1
    assert len(cache) == cache.bytes == 0


def test_what_is_remembered_not_to_be_kept_is_no_answer_to_those_who_count() -> None:
    cache = Cache(ROOM)
    cache.put(b"k", Kept(None, "id", tag(), 1.0, 1.0, 60.0), 2.0)

    (shelf,) = cache.shelves.values()
    assert (shelf.answers, len(shelf.keys)) == (0, 1)
    assert purge(cache, Purge(), 3.0) == 0
    assert len(cache) == 0
