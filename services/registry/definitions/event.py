"""Event handlers: what is done when something has happened."""

from __future__ import annotations

from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Unknown, kept, later
from services.registry.definitions.starts import REQUEST as START
from services.registry.definitions.values import (
    Anything,
    Boolean,
    Choice,
    Code,
    ListOf,
    Name,
    Object,
    Text,
)

ACTIONS = (
    "start_workflow", "complete_task", "fail_task", "terminate_workflow",
    "update_workflow_variables",
)  # fmt: skip
MOST_ACTIONS = 64
SOURCES = ("conductor", "webhook")


class EventName:
    """What has happened: ``conductor:<workflow>:<task or name>`` or ``webhook:<name>``."""

    def check(self, value: Json, at: Place) -> Json:
        Name().check(value, at)
        if not isinstance(value, str):
            return value
        source, _, rest = value.partition(":")
        if source not in SOURCES:
            at.fault(
                f"{shown(value)} is not supported: events are conductor:WORKFLOW:NAME and "
                "webhook:NAME"
            )
        elif source == "conductor" and not all(rest.partition(":")[::2]):
            at.fault("must name a workflow and what it tells: conductor:WORKFLOW:NAME")
        elif not rest:
            at.fault("must name a webhook: webhook:NAME")
        return value

    def says(self) -> str:
        return "conductor:WORKFLOW:NAME or webhook:NAME"

    def schema(self) -> Document:
        return {"type": "string", "pattern": "^(conductor:[^:]+:.+|webhook:.+)$"}


def _which_task(action: Document, at: Place) -> None:
    if not action.get("taskRefName") and not action.get("taskId"):
        (at / "taskRefName").fault("is required, unless there is a taskId")


_TASK = Record(
    "an end of a task",
    (
        Field("workflowId", Text(), "The execution that has the task.", required=True),
        Field("taskRefName", Text(), "The task by its reference name: the latest attempt."),
        Field("taskId", Text(), "The task by its id; wins."),
        Field("output", Object(), "What its output gets besides."),
        Field("reasonForIncompletion", Text(), "Why it failed."),
    ),
    unknown=Unknown.WARN,
    templated=True,
    rules=(_which_task,),
)
_TERMINATE = Record(
    "an end of an execution",
    (
        Field("workflowId", Text(), "The execution.", required=True),
        Field("terminationReason", Text(), "Why."),
    ),
    unknown=Unknown.WARN,
    templated=True,
)
_VARIABLES = Record(
    "a change of variables",
    (
        Field("workflowId", Text(), "The execution.", required=True),
        Field("variables", Object(), "Their new values, by name.", required=True),
        later("appendArray", "Append to lists."),
    ),
    unknown=Unknown.WARN,
    templated=True,
)
_START = Record("a start", START.fields, unknown=Unknown.WARN, templated=True, rules=START.rules)


def _has_its_object(action: Document, at: Place) -> None:
    name = action.get("action")
    if isinstance(name, str) and name in ACTIONS and not action.get(name):
        (at / name).fault(f"is required by the action {name}")


_ACTION = Record(
    "an action",
    (
        Field("action", Choice(ACTIONS, later=("start_agent",)), "What is done.", required=True),
        Field("start_workflow", _START, "Of that action: what is started."),
        Field("complete_task", _TASK, "Of that action: which task."),
        Field("fail_task", _TASK, "Of that action: which task."),
        Field("terminate_workflow", _TERMINATE, "Of that action: which execution."),
        Field("update_workflow_variables", _VARIABLES, "Of that action: which variables."),
        later("expandInlineJSON", "Read text of the payload that is JSON."),
    ),
    rules=(_has_its_object,),
)


def _check(handler: Document, at: Place) -> None:
    condition, actions = handler.get("condition"), handler.get("actions")
    if isinstance(condition, str) and condition.strip():
        (at / "condition").script(condition)
    if isinstance(actions, list) and len(actions) > MOST_ACTIONS:
        (at / "actions").fault(f"has more than {MOST_ACTIONS}")
    event = handler.get("event")
    if isinstance(event, str) and event.startswith("webhook:"):
        (at / "event").refer("webhook", event.removeprefix("webhook:"), required=False)


KIND = Kind(
    name="event",
    doc=(
        "An event handler: what is done when an EVENT task, or a request to a webhook, tells of "
        "something. `${…}` in its actions names what the event tells."
    ),
    record=Record(
        "an event handler",
        (
            Field("name", Name(), "Its name.", required=True),
            Field(
                "event",
                EventName(),
                "Which event: `conductor:WORKFLOW:REF` of a task with the sink `conductor`, "
                "`conductor:WORKFLOW:NAME` of one with `conductor:NAME`, or `webhook:NAME`.",
                required=True,
            ),
            Field(
                "condition",
                Code(longest=65_536),
                "JavaScript; `$` is what the event tells. Where it is not true, nothing is done.",
            ),
            Field("evaluatorType", Choice(("javascript", "graaljs")), "Of the condition.",
                  default="javascript"),
            Field("actions", ListOf(_ACTION, shortest=1), "What is done, each in its turn.",
                  required=True),
            Field("active", Boolean(), "Whether it does anything.", default=False),
            kept("description", Text(), "For people."),
            kept("metadata", Anything(), "For people."),
        ),
    ),
    check=_check,
)  # fmt: skip
