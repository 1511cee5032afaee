"""Queues and workers as rows and lines."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from podium.worker.v1 import worker_pb2 as pb
from tui.views.queues import no_queue, queue_lines, queues, worker_lines, workers

NOW = 1_800_000_000.0


def at(seconds_ago: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(int((NOW - seconds_ago) * 1e9))
    return stamp


def worker(
    name: str, ago: float, running: int = 0, *, connected: bool = False, active: bool = False
) -> pb.Worker:
    return pb.Worker(worker_id=name, last_seen_at=at(ago), running=running,
                     connected=connected, active=connected or active)  # fmt: skip


TOLD = pb.ListQueuesResponse(
    queues=[
        pb.Queue(task_type="charge", domain="eu", size=1200, oldest_at=at(90), running=3,
                 workers=[worker("w1", 0, 2, connected=True), worker("w2", 5, 1)]),
        pb.Queue(task_type="pack", running=1, workers=[worker("w1", 0, 1, connected=True)]),
        pb.Queue(task_type="ship", size=1, oldest_at=at(5)),
        pb.Queue(task_type="weigh", workers=[worker("w2", 5), worker("w3", 2, active=True)]),
    ]
)  # fmt: skip


def test_a_queue_says_who_waits_and_who_comes_for_it() -> None:
    assert list(queue_lines(queues(TOLD), NOW)) == [
        "QUEUE      WAITING  OLDEST  RUNNING  WORKERS  LAST SEEN",
        "eu:charge  1,200    1m      3        1        now",
        "pack       0        -       1        1        now",
        "ship       1        5s      0        0        never",
        # Between two polls.
        "weigh      0        -       0        1        2s",
    ]


def test_a_worker_is_told_once_for_all_its_queues() -> None:
    assert list(worker_lines(workers(TOLD), NOW)) == [
        "WORKER  QUEUES           RUNNING  LAST SEEN",
        "w1      eu:charge pack   3        now",
        "w2      eu:charge weigh  1        5s",
        "w3      weigh            0        2s",
    ]


def test_as_data_times_are_said_in_full() -> None:
    first = queues(TOLD)[0].document

    assert (first["taskType"], first["domain"], first["size"]) == ("charge", "eu", 1200)
    assert first["oldestAt"].endswith("Z")
    assert first["workers"][1]["connected"] is False
    assert [each["active"] for each in queues(TOLD)[3].document["workers"]] == [False, True]
    assert "oldestAt" not in queues(TOLD)[1].document


def test_that_one_queue_is_not_there_says_nothing_of_others() -> None:
    assert no_queue("").startswith("There are no queues: ")
    assert no_queue("pack\n").startswith("There is no queue 'pack")
    assert "\n" not in no_queue("pack\n")


def test_a_worker_was_seen_when_its_last_queue_heard_of_it() -> None:
    told = pb.ListQueuesResponse(
        queues=[pb.Queue(task_type=type_, workers=[worker("w", ago)])
                for type_, ago in (("a", 9), ("b", 2), ("c", 5))]
    )  # fmt: skip
    (row,) = workers(told)

    assert row.seen == NOW - 2
    assert row.document["lastSeenAt"] == "2027-01-15T07:59:58Z"


def test_a_type_with_a_colon_is_another_queue_than_that_of_a_domain() -> None:
    told = pb.ListQueuesResponse(
        queues=[pb.Queue(task_type="charge", domain="eu"), pb.Queue(task_type="eu:charge")]
    )

    assert [row.id for row in queues(told)] == ["eu:charge", ":eu:charge"]
