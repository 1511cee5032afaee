"""Which executions one is compared with: those of the same workflow that began before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb

if TYPE_CHECKING:
    from tui.clients import Connection

CALL_SECONDS = 15.0


async def earlier(
    connection: Connection, workflow: str, created_at: Timestamp, *, succeeded: bool
) -> str:
    """The id of the last one that began before a moment; empty: there is none.

    Args:
        succeeded: Only those that have completed count.

    Raises:
        ServiceError: The executor refuses, or is away.
        HomeUnusable: No suite runs there.
    """
    request = pb.ListExecutionsRequest(
        page=page_pb2.PageRequest(page_size=1),
        statuses=[pb.EXECUTION_STATUS_COMPLETED] if succeeded else [],
        workflow_name=workflow,
        started_before=created_at,
    )
    clients = await connection.clients()
    with connection.calling():
        answer = await clients.executor.ListExecutions(request, timeout=CALL_SECONDS)
    return str(answer.executions[0].execution_id) if answer.executions else ""
