"""Deliveries that come before their task waits: kept, given once, over restarts too."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.executor.eventing import shelf as shelves
from services.executor.eventing.shelf import Kept, Shelf
from services.executor.upkeep import Upkeep
from tests.executor.inbound.test_receiving import OPEN, handled, send, status, waiting
from tests.executor.rig import Rig, executing, replica_of, step, workflow

BY_ID = waiting("waits", id="${workflow.input.id}")


def output(result: Any) -> Any:
    return json.loads(result.output)


async def kept(rig: Rig) -> int:
    count = "SELECT count(*) FROM event_messages WHERE kept_until IS NOT NULL"
    return int(await rig.store.readers.read(lambda db: db.execute(count).fetchone()[0]))


async def test_what_came_before_is_given_to_the_first_that_waits_and_to_no_other(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "executor.db", [OPEN, BY_ID]) as rig:
        await send(rig, {"id": 7, "n": 1})
        await send(rig, {"id": 7, "n": 2})
        await handled(rig)
        first = output(await rig.run("waits", input={"id": 7.0}))
        second = output(await rig.run("waits", input={"id": 7}))
        third = await rig.begin("waits", input={"id": 7})
        left, stands = await kept(rig), await status(rig, third)
        await send(rig, {"id": 7, "n": 3})
        last = output(await rig.ended(third))

    assert [each["n"] for each in (first, second, last)] == [1, 2, 3]
    assert (left, stands) == (0, "RUNNING")


async def test_what_a_waiting_task_was_given_is_not_kept(tmp_path: Path) -> None:
    wait = step("wait", "WAIT_FOR_WEBHOOK", webhook="shop", matches={"$.id": 1})
    loop = {**step("loop", "DO_WHILE"), "loopCondition": "$.loop['iteration'] < 3",
            "loopOver": [wait]}  # fmt: skip
    documents = [OPEN, workflow("loops", loop)]
    async with executing(tmp_path / "executor.db", documents, scripts=1) as rig:
        await rig.begin("loops")
        await send(rig, {"id": 1})
        await handled(rig)

        assert await kept(rig) == 0


@pytest.mark.parametrize(
    ("webhook", "flow", "sent"),
    [
        (OPEN, waiting("waits"), {}),
        (OPEN, BY_ID, {"id": 8}),
        (OPEN, BY_ID, b"[7]"),
        ({**OPEN, "keepSeconds": 0}, BY_ID, {"id": 7}),
    ],
)
async def test_what_is_for_nobody_in_particular_or_another_is_not_given(
    tmp_path: Path, webhook: Any, flow: Any, sent: Any
) -> None:
    async with executing(tmp_path / "executor.db", [webhook, flow]) as rig:
        await send(rig, sent)
        await handled(rig)
        held = await rig.begin("waits", input={"id": 7})
        await send(rig, {"id": 7, "late": True})
        result = await rig.ended(held)

    assert output(result) == {"id": 7, "late": True}


async def test_a_task_that_has_what_is_kept_may_be_begun_after_a_restart(tmp_path: Path) -> None:
    path, replica = tmp_path / "executor.db", replica_of(OPEN, BY_ID)
    async with executing(path, replica) as rig:
        for each in (7, 8, 9):
            await send(rig, {"id": each})
        await handled(rig)
    async with executing(path, replica) as rig:
        results = [await rig.run("waits", input={"id": each}) for each in (8, 7, 9)]

    assert [output(each) for each in results] == [{"id": 8}, {"id": 7}, {"id": 9}]


@pytest.mark.parametrize("noted", [False, True])
async def test_a_crash_between_the_two_gives_it_once(tmp_path: Path, noted: bool) -> None:
    path, replica = tmp_path / "executor.db", replica_of(OPEN, BY_ID)
    async with executing(path, replica) as rig:
        held = [await rig.begin("waits", input={"id": 7}) for _ in range(2)]
        await send(rig, {"id": 9})
        await handled(rig)
        tasks = [json.loads((await rig.get(each)).document)["tasks"][0] for each in held]
    with sqlite3.connect(path) as db:
        # As if the tasks had begun to wait, and died before they could look.
        db.execute("""UPDATE event_messages SET payload = '{"id":7}'""")
        if noted:
            target = f"{held[1]} {tasks[1]['taskId']}"
            db.execute("UPDATE event_messages SET kept_until = NULL")
            db.execute(
                "INSERT INTO event_runs (message_id, event, handler, action, name, outcome, target,"
                " reason, at) SELECT id, event, '', 0, 'complete_task', 'UNDER_WAY', ?, '', at "
                "FROM event_messages", (target,),
            )  # fmt: skip
    async with executing(path, replica) as rig:
        tasks = [asyncio.create_task(rig.ended(each)) for each in held]
        done, _ = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        ended = [task in done for task in tasks]
        await send(rig, {"id": 7, "n": 2})
        outputs = [output(await task) for task in tasks]

    assert sorted(ended) == [False, True]
    assert not noted or ended[1]
    assert sorted(map(len, outputs)) == [1, 2]


async def test_whichever_comes_first_each_has_its_own(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db", [OPEN, BY_ID]) as rig:

        async def sent(number: int) -> None:
            await send(rig, {"id": number})

        async def ran(number: int) -> Any:
            return output(await rig.run("waits", input={"id": number}))

        calls = [call(number) for number in range(40) for call in (sent, ran)]
        random.Random(7).shuffle(calls)
        results = await asyncio.gather(*calls)
        left = await kept(rig)

    assert sorted(each["id"] for each in results if each) == list(range(40))
    assert left == 0


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def entry(seq: int, *, seconds: int = 60, chars: int = 10) -> Kept:
    return Kept(seq, NOW + timedelta(seconds=seconds), chars)


async def test_what_is_kept_outlives_executions_that_are_kept_for_less(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db", [OPEN, BY_ID]) as rig:
        await send(rig, {"id": 7})
        await handled(rig)
        await Upkeep(retention=timedelta(0)).forget_events(rig.store)

        assert output(await rig.ended(await rig.begin("waits", input={"id": 7}))) == {"id": 7}


def test_a_shelf_holds_so_many_of_so_many_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_KEPT", 3)
    monkeypatch.setattr(shelves, "MOST_CHARS", 100)
    shelf = Shelf()

    assert [shelf.put(entry(seq), NOW) for seq in range(4)] == [[], [], [], [0]]
    assert shelf.put(entry(4, chars=95), NOW) == [1, 2, 3]
    assert shelf.put(entry(5, chars=101), NOW) == [4, 5]
    assert shelf.idle


def test_one_that_is_put_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_CHARS", 100)
    shelf = Shelf()
    # It could not be stored at first.
    for _ in range(20):
        assert shelf.put(entry(1, chars=40), NOW) == []
    shelf.take(1)

    assert shelf.put(entry(2, chars=100), NOW) == []


def test_what_is_over_is_not_found_and_goes_with_the_next() -> None:
    shelf = Shelf()
    shelf.put(entry(1, seconds=5), NOW)
    shelf.learn("p", {1: "d", 9: "d"})

    assert shelf.find("p", "d", NOW) == 1
    assert shelf.find("p", "d", NOW + timedelta(seconds=5)) is None
    assert shelf.put(entry(2), NOW + timedelta(seconds=5)) == [1]


def test_the_oldest_is_found_first_and_what_is_new_is_unread() -> None:
    shelf = Shelf()
    for seq in (1, 2):
        shelf.put(entry(seq), NOW)
    shelf.learn("p", dict.fromkeys((1, 2), "d"))
    shelf.put(entry(3), NOW)

    assert (shelf.unread("p"), shelf.unread("q")) == ([3], [1, 2, 3])
    assert shelf.find("p", "d", NOW) == 1
    shelf.take(1)
    assert shelf.find("p", "d", NOW) == 2


def test_so_many_sets_of_paths_are_known_of_each() -> None:
    shelf = Shelf()
    shelf.put(entry(1), NOW)
    for number in range(33):
        shelf.learn(f"p{number}", {1: "d"})

    assert shelf.unread("p0") == [1]
    assert shelf.unread("p32") == []
