"""Which workers are remembered, of each queue and of all, and which of them work for it."""

from __future__ import annotations

import asyncio

import pytest

from services.executor import queues as module
from services.executor.hands import ACTIVE_SECONDS, Hands, Taker
from services.executor.queues import Queues


class Polls(Taker):
    comes_again = True


def asks(queues: Queues, queue: str, worker_id: str) -> None:
    taker = Taker()
    taker.worker_id = worker_id
    queues.join(taker, {queue: 1})
    queues.leave(taker, [queue])


def seen(queues: Queues) -> dict[str, list[str]]:
    return {
        each.queue: [worker.worker_id for worker in each.workers] for each in queues.standings()
    }


async def test_the_last_workers_of_a_queue_are_remembered() -> None:
    queues = Queues(asyncio.get_running_loop(), lambda id, letter: None)
    for number in range(1_200):
        asks(queues, ":a", f"w{number}")
    asks(queues, ":a", "w300")

    assert seen(queues)[":a"] == [f"w{n}" for n in (*range(200, 300), *range(301, 1_200), 300)]


async def test_of_many_queues_each_remembers_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SEEN", 1_000)
    queues = Queues(asyncio.get_running_loop(), lambda id, letter: None)
    for worker in range(60):
        for queue in range(50):
            asks(queues, f":{queue}", f"w{worker}")

    remembered = seen(queues)
    assert len(remembered) == 50
    assert all(workers == [f"w{n}" for n in range(40, 60)] for workers in remembered.values())
    # However many there are, a few of each.
    for queue in range(500):
        for worker in range(12):
            asks(queues, f":more {queue}", f"w{worker}")
    assert len(seen(queues)[":more 499"]) == 10


def active(hands: Hands) -> dict[str, bool]:
    return {each.worker_id: each.active for each in hands.seen()}


def joins(hands: Hands, taker: Taker, worker_id: str) -> Taker:
    taker.worker_id = worker_id
    hands.join(taker, 1)
    return taker


def test_who_polls_is_there_between_two_polls_until_it_has_not_asked_for_long() -> None:
    now = 0.0
    hands = Hands(lambda: now)
    assert active(hands) == {}
    hands.leave(joins(hands, Polls(), "polls"))
    now = ACTIVE_SECONDS
    assert active(hands) == {"polls": True}
    now += 0.1
    assert active(hands) == {"polls": False}
    poll = joins(hands, Polls(), "polls")
    now += 60
    assert active(hands) == {"polls": True}
    hands.leave(poll)
    assert active(hands) == {"polls": True}


def test_who_has_ended_its_stream_is_not_there_unless_it_comes_back_or_polls() -> None:
    hands = Hands(lambda: 0.0)
    old = joins(hands, Taker(), "streams")
    assert active(hands) == {"streams": True}
    new = joins(hands, Taker(), "streams")
    hands.leave(old)
    assert active(hands) == {"streams": True}
    hands.leave(new)
    assert active(hands) == {"streams": False}
    hands.leave(joins(hands, Polls(), "streams"))
    assert active(hands) == {"streams": True}


def test_whose_stream_ended_is_forgotten_with_the_worker() -> None:
    hands = Hands(lambda: 0.0, most_seen=lambda: 1)
    for worker in ("a", "b", "c"):
        hands.leave(joins(hands, Taker(), worker))
    assert active(hands) == {"c": False}
    assert hands._ended == {"c"}
