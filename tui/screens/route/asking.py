"""What is asked for before a route can be tried: its auth, and the schema of its body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_example import example
from tui.live.starting import schema_named
from tui.views.routes import Proof, proof_of

if TYPE_CHECKING:
    from tui.app import Console
    from tui.clients import Clients
    from tui.resources.routes import Route

CALL_SECONDS = 10.0
_WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a route.

    Attributes:
        takes_tokens: Its key is a token of an issuer.
        body: The schema of its body, where it refers to one.
        example: Parts of a call to begin with.
        problem: Why something is not known; empty: all is.
    """

    gateway: str = ""
    wants_key: bool = True
    takes_tokens: bool = False
    body: Mapping[str, Any] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


async def ask_for(console: Console, route: Route) -> Asked:
    """Ask the registry; where it does not answer, a call can be written all the same."""
    connection = console.session.connection
    gateway = ""
    try:
        clients = await connection.clients()
        gateway = clients.suite.gateway
        with connection.calling():
            proof = await _proof(clients, route.auth)
            body = await _body(clients, route.document)
    except (ServiceError, HomeUnusable) as error:
        told = f"Auth and schema of the route cannot be read: {error}"
        return Asked(gateway, problem=told)
    takes_tokens = proof is not None and proof[0] == "Authorization"
    return Asked(gateway, proof is not None, takes_tokens, body, _example(route, body))


async def _proof(clients: Clients, auth_id: str) -> Proof:
    answer = await clients.registry.GetDefinition(
        pb.GetDefinitionRequest(kind="auth", name=auth_id), timeout=CALL_SECONDS
    )
    return proof_of(json.loads(answer.definition.document))


async def _body(clients: Clients, route: Mapping[str, Any]) -> Mapping[str, Any] | None:
    named = route.get("inputSchemaRef")
    if isinstance(named, Mapping) and named.get("name"):
        return await schema_named(clients, str(named["name"]), int(named.get("version") or 0))
    return None


def _example(route: Route, body: Mapping[str, Any] | None) -> dict[str, Any]:
    schema = body or route.document.get("inputSchema")
    if route.method not in _WITH_BODY or not isinstance(schema, Mapping):
        return {}
    return {"body": example(schema)}
