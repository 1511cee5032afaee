"""Preflights (Fetch standard): a browser asks whether a page of another origin may make a call.

They carry no key, so they come before authentication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.dispatch import looked_up
from services.edge.query import parse_query
from services.edge.trie import Elsewhere, Found

if TYPE_CHECKING:
    from services.edge.cors import Cors
    from services.edge.gateway import Gateway
    from services.edge.routes import Route


async def preflight(call: Call, gateway: Gateway) -> Answer | None:
    """204 to a preflight for a service that lets other origins in; any other request goes on."""
    origin = call.header.get(b"origin")
    method = call.header.get(b"access-control-request-method")
    if call.method != "OPTIONS" or origin is None or method is None:
        return None
    if call.segments[:2] == ("-", "executions"):
        policies, methods = _of_link(call, gateway), frozenset({"DELETE", "GET"})
    elif call.segments[1:] == ("openapi",):
        policies, methods = _of_document(call.segments[0], gateway), frozenset({"GET"})
    elif call.segments[1:] == ("mcp",):
        policies, methods = _of_document(call.segments[0], gateway), frozenset({"POST"})
    else:
        found = gateway.definitions.routes.find(looked_up(method.decode("latin-1")), call.segments)
        policies, methods = _of_path(found), _methods(found)
    if not policies:
        return None
    policy = next((each for each in policies if each.allows(origin)), policies[0])
    asked = call.header.get(b"access-control-request-headers")
    return Answer(204, headers=policy.headers_of_preflight(origin, asked, methods))


def _of_link(call: Call, gateway: Gateway) -> tuple[Cors, ...]:
    """An answer's link names an auth configuration: all services that share it are meant."""
    execution_id = call.segments[2] if len(call.segments) == 3 else ""
    auth_id = gateway.links.auth_id(execution_id, parse_query(call.query).get("t", ""))
    routes = gateway.definitions.services() if auth_id else ()
    return tuple(each.cors for each in routes if each.cors and each.auth_id == auth_id)


def _of_document(service_id: str, gateway: Gateway) -> tuple[Cors, ...]:
    cors = gateway.definitions.cors_of(service_id)
    return (cors,) if cors else ()


def _of_path(found: Found[Route] | Elsewhere[Route] | None) -> tuple[Cors, ...]:
    cors = cors_at(found)
    return (cors,) if cors else ()


def _methods(found: Found[Route] | Elsewhere[Route] | None) -> frozenset[str]:
    match found:
        case Found(value=route):
            return frozenset({route.method})
        case Elsewhere(methods=methods):
            return methods
    return frozenset()


def cors_at(found: Found[Route] | Elsewhere[Route] | None) -> Cors | None:
    """What the service at a path says of other origins."""
    match found:
        case Found(value=route):
            return route.cors
        case Elsewhere(values=routes):
            return next(iter(routes.values())).cors
    return None
