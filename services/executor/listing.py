"""Lists of executions, page by page, newest first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.access import EVERY, Sight
from services.errors import InvalidRequest
from services.executor import finding, listed, ordering, totals
from services.executor.finding import STATE_COLUMNS
from services.executor.ordering import Order, Place
from services.executor.rows import Row
from services.executor.searches import Searches
from services.executor.seeing import in_sight
from services.executor.snapshots import Snapshots
from services.executor.states import EXECUTION_STATUS_NAME, execution_state
from services.executor.tally import Tally
from services.json_text import UNWRITABLE
from services.query import Pattern, Query, QueryFault, Term, Vocabulary, conjoined, micros, parse
from services.query.executions import EXECUTIONS

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 500
# Each takes time by itself where a name is compared.
_MOST_STARS = 10
# The database has no longer patterns; escaped, a character may be several.
_MOST_NAME_CHARS = 4000
_MOST_STATUSES = 100
MOST_IDS = 1000
_MOST_ID_CHARS = 1000
# Each is looked at.
_MOST_PASSED_OVER = 10_000
_LONGEST = timedelta(seconds=10)
_KEYS_FROM = len(STATE_COLUMNS)


async def page(
    searches: Searches,
    request: pb.ListExecutionsRequest,
    now: datetime,
    within: timedelta = _LONGEST,
    tally: Tally | None = None,
    sight: Sight = EVERY,
    snapshots: Snapshots | None = None,
) -> pb.ListExecutionsResponse:
    """The page that ``request`` asks for.

    Args:
        now: What ages in the query are measured from.
        tally: What is stored, where that is known.
        sight: The workflows whose executions are listed.
        snapshots: What documents are made with.

    Raises:
        InvalidRequest: The token is none of ours, or a filter, the query or the order makes no
            sense.
        TooLarge: The documents of one are.
        DeadlineExceeded: To find a page of what is asked for takes too long.
    """
    size, offset = page_size(request.page.page_size), passed_over(request)
    by = partial(ordering.executions_by, request.order_by, aliases(EXECUTIONS))
    order, before = ordering.going_on(by, request.page.page_token, micros(now))
    wanted = in_sight(conjoined((*_filters(request), parsed(request.query))), sight)
    told = _telling(request, size, snapshots)
    rows, documents = await searches.search(
        _found, wanted, now, before, size + 1, order, offset, told,
        within=within, telling=told is not None,
    )  # fmt: skip
    shown = rows[: size if told is None else len(documents)]
    response = pb.ListExecutionsResponse(executions=map(execution_state, shown))
    response.documents.extend(documents)
    if len(rows) > len(shown):
        last = shown[-1]
        plain = (last[4], last[0])
        response.next_page_token = order.token(plain if order.plain else last[_KEYS_FROM:])
    if request.count_total:
        known = known_total(request, len(rows), size)
        total = known or await totals.of_executions(searches, wanted, now, tally)
        response.total, response.total_is_bound = total
    return response


Telling = Callable[[sqlite3.Connection, Sequence[Row]], list[pb.ExecutionDocument]]


def _telling(
    request: pb.ListExecutionsRequest, size: int, snapshots: Snapshots | None
) -> Telling | None:
    """What makes the documents that are asked for; None: there are none."""
    wanted = request.documents
    if wanted == pb.EXECUTION_DOCUMENTS_UNSPECIFIED or snapshots is None:
        return None
    if wanted not in pb.ExecutionDocuments.values():
        raise InvalidRequest("documents is none that is known.")
    return lambda db, rows: listed.documents(db, rows[:size], wanted, snapshots)


def _found(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: Place | None,
    limit: int,
    order: Order,
    offset: int,
    told: Telling | None,
) -> tuple[list[Row], list[pb.ExecutionDocument]]:
    rows = finding.found(db, query, now, before, limit, order, offset)
    return rows, [] if told is None else told(db, rows)


def passed_over(request: pb.ListExecutionsRequest | pb.SearchTasksRequest) -> int:
    """How many are, before the first of a page. Raises :class:`InvalidRequest`."""
    if request.offset < 0:
        raise InvalidRequest("offset must not be negative.")
    if request.offset > _MOST_PASSED_OVER:
        raise InvalidRequest(
            f"{_MOST_PASSED_OVER} are passed over at most: ask with a narrower query, as by when "
            "they were started."
        )
    if request.offset and request.page.page_token:
        raise InvalidRequest("offset goes without page_token, which is a place itself.")
    return request.offset


def known_total(
    request: pb.ListExecutionsRequest | pb.SearchTasksRequest, rows: int, size: int
) -> totals.Total | None:
    """How many there are, where the last page, which has ``rows``, tells."""
    at_end = not request.page.page_token and rows <= size and (rows or not request.offset)
    return (request.offset + rows, False) if at_end else None


def page_size(asked: int) -> int:
    """How many a page has. Raises :class:`InvalidRequest` where that is less than none."""
    if asked < 0:
        raise InvalidRequest("page_size must not be negative.")
    return min(asked or _DEFAULT_PAGE, _LARGEST_PAGE)


def aliases(vocabulary: Vocabulary) -> dict[str, str]:
    """By every other name of a field, in lower case, the field's own."""
    return {alias.lower(): field.name for field in vocabulary.fields for alias in field.aliases}


def parsed(query: str, vocabulary: Vocabulary = EXECUTIONS) -> Query:
    """The tree of a query, of executions or of what ``vocabulary`` says.

    Raises:
        InvalidRequest: It is none; ``start`` and ``end`` of its metadata say where.
    """
    try:
        return parse(query, vocabulary)
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
    if len(request.execution_ids) > MOST_IDS:
        raise InvalidRequest(f"execution_ids holds more than {MOST_IDS}.")
    if any(len(each) > _MOST_ID_CHARS or UNWRITABLE.search(each) for each in request.execution_ids):
        raise InvalidRequest("execution_ids holds what can be no id.")
    if request.execution_ids:
        yield Term(
            "id", "=", tuple(Pattern((each,)) for each in dict.fromkeys(request.execution_ids))
        )
    if request.top_level_only:
        yield Term("parent", "=", (Pattern(("",)),))
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
