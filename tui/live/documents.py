"""What a service tells its callers of itself, asked for at the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podium.edge.v1 import edge_pb2 as pb

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0


async def openapi(clients: Clients, record: Any, *, yaml: bool) -> pb.GetOpenApiResponse:
    """The OpenAPI document of a service, or of a route: the rows of their lists.

    As far as the edge comes to know it in time it is of what the row says. Raises as the edge does.
    """
    revision = record.definition.revision
    await clients.edge.GetEdgeStatus(
        pb.GetEdgeStatusRequest(wait_for_revision=revision), timeout=CALL_SECONDS
    )
    request = pb.GetOpenApiRequest(
        service_id=record.definition.id,
        format=pb.DOCUMENT_FORMAT_YAML if yaml else pb.DOCUMENT_FORMAT_JSON,
    )
    if (method := getattr(record, "method", "")) and (path := getattr(record, "path", "")):
        request.method, request.path = method, path
    return await clients.edge.GetOpenApi(request, timeout=CALL_SECONDS)
