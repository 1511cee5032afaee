"""The document of a service: its operations, and what they share. No IO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.edge.openapi import webhooks
from services.edge.openapi.answers import EXECUTION, responses
from services.edge.openapi.executions import PATH, TAG, execution
from services.edge.openapi.headers import header_components
from services.edge.openapi.names import operation_names
from services.edge.openapi.parameters import other_parameters, path_parameters
from services.edge.openapi.problems import PROBLEM, problem_responses
from services.edge.openapi.schemas import example_of, named_schemas, schema_of
from services.edge.openapi.security import Security
from services.edge.openapi.words import WITH_BODY, Document, Schemas, json_content
from services.edge.routes import Route
from services.edge.trie import is_parameter, template_segments


def openapi(
    service: Mapping[str, Any],
    routes: Sequence[Route],
    schemas: Schemas,
    security: Security,
) -> Document:
    """The document of a service.

    Args:
        service: Its definition.
        routes: All of it, in order.
        schemas: What the routes name or have.
        security: How callers prove who they are.
    """
    names = operation_names(routes)
    paths = _paths(service, routes, names, schemas, security)
    named = named_schemas(routes, names, schemas)
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": service.get("name") or service["id"],
            "version": "1",
            "description": service.get("description") or "",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": service["id"]}, TAG],
        "paths": paths | {PATH: execution(security.public)},
        "components": {
            "schemas": {"Problem": PROBLEM, "Execution": EXECUTION} | named,
            "responses": problem_responses(),
            "headers": header_components(),
        },
    }
    webhooks.put_in(document, routes)
    if not security.public:
        document["components"]["securitySchemes"] = security.schemes()
        document["security"] = security.required()
    return document


def _paths(
    service: Mapping[str, Any],
    routes: Sequence[Route],
    names: Mapping[tuple[str, str], str],
    schemas: Schemas,
    security: Security,
) -> Document:
    """The operations by path and method."""
    paths: dict[str, Document] = {}
    templates: dict[tuple[str, ...], str] = {}
    for route, described in zip(routes, service.get("routes") or (), strict=True):
        # Paths that differ by names of parameters only are one path, with the names of the first.
        path = templates.setdefault(_erased(route.path), route.path)
        name = names[route.method, route.path]
        operation = _operation(route, described, name, schemas, security.public, path)
        security.put_in_operation(operation, route)
        paths.setdefault(path, {})[route.method.lower()] = operation
    return paths


def _erased(template: str) -> tuple[str, ...]:
    return tuple("{}" if is_parameter(part) else part for part in template_segments(template))


def _operation(
    route: Route,
    described: Mapping[str, Any],
    name: str,
    schemas: Schemas,
    public: bool,
    path: str,
) -> Document:
    """The operation of ``route``, which is told of at ``path``."""
    given = schemas.get((route.method, route.path, "input"))
    operation: Document = {
        "operationId": name,
        "summary": described.get("description") or f"Run {route.workflow}",
        "tags": [route.service_id],
    }
    has_body = route.method in WITH_BODY
    parameters = [
        *path_parameters(route, path, None if has_body else given, name),
        *other_parameters(route, described, None if has_body else given, name, public),
    ]
    if parameters:
        operation["parameters"] = parameters
    if has_body:
        required = given is not None and bool(given.get("required"))
        operation["requestBody"] = {
            "required": required,
            "content": json_content(schema_of(given, name, "input"), **example_of(given)),
        }
    produced = schemas.get((route.method, route.path, "output"))
    operation["responses"] = responses(route, name, produced, public)
    webhooks.put_in_operation(operation, route)
    return operation
