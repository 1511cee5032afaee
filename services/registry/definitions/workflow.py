"""Workflows: Conductor's documents, unchanged."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.registry.definitions.expressions import Scope, check_expressions
from services.registry.definitions.flows import check_flow
from services.registry.definitions.masks import masked_fields
from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.reading import Place, Reading, shown
from services.registry.definitions.records import (
    Field,
    Record,
    Status,
    Unknown,
    kept,
    later,
)
from services.registry.definitions.schema_use import check_schema_uses, schema_fields
from services.registry.definitions.tasks.kind import TASKS, missing_type, references_within
from services.registry.definitions.values import (
    Anything,
    Boolean,
    Choice,
    ListOf,
    MapOf,
    Name,
    Object,
    Text,
    whole,
)

_MOST_AT_ONCE = 100_000
# What they do is to other tasks, to people or to the execution: nothing that could be kept.
_NOT_KEPT = frozenset(
    (
        "DECISION", "DO_WHILE", "DYNAMIC", "EVENT", "EXCLUSIVE_JOIN", "FORK_JOIN",
        "FORK_JOIN_DYNAMIC", "HUMAN", "JOIN", "NOOP", "SET_VARIABLE", "START_WORKFLOW",
        "SUB_WORKFLOW", "SWITCH", "TERMINATE", "WAIT", "WAIT_FOR_WEBHOOK",
    )
)  # fmt: skip


class SchemaVersion:
    """The version of the format itself: 2."""

    def check(self, value: Json, at: Place) -> Json:
        if value in (2, "2"):
            return 2
        at.fault(f"must be 2, not {shown(value)}")
        return value

    def says(self) -> str:
        return "2"

    def schema(self) -> Document:
        return {"enum": [2, "2"]}


def _check(document: Document, at: Place) -> None:
    references = _check_references(at)
    check_flow(at, references)
    sequences = _sequences(at)
    for index, (task, kind, place) in enumerate(at.reading.tasks):
        if kind is not None:
            sequence = sequences.get(place.outer, {})
            scope = Scope(references, kind.calls_out, kind.callback, sequence, index)
            _check_task(task, place, scope)
            _check_inline(task, place)
            if task.get("cacheConfig") and kind.name in _NOT_KEPT:
                (place / "cacheConfig").fault(f"is not for {kind.name}, which gives no value")
    output = document.get("outputParameters")
    check_expressions(output, at / "outputParameters", Scope(references))
    limit = document.get("rateLimitConfig")
    if isinstance(limit, dict):
        place = at / "rateLimitConfig" / "rateLimitKey"
        check_expressions(limit.get("rateLimitKey"), place, Scope(()))
    _refer_failure_workflow(document, at)


def _check_references(at: Place) -> Collection[str]:
    """Every task reference name of the workflow; tells of those that are there twice."""
    first: dict[str, str] = {}
    others: dict[str, None] = {}
    for task, kind, place in at.reading.tasks:
        reference = task.get("taskReferenceName")
        if isinstance(reference, str) and reference in first:
            (place / "taskReferenceName").fault(
                f"{shown(reference)} is the name of {first[reference]} already"
            )
        elif isinstance(reference, str):
            first[reference] = place.path
        if kind is None:
            others.update(dict.fromkeys(references_within(task)))
    return {**first, **others}


def _sequences(at: Place) -> Mapping[Place | None, Mapping[str, int]]:
    """By list of tasks, each one's place in the reading; not of a loop, which comes round again."""
    sequences: dict[Place | None, dict[str, int]] = {}
    for index, (task, _, place) in enumerate(at.reading.tasks):
        reference = task.get("taskReferenceName")
        if isinstance(reference, str) and not place.is_within("loopOver"):
            sequences.setdefault(place.outer, {})[reference] = index
    return sequences


def _check_task(task: Document, at: Place, scope: Scope) -> None:
    for field in ("inputParameters", "items"):
        check_expressions(task.get(field), at / field, scope)
    param = task.get("subWorkflowParam")
    for key, value in param.items() if isinstance(param, dict) else ():
        # What stands within a definition is about the execution that it defines.
        if not isinstance(value, dict):
            check_expressions(value, at / "subWorkflowParam" / key, scope)
    embedded, name = task.get("taskDefinition"), task.get("name")
    if isinstance(embedded, dict):
        template = at / "taskDefinition" / "inputTemplate"
        check_expressions(embedded.get("inputTemplate"), template, scope)
    elif isinstance(name, str):
        missing = missing_type(task, at)
        place = at / ("type" if missing else "name")
        place.refer("task", name, required=bool(missing), missing=missing)


