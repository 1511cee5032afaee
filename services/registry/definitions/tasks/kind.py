"""What one task type says about itself, and how a task of any type is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from services.registry.definitions import task
from services.registry.definitions.expressions import RESERVED
from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import (
    SERVER_WRITTEN,
    Field,
    Record,
    Status,
    Unknown,
    kept,
    later,
)
from services.registry.definitions.values import (
    Anything,
    Boolean,
    ListOf,
    MapOf,
    Name,
    Object,
    Text,
    Type,
    whole,
)

# Conductor's and Orkes's types that are not in the table yet.
LATER = (
    "USER_DEFINED", "FORK",
    "KAFKA_PUBLISH", "PULL_WORKFLOW_MESSAGES",
    "YIELD", "JUMP", "UPDATE_TASK", "GET_WORKFLOW", "GRPC", "JDBC",
    "TERMINATE_WORKFLOW", "UPDATE_SECRET", "GET_SIGNED_JWT", "QUERY_PROCESSOR", "OPS_GENIE",
    "LLM_TEXT_COMPLETE", "LLM_CHAT_COMPLETE", "LLM_INDEX_TEXT", "LLM_SEARCH_INDEX",
    "LLM_SEARCH_EMBEDDINGS", "LLM_GENERATE_EMBEDDINGS", "LLM_STORE_EMBEDDINGS",
    "LLM_GET_EMBEDDINGS", "LIST_MCP_TOOLS", "CALL_MCP_TOOL", "GENERATE_IMAGE", "GENERATE_AUDIO",
    "GENERATE_VIDEO", "GENERATE_PDF", "AGENT", "GET_AGENT_CARD", "CANCEL_AGENT",
)  # fmt: skip


# What takes the place of some of them.
_INSTEAD = {
    "FORK": "take FORK_JOIN",
    "USER_DEFINED": "take SIMPLE, or a type of your own with a task definition",
    "YIELD": "take WAIT or HUMAN",
    "TERMINATE_WORKFLOW": "an event handler can terminate_workflow",
    "UPDATE_TASK": "an event handler can complete_task or fail_task",
}

# The type of what workers do.
BY_WORKERS = "SIMPLE"

_LONGEST_KEPT = 31_536_000

# Keys that no table names are the author's own.
NO_INPUTS = Record("the input", (), unknown=Unknown.GUESS, templated=True)


def _nothing_more(task: Document, at: Place) -> None:
    """The rule of a task type whose fields say it all."""


def read_inputs(kind: TaskKind, task: Document, at: Place) -> None:
    """Checks ``inputParameters`` by the type's own table; they are kept as written."""
    inputs = task.get("inputParameters", {})
    if isinstance(inputs, dict):
        kind.inputs.read(inputs, at / "inputParameters")


@dataclass(frozen=True)
class TaskKind:
    """One task type.

    Attributes:
        name: As in ``type``.
        doc: For the manual.
        inputs: The fields of ``inputParameters``; keys beyond them are the author's own.
        fields: Those of the task itself, beside the common ones.
        nested: The key of ``inputParameters`` in which its fields may stand as well.
        calls_out: Whether its input leaves the process, so that secrets are put in.
        callback: Whether it has a callback URL.
        read_inputs: How its ``inputParameters`` are checked.
        check: What no single field can say; gets the task as kept.
    """

    name: str
    doc: str
    inputs: Record = NO_INPUTS
    fields: tuple[Field, ...] = ()
    nested: str = ""
    calls_out: bool = False
    callback: bool = False
    read_inputs: Callable[[TaskKind, Document, Place], None] = read_inputs
    check: Callable[[Document, Place], None] = _nothing_more

    @cached_property
    def record(self) -> Record:
        """All fields of a task of this type."""
        own = {field.name for field in self.fields}
        elsewhere = tuple(field for field in ELSEWHERE if field.name not in own)
        return replace(_TASK, fields=(*COMMON, *self.fields, *elsewhere))


class TaskReferenceName:
    """The name of one task within its workflow."""

    def check(self, value: Json, at: Place) -> Json:
        Name().check(value, at)
        if value in RESERVED:
            at.fault(f"{shown(value)} has a meaning of its own in ${{…}}; take another name")
        elif isinstance(value, str) and "__" in value:
            at.fault("must not hold '__', which numbers the tasks of a loop")
        return value

    def says(self) -> str:
        return "name without '__'"

    def schema(self) -> Document:
        return {"type": "string", "minLength": 1, "not": {"pattern": "__"}}


_CACHE = Record(
    "a cache configuration",
    (
        Field(
            "key",
            Text(shortest=1, longest=1000),
            "What the output goes by; `${NAME}` is that field of the task's input.",
            required=True,
        ),
        Field("ttlInSecond", whole(1, _LONGEST_KEPT), "Seconds that it is kept.", required=True),
    ),
)

