"""How any document is read: its kind, its identity, all of its faults."""

from __future__ import annotations

import pytest

from services.errors import InvalidDefinition
from services.registry.definitions import Document, Json, parse
from services.registry.definitions.tasks import TASK_KINDS
from services.registry.writeonly import readable


def faults(document: Json, kind: str | None = None) -> list[str]:
    with pytest.raises(InvalidDefinition) as caught:
        parse(document, kind)
    return [str(fault) for fault in caught.value.faults]


NOOP: Document = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}


def test_ten_faults_are_all_told_with_their_paths() -> None:
    document: Document = {
        "version": 0,
        "schemaVersion": 1,
        "timeoutPolicy": "ALERT_ONY",
        "tasks": [
            {"name": "a", "taskReferenceName": "a", "type": "HTPP"},
            {"name": "b", "taskReferenceName": "a", "type": "KAFKA_PUBLISH"},
            {
                "name": "c",
                "taskReferenceName": "c__1",
                "type": "HTTP",
                "inputParameters": {"http_request": {"method": "GTE", "body": "${nope.output}"}},
            },
        ],
        "outputParameters": {"x": [{"y": "${gone.output}"}]},
    }

    assert faults(document) == [
        "version: must be at least 1, not 0",
        "schemaVersion: must be 2, not 1",
        "timeoutPolicy: must be one of TIME_OUT_WF, ALERT_ONLY, not 'ALERT_ONY'; "
        "did you mean 'ALERT_ONLY'?",
        "tasks[1].type: KAFKA_PUBLISH is not supported: let a worker of yours do it, as a "
        f"SIMPLE task; there are {', '.join(TASK_KINDS)}",
        "tasks[2].taskReferenceName: must not hold '__', which numbers the tasks of a loop",
        "tasks[2].inputParameters.http_request.method: must be one of GET, HEAD, POST, PUT, PATCH, "
        "DELETE, OPTIONS, TRACE, not 'GTE'",
        "tasks[2].inputParameters.http_request.uri: is required",
        "name: is required",
        "tasks[1].taskReferenceName: 'a' is the name of tasks[0] already",
        "tasks[2].inputParameters.http_request.body: ${nope.output} names 'nope', which no task of "
        "this workflow provides",
        "outputParameters.x[0].y: ${gone.output} names 'gone', which no task of this workflow "
        "provides",
    ]


def test_the_sentence_of_a_refusal_counts_the_faults() -> None:
    with pytest.raises(
        InvalidDefinition, match=r"^The secret 'a' has a fault: value: must be text"
    ):
        parse({"kind": "secret", "name": "a", "value": 5})
    with pytest.raises(InvalidDefinition, match=r"^The task has 2 faults; the first: retryCount"):
        parse({"kind": "task", "retryCount": -1})


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (None, "must be an object, not null"),
        ([], "must be an object, not a list"),
        ("x", "must be an object, not 'x'"),
        ({}, "kind: is required: one of workflow, task, schema, application, auth, service, "
             "secret, schedule, event, webhook"),
        ({"name": "t", "retryCount": 3},
         "kind: is required: one of workflow, task, schema, application, auth, service, secret, "
         "schedule, event, webhook; a task definition as Conductor exports it gets kind: task, or "
         "is sent as it is to POST /api/metadata/taskdefs"),
        ({"kind": 5}, "kind: must be one of workflow, task, schema, application, auth, service, "
                      "secret, schedule, event, webhook, not 5"),
        ({"kind": "sevice"}, "kind: must be one of workflow, task, schema, application, auth, "
                             "service, secret, schedule, event, webhook, not 'sevice'; "
                             "did you mean 'service'?"),
    ],
)  # fmt: skip
def test_what_is_no_document_of_a_kind_is_refused(document: Json, fault: str) -> None:
    assert faults(document) == [fault]


def test_a_bare_workflow_needs_no_kind_and_gets_one() -> None:
    definition = parse({"name": "w", "tasks": [NOOP], "ownerEmail": "a@b.example"})

    assert (definition.kind, definition.name, definition.version) == ("workflow", "w", 1)
    assert list(definition.document) == ["kind", "name", "version", "tasks", "ownerEmail"]


def test_a_caller_may_say_the_kind_of_a_bare_document() -> None:
    assert parse({"name": "t"}, kind="task").kind == "task"
    assert faults({"kind": "secret", "name": "t"}, kind="task") == [
        "kind: must be task, not secret"
    ]


