"""``POST /-/callbacks/{token}?status=``: a remote says how the job went that it was given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside, read_body
from services.edge.call import JSON, Answer, Call
from services.edge.mapping import not_utf8, parse_body
from services.edge.problems import Problem
from services.edge.query import parse_query
from services.errors import Conflict, InvalidRequest

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

LONGEST_TOKEN = 2048
# How the task ended is nothing that a stranger is told.
_ENDED = "The task has ended with another status or body, or its output has no room for this one."

# What somebody outside may say of a task.
STATUSES: Mapping[str, pb.TaskStatus.ValueType] = {
    "IN_PROGRESS": pb.TASK_STATUS_IN_PROGRESS,
    "COMPLETED": pb.TASK_STATUS_COMPLETED,
    "FAILED": pb.TASK_STATUS_FAILED,
    "FAILED_WITH_TERMINAL_ERROR": pb.TASK_STATUS_FAILED_WITH_TERMINAL_ERROR,
}


async def complete(call: Call, gateway: Gateway, token: str) -> Answer:
    """Pass it on. 200 also for a repeat with the same status and body.

    The executor, which knows whether the token holds, is asked before the body is parsed: of
    strangers there may be many.

    Raises:
        Problem: 400 for a body that is no JSON or a status that is none, 409 ended another way.
        ServiceError: 404 forged or expired, 503 executor away.
    """
    if len(token) > LONGEST_TOKEN:
        raise Problem("not-found")
    status = _status_of(parse_query(call.query).get("status", "COMPLETED"))
    body = await read_body(call, gateway.body_limits)
    request = pb.CompleteCallbackRequest(token=token, status=status, body=text_of(body))
    try:
        task_id = await gateway.executor.complete_callback(request)
    except InvalidRequest:
        # If it is the body, whoever has a token that holds is told what is wrong with it.
        await aside(len(body), parse_body, body)
        raise
    except Conflict as error:
        raise Problem("conflict", _ENDED) from error
    return Answer(200, json.dumps({"taskId": task_id}).encode(), (JSON,))


def _status_of(written: str) -> pb.TaskStatus.ValueType:
    """Raises :class:`Problem` (400) for what is none of the statuses that may be said."""
    status = STATUSES.get(written)
    if status is None:
        raise Problem("invalid-request", f"The status must be one of {', '.join(STATUSES)}.")
    return status


def text_of(body: bytes) -> str:
    """``body`` as it is, ``{}`` for none; raises :class:`Problem` (400) where it is no UTF-8."""
    try:
        return body.decode() or "{}"
    except UnicodeDecodeError:
        raise not_utf8() from None
