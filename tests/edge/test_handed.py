"""Which tasks a new stream to the executor tells to have been handed over."""

from __future__ import annotations

from podium.worker.v1 import worker_pb2 as pb
from services.edge.handed import Handed


def told(handed: Handed) -> list[tuple[str, int]]:
    hello = handed.hello()
    return list(zip(hello.handed_task_ids, hello.handed_poll_counts, strict=True))


def test_those_of_the_minute_before_the_last_are_told_however_long_ago_that_is() -> None:
    handed = Handed("edge")
    assert told(handed) == []
    for at, task_id in ((0, "t1"), (50, "t2"), (110, "t3")):
        handed.note([pb.Task(task_id=task_id, poll_count=2)], at)

    assert told(handed) == [("t2", 2), ("t3", 2)]
    assert handed.hello().edge_id == "edge"


def test_no_more_than_a_message_holds_are_told() -> None:
    handed = Handed("edge")
    handed.note((pb.Task(task_id=f"{n:036}", poll_count=n) for n in range(100_001)), 0)

    assert told(handed)[0] == (f"{1:036}", 1)
    assert handed.hello().ByteSize() < 8 << 20
