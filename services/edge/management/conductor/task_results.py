"""``TaskResult``: what Conductor's workers say of a task. No IO."""

from __future__ import annotations

import json
from typing import Any

from podium.worker.v1 import worker_pb2 as pb
from services.edge.management.conductor.fields import Fields, quoted, refused
from services.edge.mapping import parse_body

_STATUSES = (
    "IN_PROGRESS", "COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED",
)  # fmt: skip
# Ten years, as the executor bounds delays.
_LONGEST_SECONDS = 315_360_000


def read_result(body: bytes) -> pb.UpdateTaskRequest:
    """What the body says.

    Raises:
        Problem: 400 for what is no JSON.
        InvalidRequest: A field is missing, of a wrong type, or asks for what there is not.
    """
    document = parse_body(body)
    if not isinstance(document, dict):
        raise refused("", "The body must be a JSON object: a TaskResult")
    fields = Fields(document)
    result = pb.TaskResult(
        execution_id=fields.wanted("workflowInstanceId"), task_id=fields.wanted("taskId")
    )
    request = pb.UpdateTaskRequest(
        result=result, worker_id=fields.text("workerId"), lenient=True,
        extend_lease=fields.flag("extendLease"),
    )  # fmt: skip
    if not request.extend_lease:
        _say(fields, request.result)
    return request


def _say(fields: Fields, result: pb.TaskResult) -> None:
    if fields.text("externalOutputPayloadStoragePath"):
        raise fields.wrong(
            "externalOutputPayloadStoragePath",
            "is not taken: outputs are stored with their execution, send it as outputData",
        )
    status = fields.text("status")
    if status not in _STATUSES:
        given = f", not {quoted(status)}" if status else ""
        raise fields.wrong("status", f"must be one of {', '.join(_STATUSES)}{given}")
    result.status = pb.ResultStatus.Value(f"RESULT_STATUS_{status}")
    output = fields.object("outputData")
    if output:
        result.output = json.dumps(output, ensure_ascii=False, separators=(",", ":"))
    result.reason = fields.text("reasonForIncompletion")
    result.callback_after.seconds = fields.whole(
        "callbackAfterSeconds", least=-_LONGEST_SECONDS, most=_LONGEST_SECONDS
    )
    if result.callback_after.seconds < 0:
        # Conductor's own: at once.
        result.callback_after.seconds = 0
    lines = enumerate(fields.list("logs"))
    result.logs.extend(_line(fields, place, each) for place, each in lines)


def _line(fields: Fields, place: int, given: Any) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, dict):
        raise fields.wrong("logs", "must be a list of objects with a log")
    return Fields(given, f"logs[{place}].").text("log")
