"""Starts of one key at one moment: each is told what is so for it, whoever of them leaves."""

from __future__ import annotations

from pathlib import Path

from podium.executor.v1 import executor_pb2 as pb
from tests.executor.rig import Rig, executing, start
from tests.executor.test_entrance import (
    KEY as SLOT,
    begun,
    cancel,
    ended,
    limited,
    refused,
    rows,
    withdrawal,
)
from tests.executor.test_idempotency import KEY, keyed, result
from tests.executor.test_session import QUICK, WAITING, Peer, release


async def in_line(rig: Rig, execution_id: str, count: int) -> None:
    """Until one with the key waits for the slot, which the execution has, and so many for it."""
    entrance = rig.runtime.entrance
    while not entrance.slots.waiting(SLOT) or entrance.flights[KEY].joined < count:
        await rig.get(execution_id)


async def test_another_request_of_the_same_tick_spoils_no_repeat(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1))
        first = (await result(peer)).result.execution_id
        await peer.ask(keyed(2, fingerprint=b"other"), keyed(3), keyed(4, fingerprint=b"third"))
        told = {each.correlation_id: each for each in [await result(peer) for _ in range(3)]}

    assert told[3].result.execution_id == first
    assert told[2].error.reason == told[4].error.reason == "KEY_REUSED"


async def test_what_runs_is_told_though_it_is_withdrawn_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    same, mine = limited(1, queue=9), limited(2, queue=9, slot_key=b"mine", idempotency_key=KEY)
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(same, mine)
        ids = {(await peer.next()).accepted.execution_id for _ in range(2)}
    async with executing(path, [WAITING]) as rig:
        peer = Peer(rig)
        same.start.again = mine.start.again = True
        theirs = limited(3, queue=9, slot_key=b"mine", idempotency_key=KEY)
        await peer.ask(theirs, same, mine, *(withdrawal(number) for number in (1, 2, 3)))
        told = {each.correlation_id: each for each in [await peer.next() for _ in range(3)]}

    assert {told[1].accepted.execution_id, told[2].accepted.execution_id} == ids
    assert told[3].accepted.execution_id == mine.start.execution_id
    assert rows(path) == 2


async def test_what_is_not_there_is_withdrawn_and_the_others_go_on(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        # Whether they are there is still looked up when they leave.
        await peer.ask(
            *(limited(number, queue=9, idempotency_key=KEY, again=True) for number in (2, 3, 4)),
            limited(5, queue=9, again=True),
            withdrawal(2),
            cancel(3),
            withdrawal(5),
        )
        told = [await peer.next(), await peer.next()]
        assert {each.correlation_id: each.error.reason for each in told} == {
            2: "CONCURRENCY_LIMITED",
            5: "CONCURRENCY_LIMITED",
        }
        assert rig.runtime.slots.waiting(SLOT) == 1
        await ended(peer, rig, first, 1)
        await begun(peer, 4)
        assert not rig.runtime.entrance.flights

    assert rows(tmp_path / "x.db") == 2


async def test_whoever_stays_keeps_the_place_of_one_who_leaves(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await peer.ask(*(limited(number, queue=2, idempotency_key=KEY) for number in (2, 3)))
        await in_line(rig, first, 1)
        await peer.ask(limited(4, queue=2), withdrawal(2))
        assert await refused(peer, 2) == "CONCURRENCY_LIMITED"
        assert rig.runtime.slots.waiting(SLOT) == 2
        await ended(peer, rig, first, 1)
        second = await begun(peer, 3)
        await ended(peer, rig, second, 3)
        await begun(peer, 4)
        assert rig.runtime.entrance.joined_chars == 0


async def test_whoever_stays_stands_in_the_line_of_its_own(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        await peer.ask(
            limited(2, queue=2, idempotency_key=KEY),
            limited(3, queue=2, idempotency_key=KEY, slot_key=b"free", fingerprint=b"other"),
        )
        await in_line(rig, first, 1)
        await peer.ask(withdrawal(2))
        told = {(each := await peer.next()).correlation_id: each for _ in range(2)}

    assert told[2].error.reason == "CONCURRENCY_LIMITED"
    assert told[3].HasField("accepted")


async def test_hundreds_who_leave_at_once_are_let_go_one_by_one(tmp_path: Path) -> None:
    many = 300
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        numbers = range(2, 2 + many)
        await peer.ask(*(limited(each, queue=9, idempotency_key=KEY) for each in numbers))
        await in_line(rig, first, many - 1)
        flight = rig.runtime.entrance.flights[KEY]
        await peer.ask(*(withdrawal(each) for each in numbers))
        left = [await refused(peer, each) for each in numbers]
        await ended(peer, rig, first, 1)

        assert set(left) == {"CONCURRENCY_LIMITED"}
        assert flight.joined == rig.runtime.entrance.joined_chars == len(rig.runtime.slots) == 0


async def test_inputs_that_wait_for_one_key_are_not_kept_without_end(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        rig.runtime.entrance.most_chars = 1000
        peer = Peer(rig)
        await peer.ask(limited(1))
        first = await begun(peer, 1)
        large = start("waiting", input={"x": "y" * 400}).input
        await peer.ask(
            *(limited(each, queue=9, idempotency_key=KEY, input=large) for each in (2, 3, 4, 5))
        )
        assert await refused(peer, 5) == "OVERLOADED"
        await ended(peer, rig, first, 1)
        ids = {(each := await peer.next()).accepted.execution_id for _ in (2, 3, 4)}
        assert len(ids) == 1
        assert each.WhichOneof("body") == "accepted"
        assert rig.runtime.entrance.joined_chars == 0
        await release(rig, ids.pop())
        assert {(await peer.next()).result.status for _ in (2, 3, 4)} == {
            pb.EXECUTION_STATUS_COMPLETED
        }
