"""Faults as an editor needs them: each with the path of what it is about, over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidDefinition
from tests.registry.registries import Running, put
from tests.registry.test_puts import SERVICE
from tui.views.faults import PlacedFault, faults_of, of_warning
from tui.views.json_places import Position, positions

HTTP = {"name": "call", "taskReferenceName": "call", "type": "HTTP"}
INLINE = {"name": "in", "taskReferenceName": "in", "type": "INLINE"}
ROUTE = {"httpMethod": "POST", "path": "/", "mappedWorkflow": {"name": "checkout"}}


def workflow(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "workflow", "name": "w", "tasks": [*tasks], **fields}


async def told(registry: Running, *documents: dict[str, Any]) -> dict[str, PlacedFault]:
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, *documents, dry_run=True)
    return {fault.path: fault for fault in faults_of(caught.value)}


FAULTY: list[tuple[dict[str, Any], set[str]]] = [
    (
        workflow(
            {**HTTP, "inputParameters": {"http_request": {"method": "NOP"}}},
            {**HTTP, "type": "HTPP", "taskReferenceName": "other"},
            version="x",
            failureWorkflow="nobody",
        ),
        {
            "tasks[0].inputParameters.http_request.uri",
            "tasks[0].inputParameters.http_request.method",
            "tasks[1].type",
            "version",
            "failureWorkflow",
        },
    ),
    (
        workflow({**INLINE, "inputParameters": {"evaluatorType": "javascript", "expression": "("}}),
        {"tasks[0].inputParameters.expression"},
    ),
    (
        {"kind": "task", "name": "t", "retryCount": "x", "retryLogic": "fixed"},
        {"retryCount", "retryLogic"},
    ),
    (
        {"kind": "schema", "name": "s", "data": {"properties": {"a b": {"type": "txt"}}}, "x": 1},
        {"data.properties['a b'].type", "x"},
    ),
    (
        {
            "kind": "application",
            "id": "a",
            "roles": ["ADMN"],
            "permissions": [{"target": {"type": "workflow"}, "access": ["RUN"]}],
        },
        {"roles[0]", "permissions[0].target.id", "permissions[0].access[0]"},
    ),
    (
        {"kind": "auth", "id": "k", "authenticationType": "API_KEY", "applicationId": "nobody"},
        {"applicationId"},
    ),
    (
        {
            **SERVICE,
            "id": "s",
            "authConfigId": "nobody",
            "routes": [
                {**ROUTE, "httpMethod": "GTE", "preRequestScript": "$.a;\n$.b +;"},
                {**ROUTE, "mappedWorkflow": {"name": "nobody"}, "queryParams": []},
            ],
        },
        {
            "authConfigId",
            "routes[0].httpMethod",
            "routes[0].preRequestScript",
            "routes[0].mappedWorkflow.name",
            "routes[1].mappedWorkflow.name",
            "routes[1].queryParams",
        },
    ),
    ({"kind": "secret", "name": "N", "value": 1, "other": 2}, {"value", "other"}),
]


@pytest.mark.parametrize(
    ("document", "paths"), FAULTY, ids=[f"{n}-{d['kind']}" for n, (d, _) in enumerate(FAULTY)]
)
async def test_every_fault_has_the_path_of_what_it_is_about(
    registry: Running, document: dict[str, Any], paths: set[str]
) -> None:
    found = await told(registry, document)

    assert set(found) == paths


async def test_what_was_meant_is_told_apart(registry: Running) -> None:
    (faulty, _) = FAULTY[0]

    found = await told(registry, faulty)

    assert found["tasks[1].type"].meant == "HTTP"
    assert not found["tasks[0].inputParameters.http_request.uri"].meant


async def test_a_jq_program_that_does_not_parse_is_told_with_its_line(registry: Running) -> None:
    step = {"name": "q", "taskReferenceName": "q", "type": "JSON_JQ_TRANSFORM"}
    found = await told(
        registry, workflow({**step, "inputParameters": {"queryExpression": ".a\n| nope(.b)"}})
    )

    (fault,) = found.values()
    assert fault.path == "tasks[0].inputParameters.queryExpression"
    assert fault.detail == "is no jq program: nope/1 is not defined (line 2)"
    assert fault.line_within == 2


async def test_a_scripts_fault_has_its_line(registry: Running) -> None:
    found = await told(registry, FAULTY[6][0])

    assert found["routes[0].preRequestScript"].line_within == 2
    assert found["routes[0].httpMethod"].line_within == 0


async def test_text_that_is_no_json_has_its_line(registry: Running) -> None:
    text = '{"kind": "workflow",\n "name": w}'
    with pytest.raises(InvalidDefinition) as caught:
        await put_text(registry, text)

    (fault,) = faults_of(caught.value)
    assert (fault.path, fault.line_within) == ("", 2)


async def test_faults_of_several_documents_are_told_by_their_origins(registry: Running) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put_text(registry, '{"kind": "task"}', '{"kind": "wrkflow"}')

    assert [(f.origin, f.path) for f in faults_of(caught.value, ["f0", "f1"])] == [
        ("f0", "name"),
        ("f1", "kind"),
    ]


async def test_a_faults_path_leads_to_its_place_in_the_text(registry: Running) -> None:
    document = FAULTY[0][0]
    text = json.dumps(document, indent=1)
    found = await told(registry, document)

    places = positions(text, found)

    lines = text.split("\n")
    assert '"method"' in lines[places["tasks[0].inputParameters.http_request.method"].line - 1]
    # What is required and not there is marked where it belongs.
    assert '"http_request"' in lines[places["tasks[0].inputParameters.http_request.uri"].line - 1]
    assert places["version"] > Position(1, 1)


async def test_a_warnings_path_is_told_apart(registry: Running) -> None:
    (result,) = await put(
        registry.admin,
        workflow({"name": "n", "taskReferenceName": "n", "type": "NOOP"}, **{"time out": 1}),
        dry_run=True,
    )

    warnings = [of_warning(each) for each in result.warnings]

    assert [(each.path, bool(each.detail)) for each in warnings] == [("['time out']", True)]
    assert of_warning("Nothing: it is so") == PlacedFault("", "Nothing", "it is so")
    assert of_warning("Some words: it is so") == PlacedFault("", "", "Some words: it is so")


async def put_text(registry: Running, *texts: str) -> None:
    puts = [
        pb.DocumentPut(document=text, origin=f"f{number}" if len(texts) > 1 else "")
        for number, text in enumerate(texts)
    ]
    with rpc.raising_ours():
        await registry.admin.PutDefinitions(pb.PutDefinitionsRequest(puts=puts, dry_run=True))
