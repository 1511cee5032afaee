"""What happened to an execution, as lines and as data."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from tui.views.events import data, line

AT = Timestamp(seconds=1_769_860_800, nanos=123_000_000)


def of_task(**fields: object) -> pb.ExecutionEvent:
    event = pb.ExecutionEvent(at=AT, kind=pb.EVENT_KIND_TASK, ref="pay", task_id="t1", revision=7)
    event.MergeFrom(pb.ExecutionEvent(**fields))  # type: ignore[arg-type]
    return event


def test_an_event_is_a_line_with_its_number_its_moment_and_its_attempt() -> None:
    event = of_task(task_to=pb.TASK_STATUS_FAILED, attempt=1, reason="no\nroute")

    assert line(event, 12) == ("  12  2026-01-31T12:00:00.123Z  pay  ✘ failed  attempt 2  no route")


def test_what_others_wrote_moves_no_cursor() -> None:
    assert "\x1b" not in line(of_task(ref="a\x1b[2J", reason="b\x1b[2J"), 1)


def test_data_has_where_it_stood_before_and_null_where_it_was_not() -> None:
    first = data(of_task(task_to=pb.TASK_STATUS_SCHEDULED), 1)
    then = data(of_task(task_from=pb.TASK_STATUS_SCHEDULED, task_to=pb.TASK_STATUS_IN_PROGRESS), 2)

    assert (first["from"], first["to"], first["reason"]) == (None, "SCHEDULED", None)
    assert (then["number"], then["from"], then["to"]) == (2, "SCHEDULED", "IN_PROGRESS")
    assert then["at"] == "2026-01-31T12:00:00.123Z"


def test_a_poll_has_its_answer_and_when_the_next_one_is() -> None:
    event = of_task(
        kind=pb.EVENT_KIND_POLL, poll=pb.Poll(number=3, at=AT, status_code=200, verdict="AGAIN")
    )
    event.poll.duration.FromMilliseconds(12)

    told = data(event, 5)["poll"]
    assert (told["number"], told["statusCode"], told["durationMs"]) == (3, 200, 12)
    assert told["nextAt"] is None
    assert "poll 3  200 in 12 ms: again" in line(event, 5)


def test_an_end_names_the_execution_alone() -> None:
    event = pb.ExecutionEvent(
        at=AT,
        kind=pb.EVENT_KIND_EXECUTION,
        execution_from=pb.EXECUTION_STATUS_RUNNING,
        execution_to=pb.EXECUTION_STATUS_COMPLETED,
    )

    told = data(event, 9)
    assert (told["from"], told["to"], told["kind"]) == ("RUNNING", "COMPLETED", "EXECUTION")
    assert "ref" not in told
    assert line(event, 9).endswith("✔ execution completed")
