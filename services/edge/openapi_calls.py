"""What operators are told of a service's OpenAPI document: that which its callers find."""

from __future__ import annotations

from podium.edge.v1 import edge_pb2 as pb
from services.access import Principal, require, tags_of
from services.edge.documentation import document_text
from services.edge.gateway import Gateway
from services.edge.named_routes import check_named, named_route
from services.errors import NotFound, TooLarge, Unavailable
from services.replica import Replica, Stored

LONGEST_BYTES = 8 * 1024 * 1024


async def get_openapi(
    gateway: Gateway,
    request: pb.GetOpenApiRequest,
    principal: Principal,
    longest_bytes: int = LONGEST_BYTES,
) -> pb.GetOpenApiResponse:
    """The document of a service, or of one route of it.

    Raises:
        PermissionDenied: ``principal`` has no READ on the service.
        InvalidRequest: A route is named by a part of its name only.
        NotFound: There is no such service, or route.
        TooLarge: The document is longer than is told.
        Unavailable: The service's auth has not come yet.
    """
    definitions = gateway.definitions
    stored = _service(definitions.replica, request.service_id, principal)
    check_named(request.service_id, request.method, request.path)
    route = None
    if request.method:
        named = named_route(definitions, stored.name, request.method, request.path)
        route = named.method, named.path
    config = definitions.auth(stored.document["authConfigId"])
    if config is None:
        raise Unavailable("The auth of the service has not come yet; try again.")
    revision = definitions.replica.revision
    yaml = request.format == pb.DOCUMENT_FORMAT_YAML
    text = await document_text(stored, gateway, config, route, yaml=yaml)
    if len(text) > longest_bytes:
        raise TooLarge(f"The document has {len(text):,} bytes; at most {longest_bytes:,} are told.")
    return pb.GetOpenApiResponse(
        document=text.decode(),
        revision=revision,
        document_path=f"/{stored.name}/openapi",
        docs_path=f"/{stored.name}/docs",
        docs_public=stored.document.get("docsPublic") is not False,
    )


def _service(replica: Replica, name: str, principal: Principal) -> Stored:
    """The service that ``principal`` may read."""
    stored = replica.get("service", name)
    tags = tags_of(stored.document) if stored is not None else ()
    require(principal, replica, "READ", "service", name, tags)
    if stored is None:
        raise NotFound(f"There is no service {name!r}.")
    return stored
