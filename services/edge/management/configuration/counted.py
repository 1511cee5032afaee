"""What this edge has counted of a service's routes within the period that a request names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2 as pb
from services.edge.management.configuration.documents import Document
from services.edge.management.configuration.measures import measured
from services.edge.routes import joined
from services.errors import InvalidRequest

if TYPE_CHECKING:
    from services.edge.metrics.reporting import Reporting

_MOST_ROUTES = 10_000
_LONGEST_NUMBER = 15


async def of_service(
    reporting: Reporting, service_id: str, query: Mapping[str, str], path: str | None = None
) -> Document | None:
    """The measures of all its routes, or of the one at the whole ``path``; None without any.

    Raises:
        InvalidRequest: The query's ``start`` or ``end`` is no moment, or they are not in order.
    """
    asked = pb.GatewayMetricsQuery(service_id=service_id, path=path, method=query.get("method"))
    return measured((await reporting.get(_within(query, asked))).total)


async def by_route(
    reporting: Reporting, service: Document, query: Mapping[str, str]
) -> dict[tuple[str, str], Document]:
    """The measures of each route that had a request, by its method and its own path.

    Raises:
        InvalidRequest: As :func:`of_service`.
    """
    asked = pb.GatewayMetricsQuery(
        service_id=service["id"], group_by=pb.GATEWAY_METRICS_GROUPING_ROUTE, limit=_MOST_ROUTES
    )
    report = await reporting.get(_within(query, asked))
    rows = {(row.method, row.path): row.metrics for row in report.rows}
    found = {}
    for route in service.get("routes") or ():
        metrics = rows.get((route["httpMethod"], joined(service["path"], route["path"])))
        if metrics is not None and (shown := measured(metrics)) is not None:
            found[route["httpMethod"], route["path"]] = shown
    return found


def _within(query: Mapping[str, str], asked: pb.GatewayMetricsQuery) -> pb.GetGatewayMetricsRequest:
    return pb.GetGatewayMetricsRequest(
        query=asked, start_time=_moment(query, "start"), end_time=_moment(query, "end")
    )


def _moment(query: Mapping[str, str], name: str) -> Timestamp | None:
    """Milliseconds since 1970."""
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise InvalidRequest(f"{name} must be milliseconds since 1970, not {text[:40]!r}.")
    moment = Timestamp()
    try:
        moment.FromMilliseconds(int(text))
    except ValueError:
        raise InvalidRequest(f"{name} is beyond the year 9999.") from None
    return moment