def test_what_servers_write_and_nulls_are_dropped() -> None:
    definition = parse(
        {"name": "w", "createTime": 1, "updatedBy": "x", "tasks": [{**NOOP, "createTime": 1}],
         "description": None, "orgId": "o", "timeoutSeconds": "30"}
    )  # fmt: skip

    assert definition.document == {
        "kind": "workflow", "name": "w", "version": 1, "tasks": [NOOP], "timeoutSeconds": 30,
    }  # fmt: skip
    assert definition.warnings == ()


def test_an_unknown_field_is_a_fault_in_our_kinds_and_a_warning_in_conductors() -> None:
    assert faults({"kind": "application", "id": "a", "rolse": []}) == [
        "rolse: is no field of an application; did you mean 'roles'?"
    ]

    definition = parse({"name": "w", "tasks": [NOOP], "timeoutSecond": 5})

    assert definition.document["timeoutSecond"] == 5
    assert definition.warnings == (
        "timeoutSecond: is no field of a workflow: kept and ignored; "
        "did you mean 'timeoutSeconds'?",
    )


def test_a_field_that_is_not_supported_yet_is_refused_unless_it_is_neutral() -> None:
    workflow: Document = {"name": "w", "tasks": [NOOP]}

    for name, refusal in (
        ("workflowStatusListenerSink", "is not supported yet"),
        ("cacheConfig", "is for tasks; a route's cacheConfig keeps its answers"),
    ):
        neutrals: list[Json] = [None, False, 0, "", [], {}]
        for neutral in neutrals:
            assert parse({**workflow, name: neutral}).warnings == ()
        assert faults({**workflow, name: {"x": 1}}) == [f"{name}: {refusal}"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_without_a_place_in_json_are_refused(bad: float) -> None:
    assert faults({"kind": "task", "name": "t", "inputTemplate": {"a": [bad]}}) == [
        "inputTemplate.a[0]: must be a finite number"
    ]


def test_text_that_cannot_be_stored_is_refused() -> None:
    assert faults({"kind": "task", "name": "t", "description": "\x00", "ownerEmail": "\ud800"}) == [
        "description: must not hold U+0000 or a lone surrogate",
        "ownerEmail: must not hold U+0000 or a lone surrogate",
    ]
    assert faults({"kind": "task", "name": "t", "inputTemplate": {"a\x00": 1}}) == [
        "inputTemplate: has a key with U+0000 or a lone surrogate"
    ]


def test_a_document_nested_too_deeply_is_refused() -> None:
    deep: Json = 1
    for _ in range(5000):
        deep = [deep]

    (fault,) = faults({"kind": "task", "name": "t", "inputTemplate": {"a": deep}})

    assert fault.endswith("is nested deeper than 100 levels")


def test_a_long_number_is_told_without_being_written_out() -> None:
    assert faults({"kind": "task", "name": "t", "retryCount": 10**5000}) == [
        "retryCount: must be at most 2147483647, not a number beyond 64 bits"
    ]


def test_no_fault_repeats_a_secret() -> None:
    secret = "s3cret-s3cret"
    documents: list[Document] = [
        {"kind": "secret", "name": "a", "value": {"x": secret}},
        {"kind": "secret", "name": "a", "value": secret * 10_000},
        {"kind": "auth", "id": "a", "authenticationType": "API_KEY", "applicationId": "b",
         "apiKeys": [secret, secret, f"{secret} ", {"key": [secret]}, [secret]]},
    ]  # fmt: skip
    documents.append({**documents[-1], "apiKeys": secret})
    for document in documents:
        with pytest.raises(InvalidDefinition) as caught:
            parse(document)
        assert secret not in f"{caught.value} {caught.value.faults}"


def test_secrets_and_keys_are_not_read_back() -> None:
    secret = parse({"kind": "secret", "name": "A", "value": "hush", "description": "d"})
    auth = parse(
        {"kind": "auth", "id": "a", "authenticationType": "API_KEY", "applicationId": "b",
         "apiKeys": ["0123456789abcdef"]}
    )  # fmt: skip

    assert secret.document["value"] == "hush"
    read = readable("secret", secret.document)
    assert read == {"kind": "secret", "name": "A", "description": "d"}
    assert "apiKeys" not in readable("auth", auth.document)
