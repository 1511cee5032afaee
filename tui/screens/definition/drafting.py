"""What a form is about: a whole definition, or a route within its service."""

from __future__ import annotations

from typing import Any

from tui.resources.catalog import Definition
from tui.resources.model import Resource
from tui.resources.routes import Route
from tui.views.drafts import Draft


def draft_of(resource: Resource[Any], record: Any) -> Draft:
    """The draft of ``record``, or, where it is None, of a new definition of the resource's kind."""
    if record is None:
        return Draft(resource.kind, {})
    if isinstance(record, Route):
        service = record.service
        return _of(service, ("routes", _index(record)))
    return _of(record.definition, ())


def new_route_of(service: Definition) -> Draft:
    """The draft of one more route of ``service``."""
    return _of(service, ("routes", len(service.get("routes", ()))))


def _of(definition: Definition, within: tuple[str | int, ...]) -> Draft:
    return Draft(
        definition.kind, definition.document, definition.etag, definition.id,
        definition.version, within,
    )  # fmt: skip


def _index(route: Route) -> int:
    return next(n for n, each in enumerate(route.service.get("routes")) if each is route.document)
