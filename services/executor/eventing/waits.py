"""Tasks that wait for a webhook, and which of them a message is for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from services.executor.core.model import Json
from services.executor.kinds.wait_for_webhook import found_digest

# What the events of webhooks begin with.
WEBHOOK = "webhook:"
MOST_MATCHED = 10_000
# The paths of a task that looks at none.
ANYTHING = "[]"

_WAITING = (
    "FROM tasks INDEXED BY tasks_waiting_for_webhooks WHERE kind = 'WAIT_FOR_WEBHOOK' "
    "AND ended_at IS NULL AND json_extract(memory, '$.webhook') = ?1"
)
_PATHS = "json_extract(memory, '$.paths')"
# One look for each set of paths, however many tasks have it.
_PATH_SETS = f"""
    WITH RECURSIVE found(paths) AS (
        SELECT min({_PATHS}) {_WAITING}
        UNION ALL
        SELECT (SELECT min({_PATHS}) {_WAITING} AND {_PATHS} > found.paths)
        FROM found WHERE found.paths IS NOT NULL
    ) SELECT paths FROM found WHERE paths IS NOT NULL LIMIT 1000
"""
_MATCHING = (
    f"SELECT execution_id, id {_WAITING} AND {_PATHS} = ?2 "
    "AND json_extract(memory, '$.digest') = ?3 LIMIT ?4"
)


def path_sets(db: sqlite3.Connection, webhook: str) -> list[str]:
    """Which paths those look at that wait for a webhook, as JSON text each."""
    return [row[0] for row in db.execute(_PATH_SETS, (webhook,))]


def matching(
    db: sqlite3.Connection, webhook: str, payload: Mapping[str, Json], *, only_matched: bool = False
) -> Sequence[tuple[str, str]]:
    """(execution id, task id) of those that wait for what ``payload`` tells.

    Args:
        only_matched: Not those that take anything.

    Raises:
        jsonpath.TooCostly: A path cannot be followed in it.
    """
    found: list[tuple[str, str]] = []
    for paths in path_sets(db, webhook):
        if only_matched and paths == ANYTHING:
            continue
        digest = found_digest(json.loads(paths), payload)
        left = MOST_MATCHED - len(found)
        found += db.execute(_MATCHING, (webhook, paths, digest, left)).fetchall()
    return found
