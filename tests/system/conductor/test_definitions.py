"""Definitions by Conductor's Python client: of every kind that it has."""

from __future__ import annotations

import json

import pytest
from conductor.client.http.models import (
    Action,
    EventHandler,
    SaveScheduleRequest,
    SchemaDef,
    StartWorkflow,
    StartWorkflowRequest,
    TaskDef,
)
from conductor.client.http.rest import AuthorizationException
from conductor.client.orkes.models.metadata_tag import MetadataTag
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.event_task import ConductorEventTask
from conductor.client.workflow.task.wait_task import WaitTask

from tests.system.conductor.world import Conductor, refused
from tests.system.running import until

# Definitions


def test_a_workflow_is_registered_read_and_replaced(conductor: Conductor) -> None:
    metadata = conductor.metadata
    definition = conductor.waiting("py_defined").to_workflow_def()
    with refused(409):
        metadata.register_workflow_def(definition, overwrite=False)
    definition.description = "second"
    metadata.register_workflow_def(definition, overwrite=True)
    definition.version = 2
    metadata.update_workflow_def(definition, overwrite=True)

    read = metadata.get_workflow_def("py_defined", version=1)
    assert (read.description, read.tasks[0].type) == ("second", "WAIT")
    assert metadata.get_workflow_def("py_defined").version == 2
    assert "py_defined" in [each.name for each in metadata.get_all_workflow_defs()]
    metadata.unregister_workflow_def("py_defined", 1)
    with refused(404):
        metadata.get_workflow_def("py_defined", version=1)


def test_what_is_wrong_with_a_definition_is_told(conductor: Conductor) -> None:
    flow = ConductorWorkflow(conductor.executor, "py_wrong", 1).timeout_seconds(0)
    flow.add(WaitTask("twice")).add(WaitTask("twice"))
    with refused(400) as caught:
        flow.register(overwrite=True)

    told = json.loads(caught.value.body)
    assert "twice" in caught.value.message
    assert (told["status"], told["retryable"]) == (400, False)
    assert told["validationErrors"][0]["path"]


def test_a_task_definition_is_registered_read_and_replaced(conductor: Conductor) -> None:
    metadata = conductor.metadata
    with refused(404):
        metadata.update_task_def(TaskDef(name="py_task", retry_count=1))
    metadata.register_task_def(TaskDef(name="py_task", retry_count=1))
    metadata.update_task_def(TaskDef(name="py_task", retry_count=5))

    assert metadata.get_task_def("py_task").retry_count == 5
    assert "py_task" in [each.name for each in metadata.get_all_task_defs()]
    metadata.unregister_task_def("py_task")
    with refused(404):
        metadata.get_task_def("py_task")


def test_definitions_have_tags(conductor: Conductor) -> None:
    metadata = conductor.metadata
    conductor.waiting("py_tagged")
    metadata.add_workflow_tag(MetadataTag("team", "red"), "py_tagged")
    metadata.add_workflow_tag(MetadataTag("since", "May"), "py_tagged")

    def tags() -> list[tuple[str, str]]:
        return sorted((tag.key, tag.value) for tag in metadata.get_workflow_tags("py_tagged"))

    assert tags() == [("since", "May"), ("team", "red")]
    metadata.delete_workflow_tag(MetadataTag("since", "May"), "py_tagged")
    assert tags() == [("team", "red")]
    metadata.set_workflow_tags([MetadataTag("team", "blue")], "py_tagged")
    assert tags() == [("team", "blue")]
    metadata.addTaskTag(MetadataTag("team", "red"), "py_greet")
    assert [(tag.key, tag.value) for tag in metadata.getTaskTags("py_greet")] == [("team", "red")]
    metadata.deleteTaskTag(MetadataTag("team", "red"), "py_greet")
    assert metadata.getTaskTags("py_greet") == []


def test_workflows_have_limits(conductor: Conductor) -> None:
    metadata = conductor.metadata
    conductor.waiting("py_limited")
    metadata.setWorkflowRateLimit(7, "py_limited")

    assert metadata.getWorkflowRateLimit("py_limited") == 7
    assert metadata.get_workflow_def("py_limited").rate_limit_config.concurrent_exec_limit == 7
    metadata.removeWorkflowRateLimit("py_limited")
    assert metadata.getWorkflowRateLimit("py_limited") is None


