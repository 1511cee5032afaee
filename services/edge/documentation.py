"""What the gateway tells of a service: ``/{serviceId}/openapi`` and ``/{serviceId}/docs``."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from services.edge.call import JSON, Answer, Call
from services.edge.dispatch import found_or_answer, looked_up
from services.edge.docs import page
from services.edge.docs.assets import ASSETS
from services.edge.etags import is_held, tag_of
from services.edge.openapi.document import openapi
from services.edge.openapi.parts import part
from services.edge.openapi.security import Security, security_of
from services.edge.problems import Problem, retry_after
from services.edge.proving import proven
from services.edge.query import parse_query
from services.edge.routes import routes_of
from services.edge.trie import Elsewhere, Found

if TYPE_CHECKING:
    from services.edge.auth.model import AuthConfig
    from services.edge.gateway import Gateway
    from services.replica import Stored

_YAML = (b"content-type", b"application/yaml")
_VARY = (b"vary", b"Accept")
_FRESH = (b"cache-control", b"no-cache")
_MOST_KEPT = 64

# By method, path and "input" or "output": JSON text.
_Schemas = tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Text:
    body: bytes
    tag: bytes


async def documentation(call: Call, gateway: Gateway) -> Answer | None:
    """The document or its page, where the path is a service's; no route is there.

    Raises:
        Problem: 401 where the service keeps it to its callers; 405.
    """
    if len(call.segments) != 2 or (told := _TOLD.get(call.segments[1])) is None:
        return None
    stored = gateway.definitions.replica.get("service", call.segments[0])
    if stored is None:
        return None
    call.place = ("", "GET", f"/{{serviceId}}/{call.segments[1]}")
    if cors := gateway.definitions.cors_of(stored.name):
        call.shared_headers = cors.headers_of_answer(call.header.get(b"origin"))
    here = Found(stored) if looked_up(call.method) == "GET" else Elsewhere({"GET": stored})
    found = found_or_answer(call.method, here)
    if isinstance(found, Answer):
        return found
    config = gateway.definitions.auth(stored.document["authConfigId"])
    if config is None:
        raise Problem("unavailable", headers=(retry_after(),))
    if stored.document.get("docsPublic") is False:
        # A page that people open: their browser asks them for the key.
        await proven(call, gateway, config, stored.name, by_browser=True)
    return await told(call, gateway, stored, config)


async def _document(call: Call, gateway: Gateway, stored: Stored, config: AuthConfig) -> Answer:
    yaml, schemas = _wants_yaml(call), schemas_of(stored, gateway)
    text = await asyncio.to_thread(
        _text, stored.text, schemas, security=security_of(config), yaml=yaml
    )
    headers = (_VARY, _FRESH, (b"etag", text.tag))
    if is_held(call, text.tag):
        return Answer(304, headers=headers)
    return Answer(200, text.body, (_YAML if yaml else JSON, *headers))


async def _page(call: Call, gateway: Gateway, stored: Stored, config: AuthConfig) -> Answer:
    title = stored.document.get("name") or stored.name
    version = await ASSETS.version()
    body = page.page(title, f"/{stored.name}/openapi", f"/-/docs/{version}")
    tag = tag_of(body)
    headers = (_FRESH, (b"etag", tag), *page.HEADERS)
    return Answer(304, headers=headers) if is_held(call, tag) else Answer(200, body, headers)


_TOLD = {"openapi": _document, "docs": _page}


def _wants_yaml(call: Call) -> bool:
    wanted = parse_query(call.query).get("format", "")
    return wanted == "yaml" or (not wanted and b"yaml" in call.header.get(b"accept", b""))


def schemas_of(stored: Stored, gateway: Gateway) -> _Schemas:
    """The schemas that routes of a service have or name, as far as those have come."""
    definitions = gateway.definitions
    return tuple(
        (route.method, route.path, part, text)
        for route in definitions.routes_of_service(stored)
        for part, use in (("input", route.input_schema), ("output", route.output_schema))
        if use is not None and (text := definitions.schema(use)) is not None
    )


async def document_text(
    stored: Stored,
    gateway: Gateway,
    config: AuthConfig,
    route: tuple[str, str] | None,
    *,
    yaml: bool,
) -> bytes:
    """The document of a service, or its part about a route (method and whole path), as text."""
    schemas = schemas_of(stored, gateway)
    return await asyncio.to_thread(
        _told_text, stored.text, schemas, route, security=security_of(config), yaml=yaml
    )


def _told_text(
    service_text: str,
    schemas: _Schemas,
    route: tuple[str, str] | None,
    *,
    security: Security,
    yaml: bool,
) -> bytes:
    if route is None:
        return _text(service_text, schemas, security=security, yaml=yaml).body
    whole = json.loads(_text(service_text, schemas, security=security, yaml=False).body)
    return _written(part(whole, *route), yaml=yaml).encode()


@lru_cache(maxsize=_MOST_KEPT)
def _text(service_text: str, schemas: _Schemas, *, security: Security, yaml: bool) -> _Text:
    """Of texts alone, so that what is kept is never out of date."""
    service = json.loads(service_text)
    read = {(method, path, part): json.loads(text) for method, path, part, text in schemas}
    document = openapi(service, routes_of(service), read, security)
    body = _written(document, yaml=yaml).encode()
    return _Text(body, tag_of(body))


def _written(document: dict[str, Any], *, yaml: bool) -> str:
    return _yaml(document) if yaml else json.dumps(document, ensure_ascii=False, indent=2)


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
