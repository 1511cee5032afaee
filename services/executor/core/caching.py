"""Outputs of tasks that are kept for others of the same name and key. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from services.executor.core.commands import Keep
from services.executor.core.model import Json, Task, TaskStatus

CACHE = "cacheConfig"
SHOWN = "_cachedResponse"
# What they do is to other tasks, or to the execution: an output of before would be of no use.
NOT_KEPT = frozenset(
    (
        "DECISION", "DO_WHILE", "DYNAMIC", "EVENT", "EXCLUSIVE_JOIN", "FORK_JOIN",
        "FORK_JOIN_DYNAMIC", "HUMAN", "JOIN", "NOOP", "SET_VARIABLE", "START_WORKFLOW",
        "SUB_WORKFLOW", "SWITCH", "TERMINATE", "WAIT", "WAIT_FOR_WEBHOOK",
    )
)  # fmt: skip

_NAMED = re.compile(r"\$\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Cache:
    """How the output of a step is kept: by ``key``, which names fields of its input."""

    key: str
    ttl: timedelta

    @classmethod
    def of(cls, document: Mapping[str, Json]) -> Cache | None:
        """What the ``cacheConfig`` of a task says; None: nothing is kept."""
        config = document.get(CACHE)
        if not isinstance(config, dict) or document.get("type") in NOT_KEPT:
            return None
        key, ttl = config.get("key"), config.get("ttlInSecond")
        if not isinstance(key, str) or not isinstance(ttl, int) or ttl < 1:
            return None
        return cls(key, timedelta(seconds=ttl))


def key_of(task: Task, cache: Cache) -> bytes:
    """The same for all tasks of which one may end with the output of the other."""
    # Text, name, text …: what is in a field never reads as text of the key, nor as another type.
    pieces: list[Json] = [*_NAMED.split(cache.key)]
    for place in range(1, len(pieces), 2):
        pieces[place] = _field(task.input, str(pieces[place]))
    key = json.dumps([task.kind, task.name, pieces], sort_keys=True)
    return sha256(key.encode()).digest()


def _field(value: Json, path: str) -> Json:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def kept(task: Task, cache: Cache, now: datetime) -> Keep | None:
    """What is to be kept of ``task``, which has ended; None: nothing, or it is kept already."""
    output = task.output
    if task.status is not TaskStatus.COMPLETED or not isinstance(output, dict):
        return None
    if output.get(SHOWN) is True:
        return None
    return Keep(key_of(task, cache), output, now + cache.ttl)