def test_schemas_and_secrets_are_kept(conductor: Conductor) -> None:
    schemas, secrets = conductor.clients.get_schema_client(), conductor.clients.get_secret_client()
    data = {"type": "object", "properties": {"n": {"type": "integer"}}}
    schemas.register_schema(SchemaDef(name="py_schema", version=1, type="JSON", data=data))
    secrets.put_secret("PY_SECRET", "hush")

    assert schemas.get_schema("py_schema", 1).data == data
    assert "py_schema" in [each.name for each in schemas.get_all_schemas()]
    schemas.register_schema(SchemaDef(name="py_schema", version=2, type="JSON", data=data))
    schemas.delete_schema("py_schema", 1)
    with refused(404):
        schemas.get_schema("py_schema", 1)
    schemas.delete_schema_by_name("py_schema")
    with refused(404):
        schemas.get_schema("py_schema", 2)
    assert "PY_SECRET" in secrets.list_all_secret_names()
    assert "PY_SECRET" in secrets.list_secrets_that_user_can_grant_access_to()
    assert secrets.secret_exists("PY_SECRET")
    with pytest.raises(AuthorizationException, match="told to nobody"):
        secrets.get_secret("PY_SECRET")
    secrets.set_secret_tags([MetadataTag("team", "red")], "PY_SECRET")
    assert [tag.value for tag in secrets.get_secret_tags("PY_SECRET")] == ["red"]
    secrets.delete_secret("PY_SECRET")
    assert "PY_SECRET" not in secrets.list_all_secret_names()


# Schedules and events


def test_schedules_are_kept_and_paused(conductor: Conductor) -> None:
    schedules = conductor.clients.get_scheduler_client()
    conductor.waiting("py_scheduled")
    start = StartWorkflowRequest(name="py_scheduled", version=1, input={})
    schedules.save_schedule(SaveScheduleRequest("py_daily", "0 0 6 * * ?",
                                                start_workflow_request=start))  # fmt: skip

    assert schedules.get_schedule("py_daily").cron_expression == "0 0 6 * * ?"
    assert "py_daily" in [each.name for each in schedules.get_all_schedules("py_scheduled")]
    assert len(schedules.get_next_few_schedule_execution_times("0 0 6 * * ?", limit=3)) == 3
    schedules.pause_schedule("py_daily")
    assert schedules.get_schedule("py_daily").paused
    schedules.resume_schedule("py_daily")
    assert not schedules.get_schedule("py_daily").paused
    schedules.set_scheduler_tags([MetadataTag("team", "red")], "py_daily")
    assert [tag.value for tag in schedules.get_scheduler_tags("py_daily")] == ["red"]
    schedules.search_schedule_executions(0, 10, query="scheduleName IN (py_daily)")
    schedules.delete_schedule("py_daily")
    assert schedules.get_schedule("py_daily") is None


def test_event_handlers_start_workflows(conductor: Conductor) -> None:
    conductor.waiting("py_told")
    telling = ConductorWorkflow(conductor.executor, "py_telling", 1).timeout_seconds(0)
    telling.add(ConductorEventTask("tell", "py_news")).register(overwrite=True)
    event = "conductor:py_telling:py_news"
    start = Action("start_workflow", StartWorkflow("py_told", 1, input={"heard": True}))
    conductor.events.add_event_handler([EventHandler("py_hears", event, "true", [start], True)])
    told = [each.name for each in conductor.events.get_event_handlers_for_event(event)]
    assert told == ["py_hears"]
    listed = [each.name for each in conductor.events.get_event_handlers()]
    assert "py_hears" in listed
    conductor.start("py_telling")

    query = "workflowType = py_told"
    until(lambda: conductor.workflows.search(query=query).results, 20, "it is heard of")
    conductor.events.remove_event_handler_status("py_hears")
    assert conductor.events.get_event_handlers_for_event(event) == []
