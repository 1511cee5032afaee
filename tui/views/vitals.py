"""How a suite is in a few words, for the line on top: what runs, what failed, who is away."""

from __future__ import annotations

from collections.abc import Mapping

from podium.executor.v1 import executor_pb2 as pb

_TOLD = (
    (pb.EXECUTION_STATUS_RUNNING, "running", "primary"),
    (pb.EXECUTION_STATUS_PAUSED, "paused", "warning"),
    (pb.EXECUTION_STATUS_FAILED, "failed", "error"),
    (pb.EXECUTION_STATUS_TIMED_OUT, "timed out", "error"),
)


def vitals(counts: Mapping[int, int]) -> list[tuple[str, str]]:
    """(words, tone) of the counts of executions by status; what there is none of is left out."""
    told = [
        (f"{counts.get(status, 0):,} {word}", tone)
        for status, word, tone in _TOLD
        if counts.get(status, 0) or status == pb.EXECUTION_STATUS_RUNNING
    ]
    return told if counts else []
