"""What event handlers did, as an operator reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from podium.executor.v1 import event_runs_pb2 as pb
from tui.views.durations import iso
from tui.views.visible import in_one_line

HEAD = ("AT", "HANDLER", "EVENT", "ACTION", "CAME TO", "TARGET", "REASON")


def outcome(run: pb.EventExecution) -> str:
    """In a word."""
    return pb.EventOutcome.Name(run.outcome).removeprefix("EVENT_OUTCOME_")


def none_of(handler: str, event: str) -> str:
    """That nothing was done by a handler, or about an event, where they are not empty."""
    who = f" by a handler '{in_one_line(handler)}'" if handler else ""
    what = f" about the event '{in_one_line(event)}'" if event else ""
    return f"Nothing was done{who}{what} yet."


def row(run: pb.EventExecution) -> Sequence[str]:
    """Cells of :data:`HEAD`."""
    return (
        iso(run.at.ToDatetime(UTC)),
        in_one_line(run.handler) or "-",
        in_one_line(run.event),
        run.name,
        outcome(run),
        in_one_line(run.target) or "-",
        in_one_line(run.reason),
    )


def document(run: pb.EventExecution) -> dict[str, Any]:
    """As data."""
    found: dict[str, Any] = {
        "id": run.id,
        "messageId": run.message_id,
        "event": run.event,
        "handler": run.handler,
        "action": run.action,
        "name": run.name,
        "outcome": outcome(run),
        "at": iso(run.at.ToDatetime(UTC)),
    }
    more = {"target": run.target, "reason": run.reason}
    return found | {name: value for name, value in more.items() if value}
