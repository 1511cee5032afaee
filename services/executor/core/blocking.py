"""What a signal is for: the tasks that wait for somebody, and those that wait for a workflow."""

from __future__ import annotations

from collections.abc import Iterator

from services.executor.core.copies import changed
from services.executor.core.kind import Waiting
from services.executor.core.model import Execution, Json, Task

# Where a task remembers that what it had started has ended, and so did it by that: with which run.
HEARD = "heard"
# Where it remembers how often that has been retried for it.
RESUMED = "resumed"

_FOR_SOMEBODY = frozenset(("WAIT", "HUMAN"))


def blocked(execution: Execution) -> Iterator[Task | str]:
    """In the order in which they began: a task, or the id of an execution that one waits for.

    A WAIT that ends by itself waits for nobody.
    """
    waiting = (task for task in execution.tasks.values() if not task.status.final)
    for task in sorted(waiting, key=lambda task: task.sequence):
        if waits_for_somebody(task):
            yield task
        elif child := child_of(task):
            yield child


def waits_for_somebody(task: Task) -> bool:
    """Whether a task that has not ended waits for a word, and for nothing else."""
    return task.kind in _FOR_SOMEBODY and task.next_at is None and task.started_at is not None


def child_of(task: Task) -> str:
    """The id of the execution that a SUB_WORKFLOW has started; empty: there is none."""
    output = task.output if task.kind == "SUB_WORKFLOW" else None
    found = output.get("subWorkflowId") if isinstance(output, dict) else None
    return found if isinstance(found, str) else ""


def word_of(task_id: str, number: int) -> str:
    """What a retry of what a task has started is known by: the child keeps it (kinship.py)."""
    return f"{task_id}:{number}"


def waiting_again(task: Task) -> Waiting:
    """It waits for what it has started, whose output so far is void."""
    return Waiting(output={"subWorkflowId": child_of(task)}, memory=without_end(task))


def without_end(task: Task) -> dict[str, Json]:
    """The memory of a task that waits once more."""
    return {name: value for name, value in task.memory.items() if name != HEARD}


def is_another_end(task: Task, run: str) -> bool:
    """Whether a task that has ended with what it had started hears that this has ended again."""
    heard = task.memory.get(HEARD)
    return isinstance(heard, str) and bool(run) and heard != run


def having_heard(task: Task, run: str) -> Task:
    """``task``, which knows with which run ended last what it had started."""
    return changed(task, memory={**task.memory, HEARD: run})
