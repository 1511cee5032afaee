"""What each task type takes, and what it refuses with which path."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.errors import InvalidDefinition
from services.registry import references
from services.registry.definitions import Definition, Document, Json, examine, parse
from services.registry.definitions.tasks import TASK_KINDS

TUTORIAL: Document = {
    "name": "LongRunningAPIWorkflow",
    "description": "Starts a long-running job and polls its status until completion",
    "version": 1,
    "schemaVersion": 2,
    "tasks": [
        {
            "name": "startRemoteJob",
            "taskReferenceName": "startRemoteJob",
            "type": "HTTP",
            "inputParameters": {
                "http_request": {
                    "uri": "http://127.0.0.1:8000/api",
                    "method": "POST",
                    "contentType": "application/json",
                    "accept": "application/json",
                    "body": {"message": "Start long-running process"},
                }
            },
        },
        {
            "name": "pollJobStatus",
            "taskReferenceName": "pollJobStatus",
            "type": "HTTP_POLL",
            "inputParameters": {
                "http_request": {
                    "uri": "http://127.0.0.1:8000/api",
                    "method": "GET",
                    "accept": "application/json",
                    "contentType": "application/json",
                    "pollingInterval": "5",
                    "pollingStrategy": "FIXED",
                    "terminationCondition": "(function(){ return "
                    "$.output.response.statusCode == 200; })();",
                }
            },
        },
    ],
}


def task(type_: str, inputs: Json = None, **fields: Json) -> Document:
    inner: Document = {"name": "t", "taskReferenceName": "t", "type": type_, **fields}
    if inputs is not None:
        inner["inputParameters"] = inputs
    return {"name": "w", "tasks": [inner]}


def http(**request: Json) -> Document:
    return {"http_request": {"uri": "http://127.0.0.1:9/", "method": "GET", **request}}


def faults(document: Document) -> list[str]:
    """All of them, where nothing else is defined: what types are missing comes last."""
    examined = examine(document)
    assert examined.draft is not None
    missing = replace(examined.draft, references=tuple(
        each for each in examined.draft.references if each.missing
    ))  # fmt: skip
    found = (*examined.faults, *references.unknown(missing, lambda *_: None))
    assert found
    return [str(fault).removeprefix("tasks[0].") for fault in found]


def accepted(document: Document) -> Definition:
    definition = parse(document)
    assert definition.warnings == ()
    return definition


def warned(document: Document) -> list[str]:
    return [warning.removeprefix("tasks[0].") for warning in parse(document).warnings]


def test_the_tutorials_workflow_is_taken_unchanged_without_a_warning() -> None:
    definition = accepted(TUTORIAL)

    assert json.dumps(definition.document) == json.dumps({"kind": "workflow", **TUTORIAL})
    assert [script.path for script in definition.scripts] == [
        "tasks[1].inputParameters.http_request.terminationCondition"
    ]


def test_neutral_fields_of_other_types_are_taken_as_sdks_send_them() -> None:
    sent: Document = {
        "asyncComplete": False, "optional": False, "startDelay": 0, "decisionCases": {},
        "defaultCase": [], "forkTasks": [], "joinOn": [], "loopOver": [], "rateLimited": None,
        "defaultExclusiveJoinTask": [], "permissive": False, "onStateChange": {},
    }  # fmt: skip

    accepted(task("NOOP", {}, **sent))
    accepted(task("HTTP", http(), **sent))


def test_a_field_of_another_type_is_told() -> None:
    assert warned(task("NOOP", loopCondition="true")) == [
        "loopCondition: is kept, and has no effect on a task of this type"
    ]


def test_a_field_of_conductors_that_would_change_behaviour_is_refused() -> None:
    assert faults(task("NOOP", rateLimited=True, onStateChange={"onStart": []})) == [
        "rateLimited: is not supported yet",
        "onStateChange: is not supported; an EVENT task behind it tells of its end",
    ]


@pytest.mark.parametrize("name", ["workflow", "task", "CPEWF_TASK_ID"])
def test_a_reference_name_with_a_meaning_of_its_own_is_refused(name: str) -> None:
    assert faults(task("NOOP", taskReferenceName=name)) == [
        f"taskReferenceName: '{name}' has a meaning of its own in ${{…}}; take another name"
    ]


@pytest.mark.parametrize("type_", [{}, {"type": None}])
def test_a_task_without_a_type_is_a_worker_s(type_: dict[str, None]) -> None:
    document = task("NOOP")
    document["tasks"] = [{"name": "t", "taskReferenceName": "t", **type_}]

    assert parse(document).document["tasks"] == [
        {"name": "t", "taskReferenceName": "t", "type": "SIMPLE"}
    ]


def test_a_task_of_a_strange_type_is_refused() -> None:
    document = task("NOOP")
    assert isinstance(document["tasks"], list)
    document["tasks"] = [{"taskReferenceName": "t"}, 5, {"type": 5}]

    with pytest.raises(InvalidDefinition) as caught:
        parse(document)

    assert [str(fault) for fault in caught.value.faults] == [
        "tasks[0].name: is required",
        "tasks[1]: must be an object, not 5",
        "tasks[2].type: must be text, not 5",
        "tasks[2].name: is required",
        "tasks[2].taskReferenceName: is required",
    ]


def test_an_embedded_task_definition_is_judged_with_its_path() -> None:
    assert faults(task("NOOP", taskDefinition={"timeoutSeconds": 5, "responseTimeoutSeconds": 6,
                                               "retryLogic": "LINEAR"})) == [
        "taskDefinition.retryLogic: must be one of FIXED, LINEAR_BACKOFF, EXPONENTIAL_BACKOFF, "
        "not 'LINEAR'",
        "taskDefinition.responseTimeoutSeconds: must be at most timeoutSeconds, 5, not 6",
    ]  # fmt: skip
    assert faults(task("NOOP", taskDefinition={"inputTemplate": {"a": "${gone.output}"}})) == [
        "taskDefinition.inputTemplate.a: ${gone.output} names 'gone', which no task of this "
        "workflow provides"
    ]


def test_the_tasks_within_a_type_that_is_not_supported_are_judged_too() -> None:
    inner: Document = {"name": "i", "taskReferenceName": "i", "type": "HTPP"}

    assert faults(task("KAFKA_PUBLISH", forkTasks=[[inner]], joinOn=["i"])) == [
        "type: KAFKA_PUBLISH is not supported: let a worker of yours do it, as a "
        f"SIMPLE task; there are {', '.join(TASK_KINDS)}",
        "forkTasks[0][0].type: there is no task type 'HTPP', and no task definition 'i'; "
        "did you mean 'HTTP'?",
    ]
    assert faults(task("SWTICH", defaultCase=[inner])) == [
        "type: there is no task type 'SWTICH', and no task definition 't'; did you mean 'SWITCH'?",
        "defaultCase[0].type: there is no task type 'HTPP', and no task definition 'i'; "
        "did you mean 'HTTP'?",
    ]


# --- SWITCH


def switch(**fields: Json) -> Document:
    inputs: Document = {"case": "${workflow.input.case}"}
    defaults: Document = {
        "evaluatorType": "value-param", "expression": "case", "decisionCases": {"a": []},
    }  # fmt: skip
    return task("SWITCH", inputs, **{**defaults, **fields})


def test_switch_reads_its_branches_to_the_bottom() -> None:
    bottom: Document = {"name": "x", "taskReferenceName": "t", "type": "NOPE"}
    inner = switch(taskReferenceName="inner", defaultCase=[bottom])["tasks"]

    assert faults(switch(decisionCases={"a b": inner, "": []})) == [
        "decisionCases['a b'][0].defaultCase[0].taskReferenceName: 't' is the name of tasks[0] "
        "already",
        "decisionCases['a b'][0].defaultCase[0].type: there is no task type 'NOPE', and no task "
        "definition 'x'; did you mean 'NOOP'?",
    ]


def test_switch_needs_its_fields() -> None:
    assert faults(task("SWITCH")) == [
        "evaluatorType: is required",
        "expression: is required",
        "decisionCases: is required",
    ]
    assert faults(switch(decisionCases={})) == ["decisionCases: must not be empty"]


def test_switch_by_value_needs_the_parameter_it_names() -> None:
    assert faults(switch(expression="csae")) == [
        "expression: 'csae' is not in inputParameters; did you mean 'case'?"
    ]
    accepted(switch(expression="x", taskDefinition={"inputTemplate": {"x": 1}}))


def test_dynamic_needs_the_parameter_it_names() -> None:
    lacking = "dynamicTaskNameParam: 'which' is not in inputParameters"
    assert faults(task("DYNAMIC", dynamicTaskNameParam="which")) == [lacking]
    assert faults(task("DYNAMIC", {"wihch": "NOOP"}, dynamicTaskNameParam="which")) == [
        f"{lacking}; did you mean 'wihch'?"
    ]
    template: Json = {"inputTemplate": {"which": "NOOP"}}
    accepted(task("DYNAMIC", dynamicTaskNameParam="which", taskDefinition=template))


def test_switch_by_script_hands_its_script_over() -> None:
    definition = accepted(switch(evaluatorType="graaljs", expression="`${$.case}`"))

    assert [(s.path, s.source) for s in definition.scripts] == [
        ("tasks[0].expression", "`${$.case}`")
    ]


def test_python_is_refused() -> None:
    assert faults(switch(evaluatorType="python")) == [
        "evaluatorType: python is not supported; take one of javascript, graaljs, value-param"
    ]


# --- the others


def test_inline_takes_its_script_from_the_input_or_from_the_task() -> None:
    new = accepted(task("INLINE", {"expression": "1 + 1", "evaluatorType": "graaljs"}))
    old = accepted(task("INLINE", {"a": 1}, expression="$.a", evaluatorType="javascript"))

    assert new.scripts[0].path == "tasks[0].inputParameters.expression"
    assert old.scripts[0].path == "tasks[0].expression"
    accepted(task("INLINE", {"a": 1, "expression": "a", "evaluatorType": "value-param"}))
    assert faults(task("INLINE")) == ["inputParameters.expression: is required"]
    assert faults(task("INLINE", {"expression": "b", "evaluatorType": "value-param"})) == [
        "inputParameters.expression: 'b' is not in inputParameters"
    ]


def test_jq_hands_its_program_over() -> None:
    definition = accepted(task("JSON_JQ_TRANSFORM", {"queryExpression": ".a", "a": 1}))

    assert [(s.path, s.source, s.language) for s in definition.scripts] == [
        ("tasks[0].inputParameters.queryExpression", ".a", "jq")
    ]
    assert accepted(task("JSON_JQ_TRANSFORM", {"queryExpression": "${workflow.input.q}"}))
    assert faults(task("JSON_JQ_TRANSFORM")) == ["inputParameters.queryExpression: is required"]
    assert faults(task("JSON_JQ_TRANSFORM", {"queryExpression": 1})) == [
        "inputParameters.queryExpression: must be text, not 1"
    ]


def test_terminate_needs_a_status_and_is_never_optional() -> None:
    accepted(task("TERMINATE", {"terminationStatus": "${workflow.input.s}", "workflowOutput": [1]}))
    assert faults(task("TERMINATE", {}, optional=True)) == [
        "inputParameters.terminationStatus: is required",
        "optional: a TERMINATE task cannot be optional",
    ]
    assert faults(task("TERMINATE", {"terminationStatus": "PAUSED"})) == [
        "inputParameters.terminationStatus: must be one of COMPLETED, FAILED, TERMINATED, "
        "not 'PAUSED'"
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"duration": "2 days 3 hours 5 minutes 10 seconds"},
        {"duration": "1D2h 3MIN 4s"},
        {"duration": "90s", "until": ""},
        {"duration": "${workflow.input.wait}"},
        {"until": "2027-01-31"},
        {"until": "2027-01-31 18:00"},
        {"until": "2027-01-31 18:00 Europe/Berlin"},
        {"until": "2027-01-31 18:00 GMT+02:00"},
    ],
)
def test_wait_takes(inputs: Document) -> None:
    accepted(task("WAIT", inputs))


@pytest.mark.parametrize(
    "inputs",
    [
        {"duration": "soon"},
        {"duration": "5"},
        {"duration": 5},
        {"duration": "5s 2h"},
        {"duration": " "},
        {"duration": "1h" + " " * 100_000 + "x"},
        {"duration": "1h" + " " * 200},
        {"until": "2027-01-31 18:00 America"},
        {"until": "2027-01-31 18:00 Nowhere/Land"},
        {"until": "2027-01-31 18:00 " + "A" * 300},
        {"duration": "5 s 5 s"},
        {"until": "tomorrow"},
        {"until": "2027-02-30"},
        {"until": "2027-01-31 25:00"},
        {"until": "2027-01-31T18:00:00Z"},
        {"duration": "5s", "until": "2027-01-31"},
        {"duration": "5s", "yield": True},
    ],
)
def test_wait_refuses(inputs: Document) -> None:
    assert len(faults(task("WAIT", inputs))) == 1


def test_set_variable_takes_any_key() -> None:
    accepted(task("SET_VARIABLE", {"a b": "${workflow.input.x}", "uri": None}))


def test_the_examples_are_definitions_without_a_warning() -> None:
    tutorial = Path(__file__).parents[3] / "examples" / "tutorial.json"

    accepted(json.loads(tutorial.read_text(encoding="utf-8")))


def test_outputs_are_kept_of_what_gives_one() -> None:
    kept: Json = {"key": "${uri}", "ttlInSecond": 60}
    accepted(task("INLINE", {"expression": "1", "uri": "x"}, cacheConfig=kept))
    assert faults(task("WAIT", cacheConfig=kept)) == [
        "cacheConfig: is not for WAIT, which gives no value"
    ]
    assert faults(task("INLINE", {"expression": "1"}, cacheConfig={"ttlInSecond": 0})) == [
        "cacheConfig.ttlInSecond: must be at least 1, not 0",
        "cacheConfig.key: is required",
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("${idd}-${id}-$x", ["'idd' is not in inputParameters, of which it names fields"]),
        (
            "${workflow.input.id}",
            ["'workflow' is not in inputParameters, of which it names fields"],
        ),
        ("${id.of}-plain", []),
        ("plain", []),
    ],
)
def test_a_key_of_what_is_not_there_is_told(key: str, said: list[str]) -> None:
    inline: Json = {"expression": "1", "id": "${workflow.input.id}"}
    found = warned(task("INLINE", inline, cacheConfig={"key": key, "ttlInSecond": 60}))

    assert [each.partition(": ")[2].partition(";")[0] for each in found] == said
