"""The pulse as lines and as data."""

from __future__ import annotations

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2 as pb
from tui.views.pulse_report import Known, data, failing, lines


def ended(name: str, status: pb.ExecutionStatus.ValueType, at: int, why: str) -> pb.ExecutionState:
    state = pb.ExecutionState(workflow_name=name, status=status, reason=why)
    state.ended_at.FromSeconds(at)
    return state


def test_workflows_that_fail_are_counted_and_the_last_reason_counts() -> None:
    rows = failing(
        [
            ended("order", pb.EXECUTION_STATUS_FAILED, 20, "newer"),
            ended("order", pb.EXECUTION_STATUS_TIMED_OUT, 10, "older"),
            ended("pay", pb.EXECUTION_STATUS_FAILED, 30, "x"),
        ]
    )

    assert [(row.id, row.failed, row.timed_out, row.reason) for row in rows] == [
        ("order", 1, 1, "newer"),
        ("pay", 1, 0, "x"),
    ]


def test_what_is_away_is_said_and_what_is_not_told_is_left_out() -> None:
    known = Known(None, edge_pb2.GatewayMetricsReport(), None, ["executor"])

    shown = list(lines(known))
    assert shown[0] == "away        executor"
    assert not any(line.startswith(("executions  ", "failing")) for line in shown[:1])
    told = data(known)
    assert (told["engine"], told["failing"], told["away"]) == (None, None, ["executor"])
    assert told["gateway"]["requests"] == 0


def test_others_words_move_no_cursor() -> None:
    rows = failing([ended("a\x1b[2J", pb.EXECUTION_STATUS_FAILED, 1, "b\nc\x1b[2J")])

    shown = "\n".join(lines(Known(None, None, rows)))
    assert "\x1b" not in shown
    assert shown.count("\n") == 1
