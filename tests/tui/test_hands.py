"""In whose hands a task is: what its row says of workers, queues and leases."""

from __future__ import annotations

from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.tui.timelines import NOW, START, execution, task
from tui.views.hands import Hand, by_worker, hands_of
from tui.views.timebook import TimeBook
from tui.views.timerows import facts_of

MS = int(NOW * 1000)


def told(id_: str, **fields: Any) -> dict[str, Any]:
    return {"tasks": [{"taskId": id_, "taskType": "SIMPLE", "taskDefName": "charge", **fields}]}


def note(state: pb.TaskState, document: dict[str, Any]) -> str:
    book = TimeBook()
    book.replace(execution(), [state], document)
    return facts_of(book.rows[0], book.attempts, {}, MS).note


def test_a_task_says_which_worker_has_it_and_until_when() -> None:
    state = task("charge", "runs", 0, 100, kind="SIMPLE", worker_id="host-7", poll_count=2)
    document = told("charge@0", domain="eu", updateTime=MS - 1000, responseTimeoutSeconds=60)

    assert note(state, document) == (
        "worker host-7 · queue eu:charge · given 2 times · lease ends in 59.0s"
    )


def test_a_lease_that_is_over_says_so_and_none_says_nothing() -> None:
    state = task("charge", "runs", 0, 100, kind="charge", worker_id="host-7", poll_count=1)
    over = told("charge@0", updateTime=START - 90_000, responseTimeoutSeconds=60)
    none = told("charge@0", updateTime=START, responseTimeoutSeconds=0)

    assert note(state, over) == "worker host-7 · lease is over"
    assert note(state, none) == "worker host-7"


def test_who_waits_for_a_worker_says_of_which_queue() -> None:
    waits = task("charge", "waits", 0, kind="SIMPLE", worker_id="host-6", poll_count=1)

    assert note(waits, told("charge@0", domain="eu")) == "waits for a worker of eu:charge"
    assert note(waits, {}) == "waits for a worker"


def test_what_is_given_back_waits_for_its_moment_first() -> None:
    back = task("charge", "waits", 0, kind="SIMPLE", worker_id="host-7")
    back.next_at.FromMilliseconds(MS + 5000)

    assert note(back, told("charge@0")) == "next in 5.0s"


def test_what_has_ended_has_no_lease_and_what_is_done_here_no_worker() -> None:
    done = task("charge", "done", 0, 100, 200, kind="SIMPLE", worker_id="host-7")
    document = told("charge@0", updateTime=START, responseTimeoutSeconds=60)
    by_hand = task("ok", "done", 0, 100, 200, kind="HUMAN", worker_id="console")
    never = task("charge", "failed", 0, None, 200, kind="SIMPLE")

    assert note(done, document) == "worker host-7"
    assert note(by_hand, {}) == "by console"
    assert note(never, document) == ""


def test_a_change_keeps_what_the_document_told() -> None:
    book = TimeBook()
    state = task("charge", "waits", 0, kind="SIMPLE")
    book.replace(execution(), [state], told("charge@0", domain="eu"))

    book.apply(None, [task("charge", "runs", 0, 100, kind="SIMPLE", worker_id="host-7")])

    assert book.attempts["charge@0"].hand == Hand("eu:charge")
    assert "queue eu:charge" in facts_of(book.rows[0], book.attempts, {}, MS).note


@pytest.mark.parametrize(
    ("kind", "is_by_worker"),
    [("SIMPLE", True), ("charge", True), ("HTTP", False), ("JOIN", False), ("", False)],
)
def test_whatever_is_no_type_of_the_engines_is_done_by_workers(
    kind: str, is_by_worker: bool
) -> None:
    assert by_worker(kind) is is_by_worker


@pytest.mark.parametrize("tasks", [None, 7, ["x"], [{"taskId": 7, "taskType": "SIMPLE"}]])
def test_a_malformed_document_tells_nothing(tasks: Any) -> None:
    assert hands_of({"tasks": tasks}) == {}


def test_a_workers_name_breaks_no_line() -> None:
    state = task("charge", "runs", 0, 1, kind="SIMPLE", worker_id="a\x1b[31m\nb")

    assert "\x1b" not in note(state, told("charge@0"))
    assert "\n" not in note(state, told("charge@0"))
