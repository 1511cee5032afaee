"""Starts with one idempotency key: one execution, whatever happens between them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, KeyReused
from services.executor.upkeep import Upkeep
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, executing, new_id, step, wait, workflow
from tests.executor.test_session import QUICK, WAITING, Peer, frame, release

KEY = b"k" * 32
HOLDING = workflow("holding", step("first", "NOOP"), step("hold", "WAIT"))
DAY = timedelta(hours=24)


def keyed(number: int, name: str = "quick", **fields: Any) -> pb.ClientFrame:
    """A start with the key, under an id of its own."""
    given = {"execution_id": new_id(), "idempotency_key": KEY, **fields}
    return frame(number, name, **given)


async def result(peer: Peer) -> pb.ServerFrame:
    """The next frame but Accepted."""
    while (each := await peer.next()).WhichOneof("body") == "accepted":
        continue
    return each


def aged(path: Path, by: timedelta) -> None:
    """Let every execution have ended so much earlier."""
    with sqlite3.connect(path, timeout=10) as db:
        micros = by // timedelta(microseconds=1)
        db.execute("UPDATE executions SET ended_at = ended_at - ?", (micros,))
        db.execute("UPDATE idempotency_keys SET look_at = look_at - ?", (micros,))
    db.close()


def count(path: Path, table: str) -> int:
    db = sqlite3.connect(path, timeout=10)
    found: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    db.close()
    return found


async def test_a_start_that_is_repeated_has_the_first_ones_result(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, input={"n": 7}))
        first = (await result(peer)).result
        await peer.ask(keyed(2, input={"n": 7}))
        second = (await result(peer)).result

    assert second.execution_id == first.execution_id
    assert json.loads(second.output) == {"n": 7}
    assert (first.replayed, second.replayed) == (False, True)
    assert count(tmp_path / "x.db", "executions") == 1


async def test_many_of_one_tick_are_one_execution(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(*(keyed(number, "waiting", acknowledge=True) for number in range(50)))
        ids = {(await peer.next()).accepted.execution_id for _ in range(50)}
        assert len(ids) == 1
        await release(rig, ids.pop())
        results = [(await peer.next()).result for _ in range(50)]

    assert {each.status for each in results} == {pb.EXECUTION_STATUS_COMPLETED}
    # They have waited for it with the first one.
    assert not any(each.replayed for each in results)
    assert count(tmp_path / "x.db", "executions") == 1


async def test_another_request_with_the_key_is_told_so_before_and_after_the_first_is_stored(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1), keyed(2, fingerprint=b"other"))
        found = [await result(peer), await result(peer)]
        await peer.ask(keyed(3, fingerprint=b"other"))
        found.append(await result(peer))

    by_number = {each.correlation_id: each for each in found}
    assert by_number[1].HasField("result")
    assert by_number[2].error.reason == by_number[3].error.reason == "KEY_REUSED"


async def test_whoever_joins_waits_for_what_the_first_waits_for(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HOLDING]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, "holding", await_refs=["first"]))
        first = (await result(peer)).result
        await peer.ask(keyed(2, "holding", acknowledge=True))
        accepted = (await peer.next()).accepted
        second = (await result(peer)).result

    assert accepted.await_refs == ["first"]
    assert (first.awaited_ref, second.awaited_ref) == ("first", "first")
    assert second.replayed
    assert second.execution_id == first.execution_id


async def test_a_crash_forgets_no_key(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, "waiting", acknowledge=True))
        execution_id = (await peer.next()).accepted.execution_id
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        # The same start, as the edge sends it again, and another one.
        await peer.ask(
            keyed(1, "waiting", execution_id=execution_id, again=True, acknowledge=True),
            keyed(2, "waiting", acknowledge=True),
        )
        accepted = [(await peer.next()).accepted.execution_id for _ in range(2)]
        await release(rig, execution_id)
        ended = [(await result(peer)).result.execution_id for _ in range(2)]

    assert {*accepted, *ended} == {execution_id}
    assert count(tmp_path / "x.db", "executions") == 1


async def test_a_start_that_joined_and_is_sent_again_joins_again(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer, other = Peer(rig), Peer(rig)
        mine = new_id()
        await peer.ask(keyed(1, "waiting", acknowledge=True))
        execution_id = (await peer.next()).accepted.execution_id
        for again in (False, True):
            await other.ask(
                keyed(1 + again, "waiting", execution_id=mine, acknowledge=True, again=again)
            )
            assert (await other.next()).accepted.execution_id == execution_id
        assert rig.runtime.tally.running == 1


async def test_a_key_is_known_for_a_day_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1))
        first = (await result(peer)).result.execution_id
        aged(path, DAY - timedelta(minutes=1))
        await Upkeep().forget_keys(rig.store)
        await peer.ask(keyed(2))
        assert (await result(peer)).result.execution_id == first

        aged(path, timedelta(minutes=1))
        await peer.ask(keyed(3, fingerprint=b"other"))
        again = (await result(peer)).result
        assert again.execution_id != first
        assert not again.replayed
        await peer.ask(keyed(4, fingerprint=b"other"))
        assert (await result(peer)).result.execution_id == again.execution_id


async def test_keys_whose_time_is_over_are_dropped_and_those_of_what_runs_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [QUICK, WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, "waiting", acknowledge=True))
        await peer.next()
        for number in range(2, 1200):
            await peer.ask(keyed(number, idempotency_key=number.to_bytes(4, "big")))
            await result(peer)
        await Upkeep().forget_keys(rig.store)
        assert count(path, "idempotency_keys") == 1199
        aged(path, DAY)
        await Upkeep().forget_keys(rig.store)
        assert count(path, "idempotency_keys") == 1

        aged(path, DAY)
        await Upkeep(retention=timedelta(0)).clean(rig.store, rig.runtime.tally)
        await peer.ask(keyed(2000, "waiting", acknowledge=True))
        accepted = (await peer.next()).accepted
        await rig.ended(accepted.execution_id, 0)
        assert rig.runtime.tally.running == 1


async def test_what_could_not_be_started_leaves_no_key(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1, "nope"), keyed(2, "quick", input="{"))
        assert {(await peer.next()).error.reason for _ in range(2)} == {
            "NOT_FOUND",
            "INVALID_REQUEST",
        }
        await peer.ask(keyed(3, fingerprint=b"other"))
        assert (await result(peer)).HasField("result")


async def test_the_disk_being_full_leaves_no_key(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [QUICK]) as rig:
        peer = Peer(rig)
        await asyncio.to_thread(broken, path, "ALTER TABLE idempotency_keys RENAME TO gone")
        await peer.ask(keyed(1), keyed(2))
        refused = [await peer.next(), await peer.next()]
        await asyncio.to_thread(broken, path, "ALTER TABLE gone RENAME TO idempotency_keys")
        await peer.ask(keyed(3, fingerprint=b"other"))

        assert {each.error.reason for each in refused} == {"UNAVAILABLE"}
        assert (await result(peer)).HasField("result")
        assert count(path, "executions") == 1


def broken(path: Path, statement: str) -> None:
    db = sqlite3.connect(path, timeout=10)
    db.execute(statement)
    db.close()


async def test_another_caller_with_the_same_key_reaches_nothing(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        peer = Peer(rig)
        await peer.ask(keyed(1))
        first = (await result(peer)).result.execution_id
        start = keyed(2, on_behalf_of="").start
        response = await rig.stub.RunExecution(
            pb.RunExecutionRequest(start=start, wait=wait(5)), metadata=ADMIN
        )

    assert response.result.execution_id == start.execution_id != first
    assert not response.result.replayed


@pytest.mark.parametrize(
    "fields", [{"idempotency_key": b"k" * 33}, {"fingerprint": b""}], ids=["long", "no fingerprint"]
)
async def test_a_key_that_tells_nothing_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.run("quick", **{"idempotency_key": KEY, **fields})


async def test_single_calls_heed_keys_too(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        first = await rig.run("quick", idempotency_key=KEY)
        second = await rig.run("quick", idempotency_key=KEY)
        assert await rig.begin("quick", idempotency_key=KEY) == first.execution_id
        with pytest.raises(KeyReused), raising_ours():
            await rig.run("quick", idempotency_key=KEY, fingerprint=b"other")

    assert (second.execution_id, second.replayed) == (first.execution_id, True)
