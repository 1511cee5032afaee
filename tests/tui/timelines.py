"""Executions for tests of the timeline: one of every look, and how to write others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.executor.v1 import executor_pb2 as pb

START = 1_800_000_000_000
NOW = START / 1000 + 3.2

_SHORT = {
    "waits": pb.TASK_STATUS_SCHEDULED,
    "runs": pb.TASK_STATUS_IN_PROGRESS,
    "done": pb.TASK_STATUS_COMPLETED,
    "failed": pb.TASK_STATUS_FAILED,
}


def step(ref: str, kind: str = "HTTP", **fields: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def document(*tasks: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """An execution's own document, as far as a timeline reads it."""
    return {"workflowDefinition": {"tasks": list(tasks)}, **fields}


def task(
    ref: str, status: str, *times: int | None, kind: str = "HTTP", attempt: int = 0, **fields: Any
) -> pb.TaskState:
    """An attempt; ``times`` are when it was scheduled, started and ended, after the start."""
    state = pb.TaskState(
        task_id=f"{ref}@{attempt}", ref=ref, kind=kind, status=_SHORT[status], attempt=attempt,
        **fields,
    )  # fmt: skip
    for name, moment in zip(("scheduled_at", "started_at", "ended_at"), times, strict=False):
        if moment is not None:
            getattr(state, name).FromMilliseconds(START + moment)
    return state


def numbered(*tasks: pb.TaskState) -> list[pb.TaskState]:
    for number, each in enumerate(tasks, 1):
        each.sequence = number
    return list(tasks)


def execution(ended: int | None = None, **fields: Any) -> pb.ExecutionState:
    state = pb.ExecutionState(execution_id="e1", workflow_name="order", **fields)
    state.created_at.FromMilliseconds(START)
    if ended is not None:
        state.ended_at.FromMilliseconds(START + ended)
    return state


def polled(state: pb.TaskState, number: int, at: int, took: int, **fields: Any) -> pb.TaskState:
    """``state`` with its newest poll."""
    poll = pb.Poll(number=number, status_code=202, verdict="AGAIN", **fields)
    poll.at.FromMilliseconds(START + at)
    poll.duration.FromMilliseconds(took)
    state.last_poll.CopyFrom(poll)
    state.poll_count = number
    return state


ORDER = document(
    step("validate"),
    step("risk", "SWITCH", decisionCases={"low": [step("auto_ok", "INLINE")], "high": []}),
    step(
        "fork", "FORK_JOIN",
        forkTasks=[
            [step("charge")],
            [step("reserve", "SIMPLE"), step("label", "INLINE")],
            [step("send_mail")],
        ],
    ),
    step("join", "JOIN", joinOn=["charge", "label", "send_mail"]),
    step("track", "DO_WHILE", loopOver=[
        step("ask"),
        step("answered", "SWITCH", defaultCase=[step("poll", "HTTP_POLL")]),
    ]),
    tasks=[
        {"taskId": "poll__2@0", "polls": [
            {"number": 1, "at": START + 1801, "status": 202, "ms": 40, "verdict": "AGAIN",
             "next": START + 2500, "progress": 40},
        ]},
    ],
)  # fmt: skip


def order_tasks() -> list[pb.TaskState]:
    """Every look there is, 3.2 s after the start."""
    poll = task("poll__2", "runs", 1801, 1801, kind="HTTP_POLL", iteration=2)
    polled(poll, 2, 2500, 80).next_at.FromMilliseconds(START + 5000)
    poll.last_poll.next_at.FromMilliseconds(START + 5000)
    return numbered(
        task("validate", "done", 0, 0, 310),
        task("risk", "done", 310, 310, 320, kind="SWITCH"),
        task("auto_ok", "done", 320, 330, 350, kind="INLINE"),
        task("fork", "done", 350, 350, 360, kind="FORK_JOIN"),
        task("charge", "failed", 360, 400, 900, reason="The server answered 502."),
        task("charge", "failed", 900, 1400, 1600, attempt=1, reason="The server answered 502."),
        task("charge", "runs", 1600, 2600, attempt=2),
        task("reserve", "done", 360, 900, 1400, kind="SIMPLE"),
        task("label", "runs", 1400, 2200, kind="INLINE"),
        task("send_mail", "done", 360, 380, 700),
        task("join", "waits", 360, kind="JOIN"),
        task("track", "runs", 400, 400, kind="DO_WHILE"),
        task("ask__1", "done", 400, 400, 800, iteration=1),
        task("ask__2", "done", 900, 1000, 1800, iteration=2),
        task("answered__2", "done", 1800, 1800, 1801, kind="SWITCH", iteration=2),
        poll,
    )