def _check_inline(task: Document, at: Place) -> None:
    """A workflow within the task is judged as one that is put by itself."""
    param = task.get("subWorkflowParam")
    inline = param.get("workflowDefinition") if isinstance(param, dict) else None
    if not isinstance(param, dict) or not isinstance(inline, dict):
        return
    place = at / "subWorkflowParam" / "workflowDefinition"
    inner = Reading(task_kinds=at.reading.task_kinds)
    read = KIND.record.read(inline, Place(inner))
    KIND.check(read, Place(inner))
    param["workflowDefinition"] = read
    place.reading.take(inner, place.path)


def _refer_failure_workflow(document: Document, at: Place) -> None:
    name, version = document.get("failureWorkflow"), document.get("failureWorkflowVersion")
    # A name that begins with $ is looked up in the input of the execution that failed.
    if isinstance(name, str) and name and not name.startswith("$"):
        pinned = version if isinstance(version, int) and version else None
        (at / "failureWorkflow").refer("workflow", name, pinned)


_RATE_LIMIT = Record(
    "a rate limit",
    (
        Field(
            "rateLimitKey",
            Text(),
            "What is counted apart, with `${workflow…}`; absent: all of the workflow together.",
        ),
        Field(
            "concurrentExecLimit",
            whole(0, _MOST_AT_ONCE),
            "How many run side by side; 0: any number.",
            required=True,
        ),
        Field(
            "policy",
            Choice(("QUEUE", "REJECT")),
            "What becomes of one more: it is accepted and waits, or it is refused.",
            default="QUEUE",
        ),
    ),
)

KIND = Kind(
    name="workflow",
    doc=(
        "Tasks, one after another. A bare Conductor workflow, which has `tasks`, needs no `kind`."
    ),
    record=Record(
        "a workflow",
        (
            Field("name", Name(), "Its name.", required=True),
            Field("version", whole(1), "Its version.", default=1),
            kept("description", Text(), "For people."),
            Field("tasks", ListOf(TASKS.inner, shortest=1), "What it does.", required=True),
            kept("inputParameters", ListOf(Anything()), "Names of its input, for people."),
            Field(
                "outputParameters",
                Object(),
                "Its output, with `${…}`; without, the last task's output.",
                default={},
            ),
            Field(
                "failureWorkflow",
                Text(),
                "Runs when this one failed; a name that begins with `$` is looked up in the input.",
                refers="workflow",
            ),
            Field("failureWorkflowVersion", whole(), "Absent or 0: the latest."),
            Field("schemaVersion", SchemaVersion(), "The version of the format.", default=2),
            Field("restartable", Boolean(), "Whether a completed one can run again.", default=True),
            Field("timeoutSeconds", whole(), "Of the whole; 0: none.", default=0),
            Field(
                "timeoutPolicy",
                Choice(("TIME_OUT_WF", "ALERT_ONLY")),
                "What a time-out does.",
                default="ALERT_ONLY",
            ),
            Field("variables", Object(), "Its variables at the start.", default={}),
            Field(
                "inputTemplate", Object(), "Input that a start lacks, or that is null.", default={}
            ),
            kept("ownerEmail", Text(), "For people."),
            kept("metadata", MapOf(Anything()), "For people."),
            kept("accessPolicy", Anything(), "Accepted."),
            Field(
                "workflowStatusListenerEnabled",
                Boolean(),
                "Tell a listener of its status.",
                default=False,
                status=Status.NO_EFFECT,
            ),
            later("workflowStatusListenerSink", "Where its status is told."),
            Field("rateLimitConfig", _RATE_LIMIT, "How many of its executions run side by side."),
            later(
                "cacheConfig",
                "Keep its output.",
                refusal="is for tasks; a route's cacheConfig keeps its answers",
            ),
            *schema_fields("A start that breaks it is refused.", enforced=True),
            masked_fields("all that it runs"),
            later(
                "onStateChange",
                "Tell of its states.",
                refusal="is not supported; an EVENT task at its end, or a failureWorkflow, tells",
            ),
        ),
        unknown=Unknown.WARN,
        rules=(check_schema_uses(enforced=True),),
    ),
    versioned=True,
    check=_check,
)
