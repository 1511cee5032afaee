"""Conductor's paths, each with the page that answers it."""

from __future__ import annotations

from collections.abc import Iterator

from services.edge.management.conductor import (
    about,
    access_keys,
    administering,
    applications,
    as_api,
    bulk,
    correlated,
    environment,
    executing,
    executions,
    handlers,
    missing,
    operations,
    rate_limits,
    rehearsing,
    schedule_search,
    schedules,
    schemas,
    searching,
    secrets,
    signals,
    starting,
    stating,
    task_defs,
    task_pages,
    workflow_defs,
    working,
)
from services.edge.management.conductor.wording import in_their_words
from services.edge.management.page import Page, telling

_TABLES: tuple[tuple[tuple[str, str, Page], ...], ...] = (
    about.PAGES,
    as_api.PAGES,
    access_keys.PAGES,
    administering.PAGES,
    applications.PAGES,
    executing.PAGES,
    bulk.PAGES,
    correlated.PAGES,
    executions.PAGES,
    handlers.PAGES,
    missing.PAGES,
    operations.PAGES,
    rehearsing.PAGES,
    schedule_search.PAGES,
    schedules.PAGES,
    searching.PAGES,
    signals.PAGES,
    starting.PAGES,
    stating.PAGES,
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
            yield method, path, telling(page, in_their_words)
