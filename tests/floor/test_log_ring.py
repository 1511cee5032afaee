"""The ring of the log: the newest entries, in bounded memory, for any number of watchers."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from hypothesis import given, strategies as st

from services.log_ring import LONG_ENTRY_CHARS, LogRing, shortened

PLAIN = {"time": "t", "level": "info", "service": "edge", "logger": "x", "message": "m"}


def line(message: str) -> str:
    return json.dumps({**PLAIN, "message": message})


def kept(ring: LogRing) -> list[str]:
    some = ring.read(0, 1_000_000)
    return [json.loads(each.line)["message"] for each in some.entries]


def test_the_oldest_are_let_go_and_counted() -> None:
    ring = LogRing(most_entries=3)
    for number in range(10):
        ring.append(20, line(str(number)))

    some = ring.read(4, 2)
    assert kept(ring) == ["7", "8", "9"]
    assert (some.dropped, some.next) == (3, 9)
    assert [each.sequence for each in some.entries] == [7, 8]
    assert (ring.first, ring.next) == (7, 10)


def test_whoever_reads_at_the_end_gets_nothing_and_stays_there() -> None:
    ring = LogRing()
    ring.append(20, line("a"))

    assert ring.read(1, 10) == ([], 0, 1)


def test_a_reading_stops_at_so_many_characters_but_gives_one() -> None:
    ring = LogRing()
    for _ in range(3):
        ring.append(20, line("x" * 100))

    assert len(ring.read(0, 10, most_chars=250).entries) == 2
    assert len(ring.read(0, 10, most_chars=1).entries) == 1


@given(
    lengths=st.lists(st.integers(0, 3_000), max_size=60),
    most_entries=st.integers(1, 20),
    most_bytes=st.integers(5_000, 20_000),
)
def test_it_never_holds_more_than_it_may(
    lengths: list[int], most_entries: int, most_bytes: int
) -> None:
    ring = LogRing(most_entries, most_bytes)
    for length in lengths:
        ring.append(20, line("x" * length))

        assert ring.next - ring.first <= most_entries
        assert ring.bytes <= most_bytes
    assert [len(each) for each in kept(ring)] == lengths[ring.first :]


def test_threads_side_by_side_lose_nothing() -> None:
    ring = LogRing(most_entries=100)

    def log(name: str) -> None:
        for number in range(500):
            ring.append(20, line(f"{name}{number}"))

    threads = [threading.Thread(target=log, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert ring.next == 2_000
    assert len(kept(ring)) == 100


async def test_a_watcher_is_told_of_what_another_thread_logs_and_of_the_end() -> None:
    ring = LogRing()
    with ring.watched() as news:
        await asyncio.to_thread(ring.append, 20, line("a"))
        await asyncio.wait_for(news.wait(), 5)

        news.hear()
        ring.close()
        await asyncio.wait_for(news.wait(), 5)
    ring.append(20, line("b"))
    assert kept(ring) == ["a", "b"]


@pytest.mark.parametrize(
    "more",
    [
        {"message": "x" * 1_000_000},
        {"exception": "\ud800" * 1_000_000},
        {"given": ["y" * 100_000]},
        {str(number): "z" * 20_000 for number in range(100)},
    ],
)
def test_a_long_entry_is_cut_and_still_says_what_it_is(more: dict[str, object]) -> None:
    ring = LogRing()
    ring.append(40, json.dumps({**PLAIN, **more, "execution_id": "e1"}))
    (entry,) = ring.read(0, 1).entries
    told = json.loads(entry.line)

    assert len(entry.line) <= 2 * LONG_ENTRY_CHARS
    assert (told["logger"], told["execution_id"]) == ("x", "e1")
    assert "message" in told


def test_what_is_short_in_a_long_entry_stays_as_it_is() -> None:
    fields = {**PLAIN, "message": "x" * 100_000, "count": 3, "given": ["a"]}
    cut = json.loads(shortened(json.dumps(fields)))

    assert cut.pop("message").startswith("xxx")
    assert cut == {name: fields[name] for name in fields if name != "message"}
