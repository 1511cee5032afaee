"""The paths of the configuration, as Orkes' clients and documentation have them."""

from __future__ import annotations

from collections.abc import Iterator

from services.edge.management.configuration import auth_pages, route_pages, service_pages
from services.edge.management.page import Page, telling
from services.rights.pages import AUTH_BASES, SERVICE_BASES

_OF_AUTH: tuple[tuple[str, str, Page], ...] = (
    ("POST", "", auth_pages.create),
    ("GET", "", auth_pages.list_all),
    ("GET", "/{id}", auth_pages.get),
    ("PUT", "/{id}", auth_pages.replace),
    ("DELETE", "/{id}", auth_pages.delete),
)
_OF_SERVICES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "", service_pages.create),
    ("GET", "", service_pages.list_all),
    ("GET", "/metrics", service_pages.metrics),
    ("GET", "/{serviceId}", service_pages.get),
    ("PUT", "/{serviceId}", service_pages.replace),
    ("DELETE", "/{serviceId}", service_pages.delete),
    ("PUT", "/{serviceId}/tags", service_pages.put_tags),
    ("DELETE", "/{serviceId}/tags", service_pages.delete_tags),
    ("POST", "/{serviceId}/routes", route_pages.create),
    ("GET", "/{serviceId}/routes", route_pages.list_all),
    ("PUT", "/{serviceId}/routes", route_pages.replace),
    ("DELETE", "/{serviceId}/routes", route_pages.delete),
    ("GET", "/{serviceId}/routes/route", route_pages.get),
    ("PUT", "/{serviceId}/routes/tags", route_pages.put_tags),
    ("DELETE", "/{serviceId}/routes/tags", route_pages.delete_tags),
)


def pages() -> Iterator[tuple[str, str, Page]]:
    """Method, path and page of each."""
    for bases, table in ((AUTH_BASES, _OF_AUTH), (SERVICE_BASES, _OF_SERVICES)):
        for base in bases:
            for method, below, page in table:
                yield method, base + below, telling(page)
