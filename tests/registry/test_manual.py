"""The manual over the wire: every field that the tables know, as forms and editors need it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs
import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidRequest
from services.registry.definitions import KINDS, examine
from services.registry.definitions.document import files
from services.registry.definitions.records import SERVER_WRITTEN
from services.registry.definitions.tasks import TASK_KINDS
from tests.registry.registries import Running

# What the guide to the gateway names, and what Podium has beside it.
OF_A_SERVICE = """
id name description path enabled mcpEnabled authConfigId docsPublic corsConfig
corsConfig.accessControlAllowOrigin corsConfig.accessControlAllowMethods
corsConfig.accessControlAllowHeaders corsConfig.accessControlExposeHeaders
corsConfig.accessControlAllowCredentials corsConfig.accessControlMaxAge
routes routes[].httpMethod routes[].path routes[].description routes[].mappedWorkflow
routes[].mappedWorkflow.name routes[].mappedWorkflow.version routes[].workflowExecutionMode
routes[].waitUntilTasks routes[].timeoutInSeconds routes[].inputSchema routes[].inputSchemaRef
routes[].inputSchemaRef.name routes[].inputSchemaRef.version routes[].outputSchema
routes[].outputSchemaRef routes[].queryParameters routes[].queryParameters[].name
routes[].queryParameters[].required routes[].queryParameters[].type
routes[].queryParameters[].default routes[].queryParameters[].enum routes[].preRequestScript
routes[].postResponseScript routes[].responseEnvelope routes[].cacheConfig
routes[].cacheConfig.key routes[].cacheConfig.ttlInSecond routes[].rateLimitConfig
routes[].rateLimitConfig.rateLimitKey routes[].rateLimitConfig.concurrentExecLimit
routes[].rateLimitConfig.onFull routes[].rateLimits routes[].rateLimits[].name
routes[].rateLimits[].key routes[].rateLimits[].limit routes[].rateLimits[].windowSeconds
routes[].exposeDetails routes[].requestMetadataAsInput routes[].completionWebhook
routes[].completionWebhook.url routes[].completionWebhook.secretName
routes[].idempotencyOnPublic routes[].onClientGone
"""


async def manual(registry: Running, *kinds: str, **asked: Any) -> dict[str, pb.KindManual]:
    with rpc.raising_ours():
        answer = await registry.admin.ListKinds(pb.ListKindsRequest(kinds=kinds, **asked))
    return {kind.name: kind for kind in answer.kinds}


def paths(fields: Iterable[pb.FieldManual], before: str = "") -> Iterator[tuple[str, Any]]:
    for field in fields:
        yield before + field.name, field
        yield from within(field.value, before + field.name)


def within(value: pb.ValueManual, at: str) -> Iterator[tuple[str, Any]]:
    yield from paths(value.fields, f"{at}.")
    if value.HasField("item"):
        yield from within(value.item, f"{at}[]")
    for each in value.alternatives:
        yield from within(each, at)


async def test_every_kind_is_told_with_every_field_of_its_table(registry: Running) -> None:
    told = await manual(registry)

    assert list(told) == list(KINDS)
    for name, kind in KINDS.items():
        assert [f.name for f in told[name].fields] == [f.name for f in kind.record.fields]
        assert all(f.description for f in told[name].fields)
        assert {f.name for f in told[name].fields if f.immutable} == set(kind.immutable)
        assert {f.name for f in told[name].fields if f.write_only} == set(kind.hidden)
        assert told[name].identity == kind.identity


async def test_every_field_of_the_guide_is_there(registry: Running) -> None:
    told = await manual(registry)

    assert set(OF_A_SERVICE.split()) <= dict(paths(told["service"].fields)).keys()
    for kind, names in {
        "auth": "id authenticationType applicationId apiKeys apiKeys.name",
        "application": "id name roles permissions permissions[].target.type permissions[].access",
        "secret": "name value",
        "schema": "name version data",
        "task": "retryCount retryLogic timeoutSeconds responseTimeoutSeconds",
        "workflow": "name version tasks outputParameters failureWorkflow timeoutSeconds",
    }.items():
        found = {path.replace("[].name", ".name") for path, _ in paths(told[kind].fields)}
        found |= {path for path, _ in paths(told[kind].fields)}
        assert set(names.split()) <= found, kind


async def test_every_row_of_the_page_is_told(registry: Running) -> None:
    """The page and the manual come from the same tables; nothing is lost on the way."""
    told = await manual(registry)
    known = set[str]()
    for kind in told.values():
        tasks = [f for t in kind.task_types for f in (*t.fields, *t.inputs)]
        every = [*kind.fields, *kind.task_fields, *tasks]
        known |= {path.rpartition(".")[2] for path, _ in paths(every)}

    rows = [line for line in files()["definitions.md"].splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} <= known


async def test_a_field_says_what_it_may_be(registry: Running) -> None:
    told = await manual(registry)
    service = dict(paths(told["service"].fields))

    timeout = service["routes[].timeoutInSeconds"]
    assert timeout.value.form == pb.VALUE_FORM_INTEGER
    assert (timeout.value.minimum, timeout.value.maximum) == (0, 300)
    assert (timeout.default_value, timeout.value.says) == ("30", "whole number, 0 to 300")
    mode = service["routes[].workflowExecutionMode"]
    assert list(mode.value.choices) == ["SYNCHRONOUS", "ASYNCHRONOUS"]
    assert service["routes[].preRequestScript"].value.form == pb.VALUE_FORM_SCRIPT
    assert service["routes[].inputSchema"].value.form == pb.VALUE_FORM_JSON_SCHEMA
    assert service["enabled"].value.form == pb.VALUE_FORM_BOOLEAN
    assert service["enabled"].default_value == "true"
    assert service["id"].required
    assert service["createTime"].status == pb.FIELD_STATUS_SERVER_WRITTEN
    later = service["routes[].workflowMetadataInOutput"]
    assert later.status == pb.FIELD_STATUS_NOT_SUPPORTED
    assert {f.name for f in SERVER_WRITTEN} <= service.keys()


async def test_every_type_of_task_is_told_with_its_input(registry: Running) -> None:
    workflow = (await manual(registry, "workflow"))["workflow"]
    types = {each.name: each for each in workflow.task_types}

    assert list(types) == list(TASK_KINDS)
    http = {field.name: field for field in types["HTTP"].inputs}
    assert http["uri"].required
    assert http["uri"].value.may_be_expression
    assert list(http["method"].value.choices)[:2] == ["GET", "HEAD"]
    assert types["HTTP"].inputs_within == "http_request"
    poll = {field.name: field for field in types["HTTP_POLL"].inputs}
    assert poll["terminationCondition"].value.form == pb.VALUE_FORM_SCRIPT
    switch = {field.name: field for field in types["SWITCH"].fields}
    assert switch["expression"].value.form == pb.VALUE_FORM_SCRIPT
    cases = switch["decisionCases"].value
    assert (cases.form, cases.item.form) == (pb.VALUE_FORM_MAP, pb.VALUE_FORM_LIST)
    assert cases.item.item.form == pb.VALUE_FORM_TASK
    assert {f.name for f in workflow.task_fields} >= {"name", "taskReferenceName", "type"}


DOCUMENTS: list[dict[str, Any]] = [
    {
        "kind": "workflow",
        "name": "w",
        "failureWorkflow": "f",
        "inputSchema": {"name": "s"},
        "outputSchema": {"name": "s"},
        "tasks": [
            {"name": "t", "taskReferenceName": "t", "type": "NOOP"},
            {
                "name": "u",
                "taskReferenceName": "u",
                "type": "NOOP",
                "taskDefinition": {"inputSchema": {"name": "s"}, "outputSchema": {"name": "s"}},
            },
        ],
    },
    {"kind": "auth", "id": "a", "authenticationType": "NONE", "applicationId": "x"},
    {
        "kind": "service",
        "id": "s",
        "path": "/s",
        "authConfigId": "a",
        "routes": [
            {
                "httpMethod": "POST",
                "path": "/",
                "mappedWorkflow": {"name": "w"},
                "workflowExecutionMode": "ASYNCHRONOUS",
                "inputSchemaRef": {"name": "i"},
                "outputSchemaRef": {"name": "o"},
                "completionWebhook": {"url": "https://example.com/", "secretName": "S"},
            }
        ],
    },
]


async def test_what_a_field_refers_to_is_what_the_registry_looks_for(registry: Running) -> None:
    told = await manual(registry)
    said, found = set(), set()
    for document in DOCUMENTS:
        kind = told[document["kind"]]
        every = [*paths(kind.fields), *paths(kind.task_fields, "tasks[].")]
        said |= {(kind.name, p, f.refers_to) for p, f in every if f.refers_to}
        draft = examine(document).draft
        assert draft is not None
        for each in draft.references:
            found.add((kind.name, re.sub(r"\[[0-9]\]", "[]", each.path), each.kind))

    assert said == found


async def test_what_a_permission_is_for_says_its_kind_beside_it(registry: Running) -> None:
    application = (await manual(registry, "application"))["application"]

    target = dict(paths(application.fields))["permissions[].target.id"]
    assert target.refers_to_kind_in == "type"


async def test_the_json_schemas_are_those_of_the_pages(registry: Running) -> None:
    told = await manual(registry, with_schemas=True)
    without = await manual(registry, "secret")

    assert {f"schema/{name}.json": each.schema for name, each in told.items()} == {
        name: text for name, text in files().items() if name.endswith(".json")
    }
    assert not without["secret"].schema
    service = json.loads(told["service"].schema)
    jsonschema_rs.meta.validate(service)
    assert service["properties"]["path"]["x-immutable"]
    assert service["properties"]["authConfigId"]["x-refersTo"] == "auth"
    assert json.loads(told["secret"].schema)["properties"]["value"]["writeOnly"]


async def test_anybody_with_a_token_may_read_the_manual(registry: Running) -> None:
    nobody = await registry.application("nobody")

    answer = await nobody.ListKinds(pb.ListKindsRequest(kinds=["secret"]))

    assert [kind.name for kind in answer.kinds] == ["secret"]


async def test_an_unknown_kind_has_no_manual(registry: Running) -> None:
    with pytest.raises(InvalidRequest):
        await manual(registry, "secrets")


async def test_more_kinds_than_there_are_have_no_manual(registry: Running) -> None:
    with pytest.raises(InvalidRequest, match="and not 1000"), rpc.raising_ours():
        await registry.admin.ListKinds(pb.ListKindsRequest(kinds=["secret"] * 1000))
