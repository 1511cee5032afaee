"""Which parents and children have not heard of each other: asked when the executor starts."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from services.executor.core.blocking import word_of
from services.executor.core.model import Execution
from services.executor.rows import micros


@dataclass(frozen=True, slots=True)
class Orphan:
    """A child that runs, while the task of its parent does not wait for it.

    Attributes:
        reopened: An operator has had it run again since it ended, or since that task did.
    """

    id: str
    parent_id: str
    parent_task_id: str
    reason: str
    reopened: bool


@dataclass(slots=True)
class Unheard:
    """What a crash may have kept from being heard.

    Attributes:
        ended: Children that have ended and are waited for.
        retried: (child id, parent id, task id, word) of those that were to be retried and were not.
        orphans: Children that run and are not waited for.
        followed: (execution id, parent id, task id) of those that a task waits for and has not
            started.
        again: (child id, parent id, task id) of those that have run again and ended again since
            the task had.
    """

    ended: list[str] = field(default_factory=list)
    retried: list[tuple[str, str, str, str]] = field(default_factory=list)
    orphans: list[Orphan] = field(default_factory=list)
    followed: list[tuple[str, str, str]] = field(default_factory=list)
    again: list[tuple[str, str, str]] = field(default_factory=list)


def run_of(execution: Execution) -> str:
    """Tells a run of an execution from those before it, as :data:`_AGAIN` does."""
    at = execution.last_retried_at
    return f"{execution.restarts}.{'' if at is None else micros(at)}"


def unheard(db: sqlite3.Connection) -> Unheard:
    """As the executions stand."""
    found = Unheard()
    for child, parent, task, resumed, heard, resumed_at, begun_at in db.execute(_ENDED):
        word = word_of(task, resumed) if resumed is not None else ""
        # An operator's retry goes to the child, which keeps its word: then it has been there. By no
        # time: clocks are set back. Earlier versions knew times only.
        early = resumed_at is not None and begun_at // 1000 < resumed_at
        if heard != word if word else early:
            found.retried.append((child, parent, task, word))
        else:
            found.ended.append(child)
    found.orphans += [
        Orphan(child, parent, task, reason, bool(reopened))
        for child, parent, task, reason, reopened in db.execute(_ORPHANS)
    ]
    found.followed += db.execute(_FOLLOWED).fetchall()
    found.again += db.execute(_AGAIN).fetchall()
    return found


_FOLLOWED = """
    SELECT json_extract(memory, '$.attached'), execution_id, id
    FROM tasks INDEXED BY tasks_waiting_for_children
    WHERE kind = 'SUB_WORKFLOW' AND ended_at IS NULL
    AND json_extract(memory, '$.attached') IS NOT NULL
"""
_ENDED = """
    SELECT child.id, tasks.execution_id, tasks.id, json_extract(memory, '$.resumed'),
        (SELECT word FROM retries_heard WHERE execution_id = child.id),
        json_extract(memory, '$.resumedAt'),
        max(child.created_at, coalesce(child.last_retried_at, 0))
    FROM tasks INDEXED BY tasks_waiting_for_children
    JOIN executions AS child ON child.id = json_extract(tasks.output, '$.subWorkflowId')
    WHERE kind = 'SUB_WORKFLOW' AND tasks.ended_at IS NULL AND child.ended_at IS NOT NULL
    AND json_extract(memory, '$.attached') IS NULL
    ORDER BY child.ended_at, child.rowid
"""
# Of each parent its tasks are looked through once, however many children it has.
_ORPHANS = """
    WITH running AS MATERIALIZED (
        SELECT id, parent_id, parent_task_id, rowid AS place,
            max(created_at, coalesce(last_retried_at, 0)) AS begun_at
        FROM executions INDEXED BY executions_children
        WHERE parent_id != '' AND ended_at IS NULL
    )
    SELECT running.id, running.parent_id, running.parent_task_id,
        CASE WHEN tasks.reason != '' THEN tasks.reason
            WHEN tasks.status = 'CANCELED' THEN parent.reason
            ELSE 'the task is ' || tasks.status END,
        json_extract(tasks.memory, '$.heard') IS NOT NULL OR running.begun_at > tasks.ended_at
    FROM (SELECT DISTINCT parent_id FROM running) AS parents
    CROSS JOIN executions AS parent ON parent.id = parents.parent_id
    CROSS JOIN tasks ON tasks.execution_id = parent.id
    CROSS JOIN running ON running.parent_id = parent.id AND running.parent_task_id = tasks.id
    WHERE tasks.ended_at IS NOT NULL
    ORDER BY running.place
"""
# Who has run again is noted there (commits.py). An attempt that another one has taken the place of
# hears of nothing any more.
_AGAIN = """
    WITH again AS MATERIALIZED (
        SELECT child.id, child.parent_id, child.parent_task_id,
            child.restarts || '.' || coalesce(child.last_retried_at, '') AS run
        FROM retries_heard CROSS JOIN executions AS child ON child.id = retries_heard.execution_id
        WHERE child.parent_id != '' AND child.ended_at IS NOT NULL
    ), unheard AS MATERIALIZED (
        SELECT again.id, execution_id, tasks.id AS task_id, ref, attempt
        FROM (SELECT DISTINCT parent_id FROM again) AS parents
        CROSS JOIN tasks ON tasks.execution_id = parents.parent_id
        CROSS JOIN again ON again.parent_id = execution_id AND again.parent_task_id = tasks.id
        WHERE tasks.ended_at IS NOT NULL
        AND typeof(json_extract(memory, '$.heard')) = 'text'
        AND json_extract(memory, '$.heard') != again.run
    ), latest AS MATERIALIZED (
        SELECT execution_id, ref, max(attempt) AS attempt
        FROM (SELECT DISTINCT execution_id AS id FROM unheard) AS parents
        CROSS JOIN tasks ON tasks.execution_id = parents.id
        GROUP BY execution_id, ref
    )
    SELECT id, execution_id, task_id FROM unheard JOIN latest USING (execution_id, ref, attempt)
    ORDER BY id
"""
