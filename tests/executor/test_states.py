"""What the feed says of an execution, and what a snapshot says of it, is the same."""

from __future__ import annotations

import json

from hypothesis import given

from services.executor import states
from services.executor.core.model import Execution
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
