"""What may stand where in a document, by the manual that the registry tells."""

from __future__ import annotations

from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.registry import manual
from tui.views.json_paths import Path, read_path
from tui.views.manual import Manual

MANUAL = Manual.of(manual.answer((), with_schemas=False))
WORKFLOW: dict[str, Any] = {
    "name": "w",
    "tasks": [
        {"type": "HTTP", "inputParameters": {"http_request": {}}},
        {
            "type": "SWITCH",
            "decisionCases": {"a": [{"type": "HTTP_POLL"}]},
            "defaultCase": [{"type": "WAIT"}],
        },
        {"type": "NOTHING"},
        "no task",
    ],
}


def path(text: str) -> Path:
    found = read_path(text)
    assert found is not None
    return found


def names(kind: str, text: str, document: Any = None) -> set[str]:
    return {field.name for field in MANUAL.fields(kind, path(text), document)}


@pytest.mark.parametrize(
    ("at", "some"),
    [
        ("", {"name", "version", "tasks"}),
        ("tasks[0]", {"type", "taskReferenceName", "asyncComplete"}),
        ("tasks[0].inputParameters", {"http_request", "uri", "method"}),
        ("tasks[0].inputParameters.http_request", {"uri", "headers"}),
        ("tasks[1]", {"decisionCases", "defaultCase", "evaluatorType"}),
        ("tasks[1].decisionCases.a[0].inputParameters", {"terminationCondition"}),
        ("tasks[1].decisionCases.b[0]", {"type", "taskReferenceName"}),
        ("tasks[1].defaultCase[0].inputParameters", {"duration", "until"}),
        ("tasks[2]", {"type"}),
        ("tasks[3]", {"type"}),
        ("tasks[9]", {"type"}),
        ("tasks[0].taskDefinition", {"retryCount"}),
    ],
)
def test_a_task_may_have_the_fields_of_its_type(at: str, some: set[str]) -> None:
    assert some <= names("workflow", at, WORKFLOW)


def test_a_task_has_no_fields_of_another_type() -> None:
    assert "decisionCases" not in names("workflow", "tasks[0]", WORKFLOW)
    assert "http_request" not in names("workflow", "tasks[1].inputParameters", WORKFLOW)


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("workflow", "variables"),
        ("workflow", "tasks"),
        ("workflow", "nothing.at.all"),
        ("workflow", "name.x"),
        ("service", "routes[0].inputSchema"),
        ("nobody", ""),
    ],
)
def test_where_keys_are_the_authors_own_there_are_no_fields(kind: str, at: str) -> None:
    assert names(kind, at, WORKFLOW) == set()


def test_the_types_of_tasks_are_choices() -> None:
    field = MANUAL.field("workflow", path("tasks[2].type"), WORKFLOW)

    assert field is not None
    assert {"HTTP", "HTTP_POLL", "SWITCH"} <= set(field.value.choices)


def test_a_field_is_found_within_lists_objects_and_one_of_several_types() -> None:
    workflow = MANUAL.field("service", path("routes[3].mappedWorkflow.name"))
    key = MANUAL.field("auth", path("apiKeys[0].expiresAt"))

    assert workflow is not None
    assert workflow.refers_to == "workflow"
    assert key is not None
    assert key.value.form == pb.VALUE_FORM_ONE_OF


def test_what_an_item_may_be_is_told() -> None:
    value = MANUAL.value("application", path("roles[0]"))

    assert value is not None
    assert "ADMIN" in value.choices
    assert MANUAL.field("application", path("roles[0]")) is None
