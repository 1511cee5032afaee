"""Two executions compared: how they ended, which way they went, what each task got and gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tui.views.changes import Change, changes
from tui.views.tables import table
from tui.views.visible import in_one_line

Document: TypeAlias = Mapping[str, Any]
Side = Literal["first", "second", "both"]

# Of each document, in text; as JSON all are there.
MOST_SHOWN = 12
NEVER = "did not run"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a task in one execution.

    Attributes:
        status: Of its last attempt.
        attempts: How many there were.
        polls: Of the last attempt.
        milliseconds: From the beginning of the last attempt to its end; None: it has not ended.
        reason: Why it ended so; may be empty.
    """

    status: str
    attempts: int
    polls: int
    milliseconds: int | None
    reason: str

    def __str__(self) -> str:
        parts = [self.status]
        if self.milliseconds is not None:
            parts.append(seconds_text(self.milliseconds))
        if self.attempts > 1:
            parts.append(f"{self.attempts} attempts")
        if self.polls:
            parts.append(f"{self.polls} poll{'s' if self.polls > 1 else ''}")
        return " ".join(parts[:2]) + "".join(f", {each}" for each in parts[2:])

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "status": self.status,
            "attempts": self.attempts,
            "polls": self.polls,
            "milliseconds": self.milliseconds,
            "reason": self.reason,
        }

    def went_as(self, other: Ran) -> bool:
        """Whether it went the same way: time says nothing, nor how often it was asked."""
        return (self.status, self.attempts) == (other.status, other.attempts)


@dataclass(frozen=True, slots=True)
class TaskDifference:
    """A task, by its reference, in both executions; None: it did not run there."""

    ref: str
    one: Ran | None
    two: Ran | None
    input: Sequence[Change]
    output: Sequence[Change]

    @property
    def differs(self) -> bool:
        """Whether more than its times does."""
        if self.one is None or self.two is None:
            return True
        return bool(not self.one.went_as(self.two) or self.input or self.output)


@dataclass(frozen=True, slots=True)
class ExecutionDifference:
    """Two executions.

    Attributes:
        heads: Of each: id, workflow, version, status, reason, milliseconds.
        input: What differs in the input.
        output: What differs in the output.
        variables: What differs in the variables.
        tasks: All that ran, in the order of the first execution, then of the second.
    """

    heads: tuple[Document, Document]
    input: Sequence[Change]
    output: Sequence[Change]
    variables: Sequence[Change]
    tasks: Sequence[TaskDifference]

    @property
    def differs(self) -> bool:
        """Whether more than ids and times does."""
        one, two = ({**head, "id": "", "milliseconds": 0} for head in self.heads)
        documents = self.input or self.output or self.variables
        return bool(one != two or documents or any(task.differs for task in self.tasks))


def execution_difference(one: Document, two: Document) -> ExecutionDifference:
    """What differs between two executions, each as Conductor writes one."""
    tasks_one, tasks_two = _attempts(one), _attempts(two)
    refs = dict.fromkeys((*_merged(list(tasks_one), list(tasks_two)),))
    return ExecutionDifference(
        (_head(one), _head(two)),
        _changes(one, two, "input"),
        _changes(one, two, "output"),
        _changes(one, two, "variables"),
        [_task(ref, tasks_one.get(ref, ()), tasks_two.get(ref, ())) for ref in refs],
    )


def difference_data(difference: ExecutionDifference) -> dict[str, Any]:
    """As JSON: every field that differs by its path."""
    return {
        "executions": list(map(dict, difference.heads)),
        "differs": difference.differs,
        "input": _fields(difference.input),
        "output": _fields(difference.output),
        "variables": _fields(difference.variables),
        "tasks": [
            {
                "ref": task.ref,
                "differs": task.differs,
                "first": task.one.fields() if task.one else None,
                "second": task.two.fields() if task.two else None,
                "input": _fields(task.input),
                "output": _fields(task.output),
            }
            for task in difference.tasks
        ],
    }


def difference_lines(difference: ExecutionDifference) -> Iterator[str]:
    """For people: ``-`` is the first execution's alone, ``+`` the second's, ``~`` differs."""
    yield from table([_head_row("-", difference.heads[0]), _head_row("+", difference.heads[1])])
    yield from _section("input", difference.input)
    rows = [_task_row(task) for task in difference.tasks]
    if rows:
        yield "tasks"
    for task, row in zip(difference.tasks, table(rows) if rows else (), strict=True):
        yield row
        yield from _listed("input", task.input)
        yield from _listed("output", task.output)
    yield from _section("variables", difference.variables)
    yield from _section("output", difference.output)
    if not difference.differs:
        yield "They went the same way, with the same data."


