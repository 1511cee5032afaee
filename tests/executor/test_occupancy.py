"""Which slots are held and waited for, as operators ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import occupancy
from services.executor.slots import WALKED_AT_ONCE, Slot, Slots
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing
from tests.executor.test_entrance import KEY, begun, ended, limited
from tests.executor.test_session import WAITING, Peer


async def listed(rig: Rig, **request: Any) -> pb.ListSlotsResponse:
    with raising_ours():
        return await rig.stub.ListSlots(pb.ListSlotsRequest(**request), metadata=ADMIN, timeout=5)


async def test_a_key_tells_who_holds_its_slots_and_how_many_wait(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        half = '{"service":"shop"}'
        await peer.ask(limited(1, limit=2, queue=5, answer=half))
        first = await begun(peer, 1)
        await peer.ask(limited(2, limit=2, queue=5))
        second = await begun(peer, 2)
        await peer.ask(limited(3, limit=2, queue=5), limited(4, slot_key=b"other"))
        await begun(peer, 4)
        told = await listed(rig, holders=10)

        busiest, other = told.slots
        assert told.total == 2
        assert (busiest.key, busiest.limit, busiest.held, busiest.waiting) == (KEY, 2, 2, 1)
        assert [each.execution_id for each in busiest.holders] == [first, second]
        assert busiest.holders[0].workflow_name == "waiting"
        assert busiest.holders[0].answer == half
        assert busiest.holders[0].started_at.seconds > 0
        assert (other.key, other.held, other.waiting) == (b"other", 1, 0)
        some = await listed(rig, keys=[b"other", b"nobody's"], holders=1)
        assert [each.key for each in some.slots] == [b"other"]
        assert not (await listed(rig)).slots[0].holders

        await ended(peer, rig, first, 1)
        await begun(peer, 3)
        assert first not in [
            each.execution_id for each in (await listed(rig, holders=9)).slots[0].holders
        ]


async def test_whoever_holds_a_slot_is_told_after_a_restart(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        peer = Peer(rig)
        await peer.ask(limited(1))
        execution_id = await begun(peer, 1)
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        (slot,) = (await listed(rig, holders=1)).slots

    assert (slot.key, slot.limit, slot.held) == (KEY, 0, 1)
    assert slot.holders[0].execution_id == execution_id


@pytest.mark.parametrize(
    "request_",
    [
        {"limit": -1},
        {"limit": 10_001},
        {"limit": 1_001, "holders": 1},
        {"holders": 101},
        {"holders": -1},
        {"keys": [b"x"] * 10_001},
    ],
)
async def test_too_much_at_once_is_refused(tmp_path: Path, request_: dict[str, Any]) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        with pytest.raises(InvalidRequest):
            await listed(rig, **request_)


async def test_the_busiest_of_many_are_told(tmp_path: Path) -> None:
    slots = Slots({b"%d" % number: number for number in range(1, 3 * WALKED_AT_ONCE)})
    assert not slots.take(Slot(b"7", 1))
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        readers = rig.runtime.store.readers
        told = await occupancy.of(slots, readers, pb.ListSlotsRequest(limit=2))

    assert told.total == 3 * WALKED_AT_ONCE - 1
    assert [each.held for each in told.slots] == [3 * WALKED_AT_ONCE - 1, 3 * WALKED_AT_ONCE - 2]
