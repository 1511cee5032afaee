"""Schedules: what their documents may say."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Document, Json, Reference, parse


def schedule(**fields: Json) -> Document:
    return {
        "kind": "schedule",
        "name": "nightly",
        "cronExpression": "0 0 2 * * ?",
        "startWorkflowRequest": {"name": "report", "version": 3},
        **fields,
    }


def faults(document: Document) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document)
    return [str(fault) for fault in caught.value.faults]


def test_a_schedule_refers_to_its_workflow() -> None:
    definition = parse(schedule(zoneId="Europe/Berlin", overlapPolicy="SKIP"))

    assert definition.warnings == ()
    assert definition.references == (
        Reference("workflow", "report", 3, "startWorkflowRequest.name"),
    )


def test_conductors_own_fields_are_taken() -> None:
    definition = parse(
        schedule(
            paused=False,
            pausedReason="",
            runCatchupScheduleInstances=True,
            scheduleStartTime=1767225600000,
            scheduleEndTime=0,
            createTime=1,
            updatedBy="ada",
            startWorkflowRequest={
                "name": "report", "input": {"a": 1}, "correlationId": "c", "priority": 3,
                "taskToDomain": {}, "idempotencyStrategy": "FAIL",
            },
        )
    )  # fmt: skip

    assert definition.warnings == ()
    assert "createTime" not in definition.document


def test_several_expressions_stand_instead_of_one() -> None:
    several: Json = [{"cronExpression": "0 0 2 * * ?", "zoneId": "CET"}]

    assert faults(schedule(cronSchedules=several)) == [
        "cronSchedules: stands beside cronExpression; give one of them"
    ]
    assert faults({"kind": "schedule", "name": "a", "startWorkflowRequest": {"name": "w"}}) == [
        "cronExpression: is required, unless there are cronSchedules"
    ]
    assert faults(schedule(cronExpression=None, cronSchedules=several * 17)) == [  # type: ignore[operator]
        "cronSchedules: has more than 16"
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cronExpression": "every day"}, "cronExpression: must have six fields"),
        ({"cronExpression": "0 0 0 30 2 *"}, "cronExpression: never comes"),
        ({"cronExpression": 5}, "cronExpression: must be a cron expression, not 5"),
        ({"zoneId": "Mars/Base"}, "zoneId: there is no time zone 'Mars/Base'"),
        ({"overlapPolicy": "FORBID"}, "overlapPolicy: must be one of ALLOW, SKIP, TERMINATE_OTHER"),
        ({"catchupWindowSeconds": 5}, "catchupWindowSeconds: must be at least 60"),
        ({"startWorkflowRequest": {}}, "startWorkflowRequest.name: is required"),
        ({"startWorkflowRequest": None}, "startWorkflowRequest: is required"),
        (
            {"startWorkflowRequest": {"name": "w", "workflowDef": {"name": "x"}}},
            "startWorkflowRequest.workflowDef: is not supported here",
        ),
        (
            {"scheduleStartTime": 5, "scheduleEndTime": 5},
            "scheduleEndTime: must be later than scheduleStartTime",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_path(fields: Document, said: str) -> None:
    (fault,) = faults(schedule(**fields))
    assert fault.startswith(said)
