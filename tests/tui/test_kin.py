"""Which executions belong together, by their documents."""

from __future__ import annotations

from tui.views.kin import children_of, parent_of, started_by

_DOCUMENT = {
    "parentWorkflowId": "above",
    "tasks": [
        {"taskId": "1", "referenceTaskName": "sub", "taskType": "SUB_WORKFLOW",
         "outputData": {"subWorkflowId": "below"}},
        {"taskId": "2", "referenceTaskName": "begun", "taskType": "START_WORKFLOW",
         "outputData": {"workflowId": "beside"}},
        # What a worker gives is its own: no execution of that id need be there.
        {"taskId": "3", "referenceTaskName": "work", "taskType": "SIMPLE",
         "outputData": {"workflowId": "a word", "subWorkflowId": "another"}},
        {"taskId": "4", "referenceTaskName": "not-yet", "taskType": "SUB_WORKFLOW"},
        {"taskId": "5", "taskType": "SUB_WORKFLOW", "outputData": {"subWorkflowId": 5}},
        "no task",
    ],
}  # fmt: skip


def test_a_document_tells_its_parent_and_what_its_tasks_have_started() -> None:
    assert parent_of(_DOCUMENT) == "above"
    assert children_of(_DOCUMENT) == [("sub", "below"), ("begun", "beside")]
    assert [started_by(_DOCUMENT, id_) for id_ in ("1", "2", "3", "4", "5", "")] == [
        "below", "beside", "", "", "", "",
    ]  # fmt: skip


def test_what_is_not_known_has_no_kin() -> None:
    assert parent_of(None) == parent_of({}) == started_by(None, "1") == ""
    assert children_of(None) == children_of({"tasks": 3}) == []
