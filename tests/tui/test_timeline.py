from __future__ import annotations

from io import StringIO

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.live import Timeline
from tui.views.timeline import execution_line, task_line, webhook_line


def polling(count: int, **changes: object) -> pb.TaskState:
    task = pb.TaskState(
        task_id="t1",
        ref="poll",
        kind="HTTP_POLL",
        status=pb.TASK_STATUS_IN_PROGRESS,
        sequence=2,
        poll_count=count,
        last_poll=pb.Poll(number=count, status_code=202, verdict="AGAIN", progress=40),
    )
    task.last_poll.at.FromMilliseconds(1_000)
    task.last_poll.next_at.FromMilliseconds(2_500)
    task.last_poll.duration.FromMilliseconds(12)
    task.MergeFrom(pb.TaskState(**changes))  # type: ignore[arg-type]
    return task


def test_a_poll_tells_its_number_answer_progress_and_the_next() -> None:
    assert (
        task_line(polling(3))
        == "● poll  HTTP_POLL  IN_PROGRESS  poll 3 · 202 in 12 ms · progress 40 · next in 1.5 s"
    )


def test_a_task_of_a_worker_says_whose() -> None:
    task = pb.TaskState(ref="a", kind="SIMPLE", status=pb.TASK_STATUS_IN_PROGRESS, poll_count=1)
    task.worker_id = "w1"

    assert task_line(task) == "● a  SIMPLE  IN_PROGRESS  worker w1"


def test_an_attempt_that_failed_tells_why() -> None:
    task = pb.TaskState(
        ref="call", kind="HTTP", status=pb.TASK_STATUS_FAILED, attempt=1, reason="It answered 500."
    )

    assert task_line(task) == "✘ call  HTTP  FAILED  attempt 2  It answered 500."


def test_an_attempt_that_waits_tells_when_it_is_due() -> None:
    task = pb.TaskState(ref="call", kind="HTTP", status=pb.TASK_STATUS_SCHEDULED, attempt=1)
    task.scheduled_at.FromMilliseconds(5_000)
    task.next_at.FromMilliseconds(65_000)

    assert task_line(task) == "· call  HTTP  SCHEDULED  attempt 2 in 60.0 s"


def test_an_execution_is_one_line() -> None:
    state = pb.ExecutionState(
        execution_id="e1", workflow_name="w", workflow_version=2, status=pb.EXECUTION_STATUS_FAILED
    )
    state.created_at.FromMilliseconds(0)
    state.ended_at.FromMilliseconds(1_500)
    state.reason = "It broke."

    assert execution_line(state) == "e1  w v2  FAILED  1970-01-01 00:00:00Z  1.5s  It broke."


def test_away_from_a_terminal_each_change_is_a_line_of_its_own() -> None:
    stream = StringIO()
    with Timeline(stream=stream) as timeline:
        for count in (1, 1, 2):
            timeline.show(pb.WatchExecutionResponse(tasks=[polling(count)]))

    assert [line.split("  ")[3].split(" · ")[0] for line in stream.getvalue().splitlines()] == [
        "poll 1",
        "poll 2",
    ]


def test_a_webhook_is_one_line() -> None:
    url = "https://partner.example/hooks"
    waiting = pb.WebhookDelivery(url=url, status=pb.WEBHOOK_STATUS_PENDING)
    failed = pb.WebhookDelivery(
        url=url,
        status=pb.WEBHOOK_STATUS_PENDING,
        attempts=2,
        last_status_code=500,
        last_error="The receiver answered 500.",
    )
    failed.next_attempt_at.FromSeconds(60)

    assert webhook_line(waiting) == f"webhook {url}  PENDING"
    assert webhook_line(failed) == (
        f"webhook {url}  PENDING  attempt 2  500  The receiver answered 500.  "
        "next 1970-01-01 00:01:00Z"
    )


def test_a_poll_that_is_put_off_says_so_before_any_is_made() -> None:
    task = pb.TaskState(ref="a", kind="HTTP_POLL", status=pb.TASK_STATUS_IN_PROGRESS)
    task.last_poll.CopyFrom(pb.Poll(number=1, verdict="PUT_OFF", reason="The breaker is open."))

    assert task_line(task) == (
        "● a  HTTP_POLL  IN_PROGRESS  poll 1 · put off: The breaker is open."
    )
