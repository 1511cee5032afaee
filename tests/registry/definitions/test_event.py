"""Event handlers and EVENT tasks: what their documents may say."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Document, Json, parse

START: Json = {"action": "start_workflow", "start_workflow": {"name": "${next}", "input": {}}}


def handler(*actions: Json, **fields: Json) -> Document:
    return {
        "kind": "event",
        "name": "h",
        "event": "conductor:order:paid",
        "actions": list(actions) or [START],
        **fields,
    }


def faults(document: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document)
    return [str(fault) for fault in caught.value.faults]


def test_a_handler_refers_to_what_it_starts_and_listens_to() -> None:
    fixed: Json = {"action": "start_workflow", "start_workflow": {"name": "ship", "version": 2}}
    definition = parse(handler(fixed, START, event="webhook:shop", condition="$.total > 5"))

    assert definition.warnings == ()
    assert [(each.kind, each.name, each.version) for each in definition.references] == [
        ("workflow", "ship", 2), ("webhook", "shop", None),
    ]  # fmt: skip
    assert [script.source for script in definition.scripts] == ["$.total > 5"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (handler(event="sqs:queue"), "event: 'sqs:queue' is not supported: events are conductor"),
        (handler(event="conductor:order"), "event: must name a workflow and what it tells"),
        (handler(event="webhook:"), "event: must name a webhook"),
        (handler(actions=[]), "actions: must not be empty"),
        (handler(actions=[START] * 65), "actions: has more than 64"),
        (handler({"action": "start_agent"}), "actions[0].action: start_agent is not supported yet"),
        (handler({"action": "fail_task"}), "actions[0].fail_task: is required by the action"),
        (
            handler({"action": "complete_task", "complete_task": {"workflowId": "${id}"}}),
            "actions[0].complete_task.taskRefName: is required, unless there is a taskId",
        ),
        (
            handler({"action": "terminate_workflow", "terminate_workflow": {"reason": "x"}}),
            "actions[0].terminate_workflow.workflowId: is required",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(document: Document, said: str) -> None:
    assert faults(document)[0].startswith(said)


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (None, "tasks[0].sink: is required"),
        ("kafka:topic", "tasks[0].sink: 'kafka:topic' is not supported: sinks are conductor and"),
        ("conductor:", "tasks[0].sink: must name something after conductor:"),
    ],
)
def test_sinks_that_there_are_none_of_are_refused_by_name(sink: Json, said: str) -> None:
    task: Json = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": sink}
    assert faults({"name": "w", "tasks": [task]})[0].startswith(said)


@pytest.mark.parametrize("sink", ["conductor", "conductor:paid", "${workflow.input.sink}"])
def test_sinks_within_podium_are_taken(sink: Json) -> None:
    task: Json = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": sink}
    parse({"name": "w", "tasks": [task]})
