"""What the gateway tells of a service: ``/{serviceId}/openapi``."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from services.edge.auth import authenticate
from services.edge.call import JSON, Answer, Call
from services.edge.dispatch import found_or_answer, looked_up
from services.edge.openapi import openapi
from services.edge.problems import Problem, challenge, retry_after
from services.edge.query import parse_query
from services.edge.trie import Elsewhere, Found

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

_YAML = (b"content-type", b"application/yaml")
_VARY = (b"vary", b"Accept")
_FRESH = (b"cache-control", b"no-cache")


async def documentation(call: Call, gateway: Gateway) -> Answer | None:
    """The document, where the path is a service's; no route is there.

    Raises:
        Problem: 401 where the service keeps it to its callers; 405.
    """
    if len(call.segments) != 2 or call.segments[1] != "openapi":
        return None
    stored = gateway.definitions.replica.get("service", call.segments[0])
    if stored is None:
        return None
    here = Found(stored) if looked_up(call.method) == "GET" else Elsewhere({"GET": stored})
    found = found_or_answer(call.method, here)
    if isinstance(found, Answer):
        return found
    service = stored.document
    config = gateway.definitions.auth(service["authConfigId"])
    if config is None:
        raise Problem("unavailable", headers=(retry_after(),))
    open_to_all = service.get("docsPublic") is not False
    if not open_to_all and not authenticate(config, call.header, gateway.now().timestamp()):
        raise Problem("unauthenticated", headers=(challenge(service["id"]),))
    document = openapi(
        service,
        gateway.definitions.routes_of_service(stored),
        gateway.definitions.schemas_of_service(stored),
        public=config.public,
    )
    return _written(document, call)


def _written(document: dict[str, Any], call: Call) -> Answer:
    wanted = parse_query(call.query).get("format", "")
    accepts_yaml = b"yaml" in call.header.get(b"accept", b"")
    if wanted == "yaml" or (not wanted and accepts_yaml):
        return Answer(200, _yaml(document).encode(), (_YAML, _VARY, _FRESH))
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return Answer(200, text.encode(), (JSON, _VARY, _FRESH))


def _yaml(document: dict[str, Any]) -> str:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    # Nothing is said twice by a name that only this format has.
    writer.representer.ignore_aliases = lambda data: True
    text = StringIO()
    writer.dump(document, text)
    return text.getvalue()
