"""Conductor's paths, each with the page that answers it."""

from __future__ import annotations

from collections.abc import Iterator

from services.edge.management.conductor import (
    about,
    environment,
    executing,
    handlers,
    missing,
    rate_limits,
    schedule_search,
    schedules,
    schemas,
    searching,
    secrets,
    signals,
    starting,
    task_defs,
    task_pages,
    workflow_defs,
    working,
)
from services.edge.management.page import Page, telling

_TABLES: tuple[tuple[tuple[str, str, Page], ...], ...] = (
    about.PAGES,
    executing.PAGES,
    handlers.PAGES,
    missing.PAGES,
    schedule_search.PAGES,
    schedules.PAGES,
    searching.PAGES,
    signals.PAGES,
    starting.PAGES,
    workflow_defs.PAGES,
    task_defs.PAGES,
    rate_limits.PAGES,
    schemas.PAGES,
    secrets.PAGES,
    environment.PAGES,
    task_pages.PAGES,
    working.PAGES,
)


def pages() -> Iterator[tuple[str, str, Page]]:
    """Method, path and page of each."""
    for table in _TABLES:
        for method, path, page in table:
            yield method, path, telling(page)