def seconds_text(milliseconds: int) -> str:
    """``350 ms``, ``12.0 s``."""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds} ms"


def _head(document: Document) -> Document:
    return {
        "id": str(document.get("workflowId", "")),
        "workflow": str(document.get("workflowName", "")),
        "version": document.get("workflowVersion", 0),
        "status": str(document.get("status", "")),
        "reason": str(document.get("reasonForIncompletion", "")),
        "milliseconds": _took(document),
    }


def _head_row(sign: str, head: Document) -> list[str]:
    took = head["milliseconds"]
    name = f"{head['workflow']} v{head['version']}"
    time = seconds_text(took) if took is not None else ""
    return [sign, head["id"], name, head["status"], time, in_one_line(head["reason"])]


def _attempts(document: Document) -> dict[str, Sequence[Document]]:
    """By reference the attempts of each task, in their order."""
    found: dict[str, list[Document]] = {}
    for task in document.get("tasks") or ():
        found.setdefault(str(task.get("referenceTaskName", "")), []).append(task)
    return dict(found)


def _merged(one: Sequence[str], two: Sequence[str]) -> Iterator[str]:
    """Both orders in one: what ran only in the second comes behind what it ran behind there."""
    behind: dict[str, list[str]] = {}
    known, last = set(one), ""
    for ref in two:
        if ref in known:
            last = ref
        else:
            behind.setdefault(last, []).append(ref)
    yield from behind.get("", ())
    for ref in one:
        yield ref
        yield from behind.get(ref, ())


def _task(ref: str, one: Sequence[Document], two: Sequence[Document]) -> TaskDifference:
    if not one or not two:
        return TaskDifference(ref, _ran(one), _ran(two), (), ())
    last_one, last_two = one[-1], two[-1]
    return TaskDifference(
        ref,
        _ran(one),
        _ran(two),
        _changes(last_one, last_two, "inputData"),
        _changes(last_one, last_two, "outputData"),
    )


def _ran(attempts: Sequence[Document]) -> Ran | None:
    if not attempts:
        return None
    last = attempts[-1]
    return Ran(
        str(last.get("status", "")),
        len(attempts),
        int(last.get("pollCount") or 0),
        _took(last),
        str(last.get("reasonForIncompletion", "")),
    )


def _took(timed: Document) -> int | None:
    start, end = timed.get("startTime") or 0, timed.get("endTime") or 0
    return int(end) - int(start) if start and end else None


def _changes(one: Document, two: Document, name: str) -> Sequence[Change]:
    return changes(one.get(name) or {}, two.get(name) or {})


def _fields(found: Sequence[Change]) -> list[dict[str, Any]]:
    return [each.fields() for each in found]


def _task_row(task: TaskDifference) -> list[str]:
    sign = "-" if task.two is None else "+" if task.one is None else "~" if task.differs else " "
    return [sign, task.ref, str(task.one or NEVER), str(task.two or NEVER), later(task)]


def later(task: TaskDifference) -> str:
    """How much longer the second took; nothing where that is little."""
    if task.one is None or task.two is None:
        return ""
    return longer(task.one.milliseconds, task.two.milliseconds)


def longer(one: int | None, two: int | None) -> str:
    """How much longer ``two`` milliseconds are than ``one``; nothing where that is little."""
    if one is None or two is None or abs(two - one) < max(50, one // 10):
        return ""
    return f"{'+' if two > one else '-'}{seconds_text(abs(two - one))}"


def _section(title: str, found: Sequence[Change]) -> Iterator[str]:
    if found:
        yield title
        yield from _listed("", found)


def _listed(title: str, found: Sequence[Change]) -> Iterator[str]:
    for change in found[:MOST_SHOWN]:
        path = str(change)
        dotted = "" if not title else "." if not path.startswith("[") else ""
        yield f"     {title}{dotted}{path}"
    if len(found) > MOST_SHOWN:
        yield f"     and {len(found) - MOST_SHOWN:,} more{f' of the {title}' if title else ''}"
