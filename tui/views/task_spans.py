"""Where in the text of a workflow each of its tasks stands: for a drawing beside the text.

A text may be half-written: what of it can be read counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from services.json_text import DocumentError
from tui.views.editing import MOST_YAML, Language
from tui.views.graph.plan import shown
from tui.views.json_paths import read_path
from tui.views.json_source import plain
from tui.views.yaml_reading import yaml_documents

Location: TypeAlias = "tuple[int, int]"
"""A row and a column, from 0."""

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\],:\n]|[^\s{}\[\],:"]+')
_DEEPEST = 1_000
# What a part of a workflow is: ``tasks`` is a list of tasks, ``cases`` and ``forks`` hold such.
_OF_A_TASK = {
    "decisionCases": "cases", "defaultCase": "tasks", "forkTasks": "forks", "loopOver": "tasks",
}  # fmt: skip


class TaskSpan(NamedTuple):
    """A task in the text.

    Attributes:
        path: As :class:`tui.views.graph.plan.Step` has it.
        end: The last place that is its own.
    """

    path: str
    start: Location
    end: Location


class _Open(NamedTuple):
    """An object or a list that is read, and what of it comes next."""

    role: str
    path: str
    is_object: bool
    start: Location


def spans(text: str, language: Language) -> list[TaskSpan]:
    """Every task of ``text``, the outer before the inner ones."""
    found = _of_yaml(text) if language == "yaml" else _of_json(text)
    return sorted(found, key=lambda each: (each.start, -each.end[0], -each.end[1]))


def span_at(known: Sequence[TaskSpan], place: Location) -> TaskSpan | None:
    """The innermost task around a place; None: there is none."""
    return next(
        (each for each in reversed(known) if each.start <= place <= each.end),
        None,
    )


def task_path(fault: str) -> str:
    """The path of the innermost task that a fault is in, as a drawing has it; empty: in none."""
    path = read_path(fault) or ()
    role, at, found = "workflow", "", ""
    for step in path:
        inner = _role(role, step)
        at = _joined(at, step)
        if not inner:
            break
        role = inner
        if role == "task":
            found = at
    return found


def _role(role: str, step: str | int) -> str:
    """What stands at ``step`` of a part of a workflow; empty: nothing that holds tasks."""
    match role, step:
        case "workflow", "tasks":
            return "tasks"
        case "tasks", int():
            return "task"
        case "task", str():
            return _OF_A_TASK.get(step, "")
        case ("cases", str()) | ("forks", int()):
            return "tasks"
    return ""


def _joined(path: str, step: str | int) -> str:
    return f"{path}[{step}]" if isinstance(step, int) else f"{path}.{shown(step)}".removeprefix(".")


def _of_json(text: str) -> Iterator[TaskSpan]:
    """One walk over the tokens; what is open at the end goes on to the end."""
    within: list[_Open] = []
    steps: list[str | int] = []
    row, begins = 0, 0
    for token in _TOKEN.finditer(text):
        written, place = token[0], (row, token.start() - begins)
        if written == "\n":
            row, begins = row + 1, token.end()
        elif written in ("{", "["):
            within.append(_opened(within, steps, written == "{", place))
            steps.append("" if written == "{" else 0)
            if len(within) > _DEEPEST:
                return
        elif written in ("}", "]") and within:
            steps.pop()
            yield from _closed(within.pop(), (row, token.end() - begins))
        elif within and written == ",":
            steps[-1] = "" if within[-1].is_object else int(steps[-1]) + 1
        elif within and within[-1].is_object and steps[-1] == "" and written != ":":
            steps[-1] = plain(written)
    for each in within:
        yield from _closed(each, (row, len(text) - begins))


def _opened(
    within: Sequence[_Open], steps: Sequence[str | int], is_object: bool, place: Location
) -> _Open:
    if not within:
        return _Open("workflow" if is_object else "", "", is_object, place)
    role = _role(within[-1].role, steps[-1])
    if is_object != (role in ("task", "cases")):
        role = ""
    path = _joined(within[-1].path, steps[-1]) if role else ""
    return _Open(role, path, is_object, place)


def _closed(each: _Open, end: Location) -> Iterator[TaskSpan]:
    if each.role == "task":
        yield TaskSpan(each.path, each.start, end)


# YAML

_FAR = 1_000_000


def _of_yaml(text: str) -> Iterator[TaskSpan]:
    if len(text) > MOST_YAML:
        return
    try:
        read = yaml_documents(text)
    except DocumentError:
        return
    if read:
        last = text.count("\n")
        yield from _walked(read[0].document, read[0].lines, "workflow", "", (0, last))


def _walked(
    value: Any, lines: Any, role: str, path: str, rows: tuple[int, int]
) -> Iterator[TaskSpan]:
    """The tasks in a part that stands on ``rows``, the first and the last."""
    if role == "task":
        yield TaskSpan(path, (rows[0], 0), (rows[1], _FAR))
    known = lines.get(id(value))
    if known is None or not role:
        return
    begun = sorted(_begun(value, known), key=lambda each: each[1])
    for index, (step, first) in enumerate(begun):
        inner = _role(role, step)
        if inner:
            last = begun[index + 1][1] - 1 if index + 1 < len(begun) else rows[1]
            within = value[step]
            yield from _walked(within, lines, inner, _joined(path, step), (first, max(first, last)))


def _begun(value: Any, known: Any) -> Iterable[tuple[str | int, int]]:
    """Each key or index, and its row."""
    if isinstance(value, dict) and isinstance(known, dict):
        return [(key, known[key] - 1) for key in value if key in known]
    if isinstance(value, list) and isinstance(known, list):
        return [(index, line - 1) for index, line in enumerate(known[: len(value)])]
    return []
