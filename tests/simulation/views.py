"""Whether all who tell of executions say the same: get, search, counts and watch."""

from __future__ import annotations

import json
from collections import Counter

from services.executor import feed_rows, finding, loading, ordering, queries, tasklist
from services.executor.listing import aliases
from services.executor.states import (
    EXECUTION_STATUS_NAME,
    TASK_STATUS_NAME,
    parsed_change,
)
from services.query import micros, parse
from services.query.executions import EXECUTIONS, STATUSES
from services.query.tasks import TASKS
from tests.simulation.shell import EPOCH, Shell


def all_views_agree(shell: Shell) -> None:
    """At the end of a life."""
    executions, tasks = _gotten(shell)
    assert _listed(shell, "id:*") == executions
    for status in STATUSES:
        wanted = {id_: each for id_, each in executions.items() if each == status}
        assert _listed(shell, f"status:{status}") == wanted
    assert queries.counts(shell.db) == dict(Counter(executions.values()))
    assert _searched(shell, "id:*") == tasks
    assert _searched(shell, "status:COMPLETED") == {
        id_: each for id_, each in tasks.items() if each == "COMPLETED"
    }
    watched, seen = _watched(shell)
    assert watched == executions
    # What began anew was told of before, and is no more.
    missing = {id_: each for id_, each in tasks.items() if seen.get(id_) != each}
    assert not missing, f"{missing} was not told so: { ({id_: seen.get(id_) for id_ in missing}) }"


def _gotten(shell: Shell) -> tuple[dict[str, str], dict[str, str]]:
    executions: dict[str, str] = {}
    tasks: dict[str, str] = {}
    for (execution_id,) in shell.db.execute("SELECT id FROM executions").fetchall():
        found = loading.load_whole(shell.db, execution_id, shell.snapshots)
        assert found is not None
        executions[execution_id] = found.execution.status.value
        tasks.update({task.id: task.status.value for task in found.attempts})
    return executions, tasks


def _listed(shell: Shell, query: str) -> dict[str, str]:
    rows = finding.found(shell.db, parse(query, EXECUTIONS), EPOCH, None, 10_000)
    return {row[0]: row[3] for row in rows}


def _searched(shell: Shell, query: str) -> dict[str, str]:
    order = ordering.tasks_by("", aliases(TASKS), micros(EPOCH))
    rows = tasklist.found(shell.db, parse(query, TASKS), EPOCH, None, 100_000, order)
    return {row[0]: row[4] for row in rows}


def _watched(shell: Shell) -> tuple[dict[str, str], dict[str, str]]:
    executions: dict[str, str] = {}
    tasks: dict[str, str] = {}
    for _, execution_id, _, state in feed_rows.changes(shell.db, 0, 1 << 62, 1 << 20):
        execution, states = parsed_change(state)
        assert json.loads(state)[0][0] == execution_id == execution.execution_id
        executions[execution_id] = EXECUTION_STATUS_NAME[execution.status]
        tasks.update({each.task_id: TASK_STATUS_NAME[each.status] for each in states})
    return executions, tasks
