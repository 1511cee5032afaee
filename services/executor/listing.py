"""Lists of executions, page by page, newest first."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import queries
from services.executor.patterns import MOST_STARS
from services.executor.queries import Filters
from services.executor.readers import Readers
from services.executor.states import EXECUTION_STATUS_NAME, execution_state
from services.query import Query, QueryFault, parse
from services.query.executions import EXECUTIONS

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 500


async def page(
    readers: Readers, places: asyncio.Semaphore, request: pb.ListExecutionsRequest
) -> pb.ListExecutionsResponse:
    """The page that ``request`` asks for.

    Args:
        places: How many lists are read at once; the other threads are for shorter reads.

    Raises:
        InvalidRequest: The token is none of ours, or a filter makes no sense.
        DeadlineExceeded: To find a page of what is asked for takes too long.
    """
    size = min(request.page.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
    if size < 0:
        raise InvalidRequest("page_size must not be negative.")
    before = _place(request.page.page_token) if request.page.page_token else None
    filters = _filters(request)
    async with places:
        rows = await readers.read(queries.states, filters, before, size + 1)
    token = _token(rows[size - 1][4], rows[size - 1][0]) if len(rows) > size else ""
    return pb.ListExecutionsResponse(
        executions=[execution_state(row) for row in rows[:size]], next_page_token=token
    )


def parsed(query: str) -> Query:
    """The tree of a query of executions.

    Raises:
        InvalidRequest: It is none; ``start`` and ``end`` of its metadata say where.
    """
    try:
        return parse(query, EXECUTIONS)
    except QueryFault as fault:
        raise InvalidRequest(str(fault), start=str(fault.start), end=str(fault.end)) from fault


def _filters(request: pb.ListExecutionsRequest) -> Filters:
    if request.workflow_name.count("*") > MOST_STARS:
        raise InvalidRequest(f"workflow_name may hold {MOST_STARS} '*' at most.")
    statuses = tuple(EXECUTION_STATUS_NAME.get(each, "") for each in request.statuses)
    if "" in statuses or "UNSPECIFIED" in statuses:
        raise InvalidRequest("statuses holds one that is not known.")
    return Filters(
        statuses=statuses,
        workflow=request.workflow_name,
        correlation_id=request.correlation_id,
        after=request.started_after.ToMicroseconds() if request.HasField("started_after") else None,
        before=request.started_before.ToMicroseconds()
        if request.HasField("started_before")
        else None,
    )


def _token(created_at: int, execution_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([created_at, execution_id]).encode()).decode()


def _place(token: str) -> tuple[int, str]:
    try:
        created_at, execution_id = json.loads(base64.urlsafe_b64decode(token))
        if not isinstance(created_at, int) or not isinstance(execution_id, str):
            raise TypeError(token)
        # As the database can hold them.
        created_at.to_bytes(8, signed=True)
        execution_id.encode()
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise InvalidRequest("page_token is none that this listing gave.") from None
    return created_at, execution_id
