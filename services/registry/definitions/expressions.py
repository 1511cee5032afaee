"""``${…}`` in the values of a definition: where they stand and what they name.

The rules are Conductor's: braces balance, expressions nest (``${a.output[${b.output.i}]}``),
``$${…}`` is the literal text ``${…}``, and keys of objects hold none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from services.registry.definitions.model import Json
from services.registry.definitions.reading import Place, shortened

RESERVED = ("workflow", "task", "CPEWF_TASK_ID")

WORKFLOW_MEMBERS = (
    "input", "output", "status", "workflowId", "parentWorkflowId", "parentWorkflowTaskId",
    "workflowType", "version", "correlationId", "reasonForIncompletion", "schemaVersion",
    "variables", "secrets", "env",
)  # fmt: skip
TASK_MEMBERS = (
    "input", "output", "taskType", "status", "referenceTaskName", "retryCount", "correlationId",
    "pollCount", "taskDefName", "scheduledTime", "startTime", "endTime", "workflowInstanceId",
    "taskId", "reasonForIncompletion", "callbackAfterSeconds", "workerId", "iteration",
)  # fmt: skip

# The executor resolves no more: each level takes some of its stack.
MAX_NESTING = 20

# An expression is judged by its first names; a megabyte between braces is not read for them.
# The name of a secret has 255 characters at most, and must not seem to be another, shorter one.
_HEAD = 512
_BRACE = re.compile(r"\$\$\{|\$\{|\{|\}")
_START = re.compile(r"\s*(?:\$(?:\.(?!\.)|(?=\[)|\Z))?")
_SECRET = re.compile(r"(?:\$\.)?workflow\.secrets\.[A-Za-z_]")
_NAME = re.compile(r"""\[\s*(?:'([^']*)'|"([^"]*)")\s*\]|\.?([^.\[\]]+)""")


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between ``${`` and ``}``.

    Attributes:
        text: The beginning of it.
        names: Its first names, three at most: ``("workflow", "input", "order")``; empty where
            they are known only when it is resolved.
    """

    text: str
    names: tuple[str, ...]


def expressions(text: str) -> Iterator[Expression | None]:
    """Every expression in ``text``, inner ones first; None for a ``${`` without its ``}``."""
    opened: list[int | None] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "${":
            opened.append(brace.end())
        elif brace[0] != "}":
            opened.append(None)
        elif opened and (start := opened.pop()) is not None:
            # White space is no part of it, however much there is.
            yield _expression(text[start : brace.start()].lstrip()[:_HEAD])
    if any(start is not None for start in opened):
        yield None


def nesting(text: str) -> int:
    """How many expressions stand within each other in ``text``, at most."""
    opened: list[bool] = []
    depth = deepest = 0
    for brace in _BRACE.finditer(text):
        if brace[0] != "}":
            opened.append(brace[0] == "${")
            depth += opened[-1]
            deepest = max(deepest, depth)
        elif opened:
            depth -= opened.pop()
    return deepest


def _expression(head: str) -> Expression:
    names: list[str] = []
    begin = _START.match(head)
    position = begin.end() if begin else 0
    while len(names) < 3 and (name := _NAME.match(head, position)):
        word = next(group for group in name.groups() if group is not None)
        if "${" in word or "*" in word:
            break
        names.append(word.strip())
        position = name.end()
    return Expression(head, tuple(names) if names and names[0] else ())


@dataclass(frozen=True)
class Scope:
    """What may be named where an expression stands.

    Attributes:
        tasks: Every task reference name of the workflow; None where no workflow is known (a task
            definition): any name may be a task's.
        calls_out: Whether the value is handed to the outside: only there are secrets put in.
        callback: Whether the task has a callback URL.
        sequence: The places of the tasks that run one after another with this one, by reference.
        place: This one's.
    """

    tasks: Collection[str] | None
    calls_out: bool = False
    callback: bool = False
    sequence: Mapping[str, int] = field(default_factory=dict)
    place: int = 0

    def comes_later(self, reference: str) -> bool:
        """Whether that task surely runs after this one."""
        return self.sequence.get(reference, self.place) > self.place


def check_expressions(value: Json, at: Place, scope: Scope) -> None:
    """Tells what no execution could resolve anywhere in ``value``, and which secrets it uses."""
    match value:
        case str():
            if "${" in value:
                _check_text(value, at, scope)
        case list():
            for index, item in enumerate(value):
                check_expressions(item, at / index, scope)
        case dict():
            for key, item in value.items():
                check_expressions(item, at / key, scope)


def _check_text(text: str, at: Place, scope: Scope) -> None:
    if nesting(text) > MAX_NESTING:
        at.fault(f"nests ${{…}} more than {MAX_NESTING} deep")
        return
    for expression in dict.fromkeys(expressions(text)):
        if expression is None:
            at.warn("has a ${ without its }, which stays as it is")
        elif expression.names:
            _check_names(expression, at, scope)


def _check_names(expression: Expression, at: Place, scope: Scope) -> None:
    match expression.names:
        case ("workflow", "secrets", *rest):
            _check_secret(expression, rest, at, scope)
        case ("workflow", "env", *_):
            _check_environment(expression, at)
        case ("workflow", *rest):
            _check_member(rest, WORKFLOW_MEMBERS, "workflow", at)
        case ("task", "callbackUrl"):
            if not scope.callback:
                at.fault(
                    "${task.callbackUrl} stands only in the input of HTTP and of what workers do"
                )
        case ("task", *_):
            at.fault("of 'task' only ${task.callbackUrl} is known")
        case ("CPEWF_TASK_ID",):
            pass
        case (reference, *rest):
            _check_task(expression, reference, rest, at, scope)


def _check_task(
    expression: Expression, reference: str, rest: list[str], at: Place, scope: Scope
) -> None:
    if scope.tasks is None:
        return
    if reference in scope.tasks:
        if scope.comes_later(reference):
            at.warn(f"task '{shortened(reference)}' comes after this one, so this is null")
        _check_member(rest, TASK_MEMBERS, "a task", at)
        return
    hint = at.guess(reference, scope.tasks) or at.guess(reference, ("workflow",))
    at.fault(
        f"${{{shortened(expression.text)}}} names '{shortened(reference)}', "
        f"which no task of this workflow provides{hint}"
    )


def _check_member(rest: list[str], known: Collection[str], owner: str, at: Place) -> None:
    if rest and rest[0] not in known:
        hint = at.guess(rest[0], known)
        at.warn(f"{owner} has no '{shortened(rest[0])}', so this is null{hint}")


def _check_environment(expression: Expression, at: Place) -> None:
    if len(expression.names) < 3:
        at.fault("a variable of the environment is named ${workflow.env.NAME}")


def _check_secret(expression: Expression, rest: list[str], at: Place, scope: Scope) -> None:
    # It is put in as the request goes out, by its spelling: another would be null.
    if not rest or not _SECRET.match(expression.text):
        at.fault("a secret is named ${workflow.secrets.NAME}")
    elif not scope.calls_out:
        at.fault(
            "a secret stands only in the input of a task that calls out: HTTP, HTTP_POLL, and what "
            "workers do"
        )
    else:
        at.refer("secret", rest[0])
