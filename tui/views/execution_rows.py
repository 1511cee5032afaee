"""Two executions compared, as rows: what each says, and the documents behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tui.views.execution_diff import (
    NEVER,
    Document,
    ExecutionDifference,
    TaskDifference,
    later,
    longer,
    seconds_text,
)
from tui.views.json_values import json_text

# What of an execution is a row of its own, and where its document stands.
_PARTS = ("input", "variables", "output")
HEAD = "execution"


class DiffRow(NamedTuple):
    """A line of the comparison; ``one`` is of the first execution, ``two`` of the second.

    Attributes:
        id: ``task REF``, or ``execution``, ``input``, ``variables``, ``output``.
        sign: ``-`` ran in the first only, ``+`` in the second only, ``~`` differs, or a blank.
        later: How much longer the second took.
        differs: Which documents do.
    """

    id: str
    number: int
    sign: str
    what: str
    one: str
    two: str
    later: str
    differs: str

    @property
    def is_difference(self) -> bool:
        """Whether more than its times differs."""
        return self.sign != " "


def rows(difference: ExecutionDifference) -> list[DiffRow]:
    """The execution itself, its input, each task in order, its variables and its output."""
    found = [_head(difference), *_part("input", difference.input)]
    found += map(_task, difference.tasks)
    found += [*_part("variables", difference.variables), *_part("output", difference.output)]
    return [row._replace(number=number) for number, row in enumerate(found)]


def documents(row_id: str, one: Document, two: Document) -> tuple[str, str]:
    """What is compared below a row, as JSON text; empty where there is none."""
    first, second = (_document(row_id, each) for each in (one, two))
    return first, second


def _head(difference: ExecutionDifference) -> DiffRow:
    one, two = difference.heads
    differs = [
        name for name in ("workflow", "version", "status", "reason") if one[name] != two[name]
    ]
    took = longer(one["milliseconds"], two["milliseconds"])
    sign = "~" if differs else " "
    return DiffRow(HEAD, 0, sign, HEAD, _ended(one), _ended(two), took, ", ".join(differs))


def _ended(head: Mapping[str, Any]) -> str:
    took = head["milliseconds"]
    time = f" {seconds_text(took)}" if took is not None else ""
    return f"v{head['version']} {head['status']}{time}"


def _part(name: str, changes: Sequence[object]) -> Iterator[DiffRow]:
    if changes:
        many = f"{len(changes):,} place{'s' if len(changes) > 1 else ''}"
        yield DiffRow(name, 0, "~", name, "", "", "", many)


def _task(task: TaskDifference) -> DiffRow:
    sign = "-" if task.two is None else "+" if task.one is None else "~" if task.differs else " "
    differs = [name for name in ("input", "output") if getattr(task, name)]
    return DiffRow(
        f"task {task.ref}", 0, sign, task.ref, str(task.one or NEVER), str(task.two or NEVER),
        later(task), ", ".join(differs),
    )  # fmt: skip


def _document(row_id: str, execution: Document) -> str:
    if row_id in _PARTS:
        return json_text(execution.get(row_id) or {})
    if row_id.startswith("task "):
        return _attempt(row_id.removeprefix("task "), execution)
    names = ("workflowName", "workflowVersion", "status", "reasonForIncompletion", *_PARTS)
    return json_text({name: execution[name] for name in names if execution.get(name)})


def _attempt(ref: str, execution: Document) -> str:
    """The last attempt of a task; empty: it did not run."""
    tasks = [task for task in execution.get("tasks") or () if task.get("referenceTaskName") == ref]
    if not tasks:
        return ""
    names = ("status", "reasonForIncompletion", "inputData", "outputData")
    last = tasks[-1]
    return json_text({name: last[name] for name in names if last.get(name) not in (None, "")})
