"""What the feed says of an execution, and what a snapshot says of it, is the same."""

from __future__ import annotations

import json

from hypothesis import given, settings

from services.executor import states
from services.executor.core.model import Execution, ExecutionStatus
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
