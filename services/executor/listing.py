"""Lists of executions, page by page, newest first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import queries
from services.executor.searches import Searches
from services.executor.states import EXECUTION_STATUS_NAME, execution_state
from services.json_text import UNWRITABLE
from services.query import Pattern, Query, QueryFault, Term, conjoined, parse
from services.query.executions import EXECUTIONS

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 500
# Each takes time by itself where a name is compared.
_MOST_STARS = 10
# The database has no longer patterns; escaped, a character may be several.
_MOST_NAME_CHARS = 4000
_MOST_STATUSES = 100
_LONGEST = timedelta(seconds=10)


async def page(
    searches: Searches,
    request: pb.ListExecutionsRequest,
    now: datetime,
    within: timedelta = _LONGEST,
) -> pb.ListExecutionsResponse:
    """The page that ``request`` asks for.

    Args:
        now: What ages in the query are measured from.

    Raises:
        InvalidRequest: The token is none of ours, or a filter or the query makes no sense.
        DeadlineExceeded: To find a page of what is asked for takes too long.
    """
    size = min(request.page.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
    if size < 0:
        raise InvalidRequest("page_size must not be negative.")
    before = _place(request.page.page_token) if request.page.page_token else None
    wanted = conjoined((*_filters(request), parsed(request.query)))
    rows = await searches.search(queries.found, wanted, now, before, size + 1, within=within)
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


def _filters(request: pb.ListExecutionsRequest) -> Iterator[Query]:
    """What the fields beside the query ask for."""
    if len(request.workflow_name) > _MOST_NAME_CHARS or UNWRITABLE.search(request.workflow_name):
        raise InvalidRequest("No workflow can have the name workflow_name.")
    if request.workflow_name.count("*") > _MOST_STARS:
        raise InvalidRequest(f"workflow_name may hold {_MOST_STARS} '*' at most.")
    if len(request.statuses) > _MOST_STATUSES:
        raise InvalidRequest(f"statuses holds more than {_MOST_STATUSES}.")
    if request.statuses:
        statuses = tuple(EXECUTION_STATUS_NAME.get(each, "") for each in request.statuses)
        if "" in statuses or "UNSPECIFIED" in statuses:
            raise InvalidRequest("statuses holds one that is not known.")
        yield Term("status", "=", statuses)
    if request.workflow_name:
        yield Term("wf", "=", (Pattern(tuple(request.workflow_name.split("*"))),))
    if request.correlation_id:
        yield Term("corr", "=", (Pattern((request.correlation_id,)),))
    if request.HasField("started_after"):
        yield Term("started", ">", (_moment(request.started_after),))
    if request.HasField("started_before"):
        yield Term("started", "<", (_moment(request.started_before),))


def _moment(at: Timestamp) -> datetime:
    try:
        return at.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest("No calendar has the time started_after or started_before.") from None


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
