"""What the feed says of an execution, and what a snapshot says of it, is the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from services.executor import states
from services.executor.core.copies import changed
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.rows import Origin, task_row
from tests.executor.test_store import executions

ORIGIN = Origin(started_by='application:"quoted"')


@given(executions)
def test_a_row_of_the_feed_says_what_the_facts_are(execution: Execution) -> None:
    tasks = list(execution.tasks.values())
    rows = [task_row(execution.id, task, None) for task in tasks]

    [(_, execution_id, workflow, text)] = states.changes(execution, ORIGIN, tasks, rows)

    assert (execution_id, workflow) == (execution.id, execution.workflow.name)
    assert json.loads(text) == [
        states.execution_facts(execution, ORIGIN),
        [states.task_facts(task) for task in tasks],
    ]


@given(executions)
@settings(max_examples=30)
def test_only_the_last_row_of_a_unit_tells_the_end_of_the_execution(execution: Execution) -> None:
    tasks = list(execution.tasks.values()) * 20
    rows = [task_row(execution.id, task, None) for task in tasks]

    texts = [json.loads(row[3]) for row in states.changes(execution, ORIGIN, tasks, rows)]

    assert [task for _, part in texts for task in part] == [states.task_facts(t) for t in tasks]
    assert texts[-1][0] == states.execution_facts(execution, ORIGIN)
    for facts, _ in texts[:-1]:
        assert not ExecutionStatus(facts[3]).final
        assert facts[6] is None or not execution.status.final


REPORTED: list[tuple[TaskStatus, Json, float | None]] = [
    (TaskStatus.IN_PROGRESS, {"progress": 40}, 40.0),
    (TaskStatus.IN_PROGRESS, {"progress": 0.5}, 0.5),
    (TaskStatus.IN_PROGRESS, {"progress": True}, None),
    (TaskStatus.IN_PROGRESS, {"progress": "40"}, None),
    (TaskStatus.IN_PROGRESS, {"progress": float("inf")}, None),
    (TaskStatus.IN_PROGRESS, {"progress": 10**400}, None),
    (TaskStatus.IN_PROGRESS, {}, None),
    (TaskStatus.COMPLETED, {"progress": 40}, None),
]


@pytest.mark.parametrize(("status", "output", "progress"), REPORTED)
def test_the_progress_of_a_task_that_waits_is_what_somebody_says(
    status: TaskStatus, output: Json, progress: float | None
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    task = Task("t", "ref", "step", "HTTP", "name", 1, status, at, at, output=output)
    facts = states.task_facts(task)

    told = states.task_state(facts)

    assert (told.progress if told.HasField("progress") else None) == progress
    assert not states.task_state(facts[:-1]).HasField("progress")


def test_the_worker_of_a_task_is_told_where_there_is_one() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    task = Task("t", "ref", "step", "SIMPLE", "name", 1, TaskStatus.IN_PROGRESS, at, at)

    assert states.task_state(states.task_facts(task)).worker_id == ""
    had = changed(task, worker_id="w1")
    assert states.task_state(states.task_facts(had)).worker_id == "w1"
    text = states._task_text(had, task_row("e", had, None))
    assert json.loads(text) == states.task_facts(had)
