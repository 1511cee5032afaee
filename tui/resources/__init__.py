"""The nouns of the console: one file each, and their table."""

from __future__ import annotations

from typing import Any

from tui.resources import (
    access_keys,
    actions,
    applications,
    audit,
    auths,
    breakers,
    cache,
    contexts,
    engine,
    executions,
    handlers,
    keys,
    limits,
    log,
    metrics,
    pulse,
    queues,
    routes,
    schedules,
    schemas,
    secrets,
    services,
    signing_keys,
    suite,
    task_runs,
    tasks,
    webhooks,
    workers,
    workflows,
)
from tui.resources.model import Resource

RESOURCES: tuple[Resource[Any], ...] = (
    executions.RESOURCE,
    workflows.RESOURCE,
    tasks.RESOURCE,
    task_runs.RESOURCE,
    services.RESOURCE,
    routes.RESOURCE,
    auths.RESOURCE,
    applications.RESOURCE,
    access_keys.RESOURCE,
    signing_keys.RESOURCE,
    schedules.RESOURCE,
    handlers.RESOURCE,
    webhooks.RESOURCE,
    schemas.RESOURCE,
    secrets.RESOURCE,
    pulse.RESOURCE,
    metrics.RESOURCE,
    engine.RESOURCE,
    queues.RESOURCE,
    workers.RESOURCE,
    breakers.RESOURCE,
    limits.RESOURCE,
    cache.RESOURCE,
    log.RESOURCE,
    audit.RESOURCE,
    actions.RESOURCE,
    suite.RESOURCE,
    contexts.RESOURCE,
    keys.RESOURCE,
)

_BY_NAME = {name: resource for resource in RESOURCES for name in (resource.name, *resource.aliases)}


def find(name: str) -> Resource[Any] | None:
    """The resource of that name or alias, or None."""
    return _BY_NAME.get(name)


def names() -> list[str]:
    """Every name and alias."""
    return list(_BY_NAME)
