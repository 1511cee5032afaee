"""Lists of executions, page by page, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.access import EVERY, Sight
from services.errors import InvalidRequest
from services.executor import finding, ordering, totals
from services.executor.finding import STATE_COLUMNS
from services.executor.searches import Searches
from services.executor.seeing import in_sight
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
_LONGEST = timedelta(seconds=10)
_KEYS_FROM = len(STATE_COLUMNS)


async def page(
    searches: Searches,
    request: pb.ListExecutionsRequest,
    now: datetime,
    within: timedelta = _LONGEST,
    tally: Tally | None = None,
    sight: Sight = EVERY,
) -> pb.ListExecutionsResponse:
    """The page that ``request`` asks for.

    Args:
        now: What ages in the query are measured from.
        tally: What is stored, where that is known.
        sight: The workflows whose executions are listed.

    Raises:
        InvalidRequest: The token is none of ours, or a filter, the query or the order makes no
            sense.
        DeadlineExceeded: To find a page of what is asked for takes too long.
    """
    size = page_size(request.page.page_size)
    order = ordering.executions_by(request.order_by, aliases(EXECUTIONS), micros(now))
    before, first = ordering.place_of(request.page.page_token, order)
    if first != order.now:
        order = ordering.executions_by(request.order_by, aliases(EXECUTIONS), first)
    wanted = in_sight(conjoined((*_filters(request), parsed(request.query))), sight)
    rows = await searches.search(finding.found, wanted, now, before, size + 1, order, within=within)
    response = pb.ListExecutionsResponse(executions=[execution_state(row) for row in rows[:size]])
    if len(rows) > size:
        last = rows[size - 1]
        plain = (last[4], last[0])
        response.next_page_token = order.token(plain if order.plain else last[_KEYS_FROM:])
    if request.count_total:
        whole = not request.page.page_token and len(rows) <= size
        total = (
            (len(rows), False)
            if whole
            else await totals.of_executions(searches, wanted, now, tally)
        )
        response.total, response.total_is_bound = total
    return response


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
