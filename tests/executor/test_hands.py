"""Which workers are remembered: the last of each queue, and of all queues together not too many."""

from __future__ import annotations

import asyncio

import pytest

from services.executor import queues as module
from services.executor.hands import Taker
from services.executor.queues import Queues


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