COMMON = (
    Field(
        "name",
        Name(),
        "Its name; a task definition of that name applies.",
        required=True,
        refers="task",
    ),
    Field(
        "taskReferenceName",
        TaskReferenceName(),
        "Unique in the workflow; what `${…}` calls it.",
        required=True,
    ),
    Field("type", Text(), "The task type: one of those below.", default="SIMPLE"),
    kept("description", Text(), "For people."),
    Field("inputParameters", Object(), "Its input; values may hold `${…}`.", default={}),
    Field("optional", Boolean(), "Its failure does not fail the workflow.", default=False),
    Field(
        "permissive",
        Boolean(),
        "After its failure the workflow goes on, and fails at its end.",
        default=False,
    ),
    Field("startDelay", whole(), "Seconds before its first attempt.", default=0),
    Field("retryCount", whole(), "Wins over the task definition's."),
    Field("taskDefinition", task.EMBEDDED, "A task definition for this task alone."),
    kept("metadata", MapOf(Anything()), "For people."),
    kept("joinStatus", Anything(), "Accepted."),
    later("rateLimited", "Limit the rate."),
    Field(
        "cacheConfig",
        _CACHE,
        "Keep its output for tasks of the same type, `name` and key.",
    ),
    later(
        "onStateChange",
        "Tell of its states.",
        refusal="is not supported; an EVENT task behind it tells of its end",
    ),
    *SERVER_WRITTEN,
)

ELSEWHERE = tuple(
    Field(name, Anything(), "Of other task types.", status=Status.ELSEWHERE)
    for name in (
        "asyncComplete", "onInterrupted", "callbackTimeoutSeconds", "evaluatorType", "expression",
        "decisionCases", "defaultCase", "caseValueParam", "caseExpression",
        "dynamicTaskNameParam", "forkTasks", "joinOn", "joinMode", "defaultExclusiveJoinTask",
        "dynamicForkTasksParam", "dynamicForkTasksInputParamName", "dynamicForkJoinTasksParam",
        "loopCondition", "loopOver", "items", "subWorkflowParam", "sink", "scriptExpression",
    )
)  # fmt: skip

_TASK = Record("a task", COMMON, unknown=Unknown.WARN)


_NAMED = re.compile(r"\$\{([^{}.]+)[^{}]*\}")


def _check_cache_key(task: Document, at: Place) -> None:
    """What it names and is not there is null: all tasks would have the output of the first."""
    config, inputs = task.get("cacheConfig"), task.get("inputParameters")
    key = config.get("key") if isinstance(config, dict) else None
    known = inputs if isinstance(inputs, dict) else {}
    for name in _NAMED.findall(key) if isinstance(key, str) else ():
        if name not in known:
            hint = at.guess(name, known)
            at.warn(f"{shown(name)} is not in inputParameters, of which it names fields{hint}")


class TaskType:
    """A task of a workflow; read by the kind that its ``type`` names."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, dict):
            at.fault(f"must be an object, not {shown(value)}")
            return value
        if value.get("type") is None:
            # As in Conductor: a task without a type is a worker's.
            value = {**value, "type": BY_WORKERS}
        kind = self._kind(value, at / "type")
        slot = len(at.reading.tasks)
        known = kind is not None and kind.name == value.get("type")
        read = (kind.record if kind and known else _UNREAD).read(value, at)
        # Before its branches, which reading the record appended.
        at.reading.tasks.insert(slot, (read, kind, at))
        if kind is not None:
            kind.read_inputs(kind, read, at)
            _check_cache_key(read, at / "cacheConfig" / "key")
            kind.check(read, at)
        return read

    def _kind(self, value: Document, at: Place) -> TaskKind | None:
        name = value.get("type")
        kinds = at.reading.task_kinds
        # That it is there, and text, is said by the field itself.
        if not isinstance(name, str):
            return None
        if name in kinds:
            return kinds[name]
        if name in LATER:
            way_out = _INSTEAD.get(name, "let a worker of yours do it, as a SIMPLE task")
            at.fault(f"{name} is not supported: {way_out}; there are {', '.join(kinds)}")
            return None
        # Any other one is a worker's, if there is a task definition.
        return kinds.get(BY_WORKERS)

    def says(self) -> str:
        return "task"

    def schema(self) -> Document:
        return {"$ref": "#/$defs/task"}


TASKS = ListOf(TaskType())

# Of a type that is not known, only what all tasks have is judged, and the tasks within it.
_BRANCHES: dict[str, Type] = {
    "decisionCases": MapOf(TASKS),
    "defaultCase": TASKS,
    "forkTasks": ListOf(TASKS),
    "loopOver": TASKS,
}
_UNREAD = Record(
    "a task",
    (
        *COMMON,
        *(Field(name, type_, "Tasks.") for name, type_ in _BRANCHES.items()),
        *(kept(field.name, Anything(), "") for field in ELSEWHERE if field.name not in _BRANCHES),
    ),
    unknown=Unknown.GUESS,
)


def missing_type(task: Document, at: Place) -> str:
    """What is at fault where a task has no definition; empty: nothing is."""
    name, kinds = task.get("type"), at.reading.task_kinds
    if not isinstance(name, str) or name in kinds or name in LATER:
        return ""
    hint = at.guess(name, (*kinds, *LATER))
    known = shown(task.get("name"))
    return f"there is no task type {shown(name)}, and no task definition {known}{hint}"


def references_within(value: Json) -> Iterator[str]:
    """Every ``taskReferenceName`` at any depth of ``value``, whatever that is."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as members:
                reference = members.get("taskReferenceName")
                if isinstance(reference, str):
                    yield reference
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
