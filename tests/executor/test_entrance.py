"""Starts where executions side by side are limited: in order, to the number, over crashes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, wait
from tests.executor.test_idempotency import result
from tests.executor.test_session import QUICK, WAITING, Peer, frame, release

KEY = b"s" * 32


def limited(
    number: int, name: str = "waiting", limit: int = 1, queue: int = 0, **fields: Any
) -> pb.ClientFrame:
    """A start that holds a slot of the key, and is told of at once when it has begun."""
    slot = pb.Slot(key=fields.pop("slot_key", KEY), limit=limit, most_waiting=queue)
    given = {"execution_id": new_id(), "acknowledge": True, **fields}
    return frame(number, name, slot=slot, **given)


def withdrawal(number: int) -> pb.ClientFrame:
    return pb.ClientFrame(correlation_id=number, withdraw=pb.Withdraw())


def cancel(number: int) -> pb.ClientFrame:
    return pb.ClientFrame(correlation_id=number, cancel=pb.Cancel())


async def begun(peer: Peer, number: int) -> str:
    """The id of the execution that has begun by the start of that number, which is told next."""
    each = await peer.next()
    assert (each.correlation_id, each.WhichOneof("body")) == (number, "accepted"), each
    return each.accepted.execution_id


async def refused(peer: Peer, number: int) -> str:
    each = await peer.next()
    assert each.correlation_id == number, each
    return each.error.reason


async def ended(peer: Peer, rig: Rig, execution_id: str, number: int) -> None:
    """Release what holds a slot, and hear of its end."""
    await release(rig, execution_id)
    each = await peer.next()
    assert (each.correlation_id, each.WhichOneof("body")) == (number, "result"), each


def rows(path: Path) -> int:
    db = sqlite3.connect(path, timeout=10)
    found: int = db.execute("SELECT count(*) FROM executions").fetchone()[0]
    db.close()
    return found


async def test_one_more_than_the_limit_is_refused_until_one_has_ended(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1), limited(2), limited(3, slot_key=b"other"))
        assert await refused(peer, 2) == "CONCURRENCY_LIMITED"
        ids = {each.correlation_id: each for each in [await peer.next(), await peer.next()]}
        await ended(peer, rig, ids[1].accepted.execution_id, 1)
        await peer.ask(limited(4))
        await begun(peer, 4)
        assert rig.runtime.slots.held(KEY) == 1

    assert rows(tmp_path / "x.db") == 3


async def test_a_client_that_leaves_frees_no_slot(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        await begun(peer, 1)
        await peer.ask(cancel(1), limited(2))

        assert await refused(peer, 2) == "CONCURRENCY_LIMITED"


async def test_whoever_waits_begins_in_order_as_slots_are_freed(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(*(limited(number, queue=3) for number in range(1, 6)))
        assert await refused(peer, 5) == "CONCURRENCY_LIMITED"
        for number in range(1, 5):
            execution_id = await begun(peer, number)
            assert rig.runtime.slots.held(KEY) == 1
            await release(rig, execution_id)
            told = await peer.next()
            assert (told.correlation_id, told.WhichOneof("body")) == (number, "result")

        assert len(rig.runtime.slots) == 0


async def test_many_short_ones_all_run_with_never_more_than_the_limit(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(
            *(limited(n, "quick", 3, 500, input={"n": n}, acknowledge=False) for n in range(300))
        )
        order = [(await result(peer)).correlation_id for _ in range(300)]

        assert sorted(order) == list(range(300))
        assert len(rig.runtime.slots) == 0
        assert rig.runtime.tally.running == 0


async def test_who_leaves_the_line_begins_nothing(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer, gone = Peer(rig), Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await gone.ask(limited(7, queue=9))
        while rig.runtime.slots.waiting(KEY) == 0:
            await rig.get(first)
        await peer.ask(*(limited(number, queue=9) for number in (2, 3, 4)))
        await peer.ask(cancel(2), withdrawal(3), withdrawal(1))
        assert await refused(peer, 3) == "CONCURRENCY_LIMITED"
        gone.call.cancel()
        while rig.runtime.slots.waiting(KEY) > 1:
            await rig.get(first)
        await ended(peer, rig, first, 1)

        await begun(peer, 4)

    assert rows(tmp_path / "x.db") == 2


async def test_who_asks_for_a_slot_and_leaves_at_once_begins_nothing_later(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        large = {"x": "y" * 300_000}
        # Read aside, they come to the entrance only after they have left.
        await peer.ask(limited(2, queue=9, input=large), cancel(2))
        await peer.ask(limited(3, queue=9, input=large), withdrawal(3))
        assert await refused(peer, 3) == "CONCURRENCY_LIMITED"
        await ended(peer, rig, first, 1)
        await peer.ask(limited(4))
        await begun(peer, 4)

    assert rows(tmp_path / "x.db") == 2


async def test_a_crash_counts_what_runs_and_those_in_line_come_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    starts = [limited(number, queue=50) for number in range(1, 51)]
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(*starts)
        first = await begun(peer, 1)
        # An answer to what came later says that all of them are in line.
        await peer.ask(limited(99))
        assert await refused(peer, 99) == "CONCURRENCY_LIMITED"
        assert rig.runtime.slots.waiting(KEY) == 49
    assert rows(path) == 1
    async with executing(path, [WAITING]) as rig:
        assert rig.runtime.slots.held(KEY) == 1
        peer = Peer(rig)
        for each in starts:
            each.start.again = True
        await peer.ask(*starts)
        assert await begun(peer, 1) == first
        for left in reversed(range(50)):
            await release(rig, first)
            told = await peer.next()
            assert told.WhichOneof("body") == "result"
            assert rig.runtime.slots.held(KEY) <= 1
            if left:
                first = (await peer.next()).accepted.execution_id
        assert len(rig.runtime.slots) == 0

    assert rows(path) == 50


async def test_a_repeat_takes_no_slot(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    same, key = limited(1), b"k" * 32
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        same.start.idempotency_key = key
        await peer.ask(same)
        first = await begun(peer, 1)
        await peer.ask(limited(2, idempotency_key=key))
        assert await begun(peer, 2) == first
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        same.start.again = True
        await peer.ask(same)
        assert await begun(peer, 1) == first
        await peer.ask(limited(2, idempotency_key=key))
        assert await begun(peer, 2) == first
        await peer.ask(limited(3, idempotency_key=key, fingerprint=b"other"))
        assert await refused(peer, 3) == "KEY_REUSED"
        await peer.ask(limited(4, again=True))
        assert await refused(peer, 4) == "CONCURRENCY_LIMITED"
        assert rig.runtime.slots.held(KEY) == 1

    assert rows(path) == 1


async def test_those_with_the_key_of_one_in_line_begin_with_it(tmp_path: Path) -> None:
    key = b"k" * 32
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await peer.ask(
            limited(2, queue=9, idempotency_key=key),
            limited(3, queue=9, idempotency_key=key),
            limited(4, queue=9, idempotency_key=key),
            limited(5, queue=9, idempotency_key=key),
        )
        # The first of them goes, and another one stands in line for all.
        await peer.ask(cancel(2), cancel(4))
        await ended(peer, rig, first, 1)
        ids = {(await peer.next()).accepted.execution_id for _ in range(2)}
        assert len(ids) == 1
        assert rig.runtime.slots.held(KEY) == 1
        assert rig.runtime.slots.waiting(KEY) == 0


async def test_a_start_that_is_sent_twice_stands_in_line_once(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        old, new = Peer(rig), Peer(rig)
        await old.ask(limited(1))
        first = await begun(old, 1)
        again = limited(2, queue=9)
        await old.ask(again)
        while rig.runtime.slots.waiting(KEY) == 0:
            await rig.get(first)
        again.start.again = True
        await new.ask(again)
        old.call.cancel()
        await release(rig, first)

        assert await begun(new, 2) == again.start.execution_id

    assert rows(tmp_path / "x.db") == 2


async def test_a_start_that_cannot_be_stored_gives_its_slot_back(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        with sqlite3.connect(path) as db:
            db.execute("ALTER TABLE snapshots RENAME TO gone")
        db.close()
        await peer.ask(limited(1), limited(2, queue=9))
        reasons = {await refused(peer, 1), await refused(peer, 2)}
        with sqlite3.connect(path) as db:
            db.execute("ALTER TABLE gone RENAME TO snapshots")
        db.close()
        assert reasons == {"UNAVAILABLE"}
        await peer.ask(limited(3))
        await begun(peer, 3)


async def test_a_limit_that_changes_holds_from_the_next_start_on(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1, limit=2), limited(2, limit=2))
        ids = [await begun(peer, 1), await begun(peer, 2)]
        await peer.ask(limited(3, limit=1, queue=9))
        await peer.ask(limited(4, limit=3))
        # Raised, it lets in whoever has waited, and no other.
        found = {each.correlation_id: each for each in [await peer.next(), await peer.next()]}
        assert found[4].error.reason == "CONCURRENCY_LIMITED"
        ids.append(found[3].accepted.execution_id)
        await peer.ask(limited(5, limit=1, queue=9), limited(6, limit=1))
        assert await refused(peer, 6) == "CONCURRENCY_LIMITED"
        for number, execution_id in enumerate(ids, 1):
            assert rig.runtime.slots.waiting(KEY) == 1
            await ended(peer, rig, execution_id, number)
        await begun(peer, 5)


async def test_an_operator_is_never_refused_and_the_slot_is_taken_again(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await ended(peer, rig, first, 1)
        await peer.ask(limited(2))
        second = await begun(peer, 2)
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=first), metadata=ADMIN
        )
        assert rig.runtime.slots.held(KEY) == 2
        await peer.ask(limited(3, queue=1))
        await ended(peer, rig, second, 2)
        assert rig.runtime.slots.waiting(KEY) == 1
        await release(rig, first)
        await begun(peer, 3)


async def test_what_ends_by_an_operator_frees_its_slot(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1), limited(2, queue=1))
        first = await begun(peer, 1)
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=first), metadata=ADMIN
        )
        assert (await peer.next()).result.status == pb.EXECUTION_STATUS_TERMINATED
        await begun(peer, 2)


async def test_a_drain_begins_nothing_of_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await peer.ask(limited(2, queue=9), limited(3, queue=9, idempotency_key=b"k"))
        await peer.ask(limited(4))
        assert await refused(peer, 4) == "CONCURRENCY_LIMITED"
        rig.runtime.entrance.close()
        assert [await refused(peer, 2), await refused(peer, 3)] == ["UNAVAILABLE"] * 2
        await ended(peer, rig, first, 1)
        await peer.ask(limited(5, queue=9))
        assert await refused(peer, 5) == "UNAVAILABLE"

    assert rows(path) == 1


async def test_keys_are_forgotten_with_what_held_them(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        # In parts: more at once would be too much to write, and be refused.
        for part in range(20):
            numbers = range(part * 25, part * 25 + 25)
            await peer.ask(
                *(limited(n, "quick", slot_key=n.to_bytes(4, "big"), acknowledge=False)
                  for n in numbers)
            )  # fmt: skip
            for _ in numbers:
                assert (await result(peer)).HasField("result")

        assert len(rig.runtime.slots) == 0


@pytest.mark.parametrize(
    "slot",
    [
        pb.Slot(key=b"s" * 33, limit=1),
        pb.Slot(key=b"s", limit=0),
        pb.Slot(key=b"s", limit=1, most_waiting=-1),
    ],
    ids=["long", "no limit", "negative"],
)
async def test_a_slot_that_makes_no_sense_is_refused(tmp_path: Path, slot: pb.Slot) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.run("quick", slot=slot)


async def test_nobody_but_the_edge_holds_slots(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        theirs = limited(1, on_behalf_of="").start
        response = await rig.stub.StartExecution(
            pb.StartExecutionRequest(start=theirs), metadata=ADMIN
        )

        assert response.execution_id == theirs.execution_id
        assert rig.runtime.slots.held(KEY) == 0


async def test_a_single_call_that_gives_up_leaves_the_line(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        request = pb.RunExecutionRequest(start=limited(2, queue=9).start, wait=wait(5))
        call = rig.stub.RunExecution(request)
        while rig.runtime.slots.waiting(KEY) == 0:
            await rig.get(first)
        call.cancel()
        while rig.runtime.slots.waiting(KEY):
            await rig.get(first)

    assert rows(tmp_path / "x.db") == 1
