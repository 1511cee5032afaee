"""What a session has to send: in order, in messages of a size, a result once for all who wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.executor import session
from services.executor.outbox import Outbox
from tests.executor.rig import executing, step, workflow
from tests.executor.test_idempotency import keyed
from tests.executor.test_session import Peer, release

MEBIBYTE = 1 << 20
LARGE = workflow("large", step("hold", "WAIT"), outputParameters={"x": "${workflow.input.x}"})

sizes = st.sampled_from([0, 10, 5_000, 100_000, 3 * MEBIBYTE, 9 * MEBIBYTE])
asked = st.lists(
    st.one_of(st.none(), st.tuples(sizes, st.booleans(), st.integers(1, 3))), max_size=8
)


@settings(max_examples=40, deadline=None)
@given(asked)
def test_all_is_sent_in_order_and_nothing_is_left(
    given_: list[tuple[int, bool, int] | None],
) -> None:
    outbox = Outbox()
    expected: list[tuple[int, tuple[int, bool] | None]] = []
    for each in given_:
        size, replayed, times = each or (0, False, 1)
        result = pb.Result(output="x" * size)
        for _ in range(times):
            number = len(expected) + 1
            expected.append((number, None if each is None else (size, replayed)))
            if each is None:
                outbox.put(pb.ServerFrame(correlation_id=number, accepted=pb.Accepted()))
            else:
                outbox.put_result(number, result, replayed=replayed)
    found = []
    while outbox:
        message = outbox.next_message()
        assert len(message.frames) == 1 or message.ByteSize() < 8.1 * MEBIBYTE
        for frame in message.frames:
            told = (len(frame.result.output), frame.result.replayed)
            found.append((frame.correlation_id, told if frame.HasField("result") else None))

    assert found == expected
    assert outbox.unread == 0


def test_a_large_result_is_kept_once_for_all_who_wait() -> None:
    outbox, result = Outbox(), pb.Result(output="x" * MEBIBYTE)
    for number in range(10_000):
        outbox.put_result(number, result, replayed=number > 0)

    assert outbox.unread < 10 * MEBIBYTE
    message = outbox.next_message()
    assert [each.result.replayed for each in message.frames] == [False] + [True] * 6


# Four megabytes are sent, twice.
async def test_many_who_wait_for_one_large_result_end_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_MOST_UNREAD_BYTES", MEBIBYTE)
    given_ = {"input": {"x": "y" * 200_000}, "acknowledge": True}
    numbers = range(20)
    async with executing(tmp_path / "x.db", [LARGE]) as rig:
        peer = Peer(rig)
        await peer.ask(*(keyed(number, "large", **given_) for number in numbers))
        ids = {(await peer.next()).accepted.execution_id for _ in numbers}
        await release(rig, *ids)
        told = [(await peer.next()).result for _ in numbers]
        # As after a broken stream.
        attach = pb.Attach(execution_id=ids.pop(), on_behalf_of="admin")
        peer = Peer(rig)
        await peer.ask(*(pb.ClientFrame(correlation_id=n, attach=attach) for n in numbers))
        told += [(await peer.next()).result for _ in numbers]

    assert {len(each.output) for each in told} == {len('{"x":""}') + 200_000}
