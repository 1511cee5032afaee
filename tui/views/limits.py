"""Limits of routes and of workflows, and how they stand, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import crowds_pb2 as crowds
from tui.views.durations import iso
from tui.views.tables import table
from tui.views.visible import in_one_line

_HEAD = ("  key", "used", "waiting", "refused", "room at", "id")
_UNKNOWN = "(begun before the gateway was)"
_EVERYBODY = "(all calls)"
_MOST_NAMED = 3


def documents(told: pb.ListLimitsResponse) -> list[dict[str, Any]]:
    """The limits as data, each with its keys."""
    return [_document(each) for each in told.limits]


def lines(told: pb.ListLimitsResponse) -> Iterator[str]:
    """A line a limit, and below it one for each of its busiest keys."""
    for number, limit in enumerate(told.limits):
        if number:
            yield ""
        yield _title(limit)
        if limit.keys:
            yield from table([_HEAD, *(_row(limit, key) for key in limit.keys)])
        left = limit.keys_used - len(limit.keys)
        if left > 0:
            yield f"  and {left:,} more keys"


def workflow_documents(told: crowds.ListWorkflowLimitsResponse) -> list[dict[str, Any]]:
    """The limits of workflows as data, each with its keys."""
    return [
        {
            "workflow": limit.workflow_name,
            "name": "workflow",
            "key": limit.key,
            "limit": limit.limit,
            "policy": "REJECT" if limit.rejects else "QUEUE",
            "keysUsed": limit.keys_used,
            "keys": [
                {
                    "id": key.id.hex(),
                    "key": key.key if limit.key else "",
                    "used": key.used,
                    "limit": key.limit or limit.limit,
                    "waiting": key.waiting,
                    "executionIds": [each.execution_id for each in key.holders],
                }
                for key in limit.keys
            ],
        }
        for limit in told.limits
    ]


def workflow_lines(told: crowds.ListWorkflowLimitsResponse) -> Iterator[str]:
    """A line a workflow, and below it one for each of its busiest keys."""
    for number, limit in enumerate(told.limits):
        if number:
            yield ""
        words = [f"workflow {limit.workflow_name}", workflow_rule(limit)]
        if limit.key:
            words.append(f"by {limit.key}")
        words.append(f"{limit.keys_used:,} in use")
        yield "  ".join(map(in_one_line, words))
        if limit.keys:
            yield from table([_HEAD, *(_workflow_row(limit, key) for key in limit.keys)])
        left = limit.keys_used - len(limit.keys)
        if left > 0:
            yield f"  and {left:,} more keys"


def workflow_rule(limit: crowds.WorkflowLimit) -> str:
    """What a limit of a workflow says."""
    return f"{limit.limit:,} at once, {'one more is refused' if limit.rejects else 'others wait'}"


def _workflow_row(limit: crowds.WorkflowLimit, key: crowds.WorkflowLimitKey) -> Sequence[str]:
    name = in_one_line(key.key) if limit.key else _EVERYBODY
    more = key.used - len(key.holders)
    ids = " ".join(each.execution_id for each in key.holders)
    used = f"{key.used:,}/{key.limit or limit.limit:,}"
    told = ids + (f" and {more:,} more" if more > 0 else "")
    return f"  {name}", used, f"{key.waiting:,}", "-", "-", told


def _title(limit: pb.LimitState) -> str:
    words = [limit.service_id, f"{limit.method} {limit.path}", limit.name, _rule(limit)]
    if limit.key:
        words.append(f"by {limit.key}")
    words.append(f"{limit.keys_used:,} in use, {limit.refused:,} refused")
    return "  ".join(map(in_one_line, words))


def _rule(limit: pb.LimitState) -> str:
    if limit.HasField("window"):
        return f"{limit.limit:,} in {limit.window.ToTimedelta().total_seconds():g} s"
    line = f", {limit.most_waiting:,} may wait" if limit.most_waiting else ""
    return f"{limit.limit:,} side by side{line}"


def _row(limit: pb.LimitState, key: pb.LimitKey) -> Sequence[str]:
    room = iso(_moment(key.room_at)) if key.HasField("room_at") else "-"
    refused = f"{key.refused:,}" if limit.HasField("window") else "-"
    waiting = "-" if limit.HasField("window") else f"{key.waiting:,}"
    used = f"{key.used:,}/{key.limit:,}"
    return f"  {_name(limit, key)}", used, waiting, refused, room, _id(key)


def _id(key: pb.LimitKey) -> str:
    """What a window is reset by; of executions, which they are."""
    if not key.execution_ids:
        return key.id
    more = key.used - _MOST_NAMED
    return " ".join(key.execution_ids[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _name(limit: pb.LimitState, key: pb.LimitKey) -> str:
    if not key.HasField("key"):
        return _UNKNOWN
    return in_one_line(key.key) if limit.key else _EVERYBODY


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def _document(limit: pb.LimitState) -> dict[str, Any]:
    told: dict[str, Any] = {
        "service": limit.service_id,
        "method": limit.method,
        "path": limit.path,
        "name": limit.name,
        "key": limit.key,
        "limit": limit.limit,
    }
    if limit.HasField("window"):
        told["windowSeconds"] = limit.window.ToTimedelta().total_seconds()
    else:
        told["maxQueued"] = limit.most_waiting
    told |= {"refused": limit.refused, "keysUsed": limit.keys_used}
    return {**told, "keys": [_key(limit, each) for each in limit.keys]}


def _key(limit: pb.LimitState, key: pb.LimitKey) -> Mapping[str, Any]:
    told = {
        "id": key.id,
        "key": key.key if key.HasField("key") else None,
        "used": key.used,
        "limit": key.limit,
    }
    if not limit.HasField("window"):
        return {**told, "waiting": key.waiting, "executionIds": list(key.execution_ids)}
    times = {"roomAt": iso(_moment(key.room_at)), "unusedAt": iso(_moment(key.unused_at))}
    return {**told, "refused": key.refused, **times}
