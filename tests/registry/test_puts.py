"""Putting definitions: all or none, with every fault; etags; what may never change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidDefinition, InvalidRequest, NotFound, PermissionDenied, Stale
from tests.registry.registries import (
    WORKFLOW,
    Running,
    document,
    get,
    put,
    running,
    settings,
)

APPLICATION = {"kind": "application", "id": "storefront"}
AUTH = {
    "kind": "auth",
    "id": "partners",
    "authenticationType": "API_KEY",
    "applicationId": "storefront",
}
SERVICE = {
    "kind": "service",
    "id": "orders",
    "path": "/api/orders",
    "authConfigId": "partners",
    "routes": [{"httpMethod": "POST", "path": "/", "mappedWorkflow": {"name": "checkout"}}],
}


async def test_documents_that_name_each_other_are_put_in_any_order(registry: Running) -> None:
    results = await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    assert [each.outcome for each in results] == [pb.OUTCOME_CREATED] * 4
    assert [each.definition.name for each in results] == [
        "orders",
        "partners",
        "checkout",
        "storefront",
    ]
    assert len({each.definition.revision for each in results}) == 4


async def test_one_fault_keeps_all_documents_out(registry: Running) -> None:
    with pytest.raises(InvalidDefinition):
        await put(registry.admin, WORKFLOW, {"kind": "secret"})

    with pytest.raises(NotFound):
        await get(registry.admin, "workflow", "checkout")


async def test_ten_faults_are_told_with_their_paths_and_nothing_is_put(registry: Running) -> None:
    """Starts a script worker, which takes a while."""
    faulty = {
        "name": "broken",
        "version": "one",
        "timeoutPolicy": "SOMETIMES",
        "tasks": [
            {"name": "a", "type": "HTTP", "taskReferenceName": "a"},
            {"name": "b", "type": "NO_SUCH_TYPE", "taskReferenceName": "b"},
            {"name": "c", "type": "NOOP"},
            {"name": "d", "type": "NOOP", "taskReferenceName": "a"},
            {
                "name": "e",
                "type": "INLINE",
                "taskReferenceName": "e",
                "inputParameters": {"evaluatorType": "javascript", "expression": "(function ( {"},
            },
            {
                "name": "f",
                "type": "SET_VARIABLE",
                "taskReferenceName": "f",
                "inputParameters": {"x": "${nobody.output.y}", "y": "${workflow.input.z"},
            },
            {"name": "g", "type": "SWITCH", "taskReferenceName": "g"},
        ],
        "failureWorkflow": "not-there",
        "restartable": "perhaps",
    }
    request = pb.PutDefinitionsRequest(
        puts=[pb.DocumentPut(document=json.dumps(faulty), origin="broken.yaml:3")]
    )

    with pytest.raises(InvalidDefinition) as caught, rpc.raising_ours():
        await registry.admin.PutDefinitions(request)

    assert {fault.path.removeprefix("broken.yaml:3: ") for fault in caught.value.faults} == {
        "version",
        "timeoutPolicy",
        "tasks[0].inputParameters.method",
        "tasks[0].inputParameters.uri",
        "tasks[1].type",
        "tasks[2].taskReferenceName",
        "tasks[3].taskReferenceName",
        "tasks[4].inputParameters.expression",
        "tasks[5].inputParameters.x",
        "tasks[6].decisionCases",
        "tasks[6].evaluatorType",
        "tasks[6].expression",
        "failureWorkflow",
        "restartable",
    }
    with pytest.raises(NotFound):
        await get(registry.admin, "workflow", "broken")


async def test_a_faulty_service_tells_what_it_lacks_and_which_routes_clash(
    registry: Running,
) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)
    route = {"httpMethod": "POST", "mappedWorkflow": {"name": "checkout"}}
    faulty = {
        "kind": "service",
        "id": "other",
        "path": "/api",
        "enabled": "perhaps",
        "authConfigId": "nobody",
        "routes": [
            {**route, "path": "/orders"},
            {**route, "path": "/a", "waitUntilTasks": "nope"},
            {**route, "path": "/b", "mappedWorkflow": {"name": "nowhere"}},
            {**route, "path": "/c", "mappedWorkflow": {"name": "checkout", "version": 7}},
            {**route, "path": "/d", "mappedWorkflow": {"name": "checkout", "version": 10**30}},
            {"mappedWorkflow": 5},
        ],
    }

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, faulty)

    assert sorted(fault.path for fault in caught.value.faults) == [
        "authConfigId",
        "enabled",
        "routes[0]",
        "routes[1].waitUntilTasks",
        "routes[2].mappedWorkflow.name",
        "routes[3].mappedWorkflow.version",
        "routes[4].mappedWorkflow.version",
        "routes[5].httpMethod",
        "routes[5].mappedWorkflow",
        "routes[5].path",
    ]


async def test_faults_do_not_hide_a_change_of_an_immutable_field_or_a_second_put(
    registry: Running,
) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)
    faulty = {**SERVICE, "path": "/elsewhere", "enabled": "perhaps"}

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, faulty, faulty, {"kind": "secret", "name": "KEY", "colour": 1})

    assert sorted(fault.path for fault in caught.value.faults) == [
        "puts[0]: enabled",
        "puts[0]: path",
        "puts[1]",
        "puts[1]: enabled",
        "puts[1]: path",
        "puts[2]: colour",
        "puts[2]: value",
    ]


async def test_whoever_may_not_put_it_is_not_told_what_a_faulty_document_lacks(
    registry: Running,
) -> None:
    other = {"target": {"type": "workflow", "id": "other"}, "access": ["CREATE"]}
    nobody = await registry.application("nobody", permissions=[other])

    with pytest.raises(InvalidDefinition) as caught:
        await put(nobody, {**WORKFLOW, "version": 0, "failureWorkflow": "not-there"})
    with pytest.raises(PermissionDenied):
        await put(nobody, {**WORKFLOW, "failureWorkflow": "not-there"})

    assert [fault.path for fault in caught.value.faults] == ["version"]


async def test_script_syntax_and_unknown_workflows_are_told_together(registry: Running) -> None:
    """Starts a script worker, which takes a while."""
    inline = {
        "name": "e",
        "type": "INLINE",
        "taskReferenceName": "e",
        "inputParameters": {"evaluatorType": "javascript", "expression": "(function ( {"},
    }

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {"name": "w", "tasks": [inline], "failureWorkflow": "not-there"})

    told = {fault.path: fault.detail for fault in caught.value.faults}
    assert set(told) == {"tasks[0].inputParameters.expression", "failureWorkflow"}
    assert "JavaScript" in told["tasks[0].inputParameters.expression"]


async def test_thousands_of_faults_reach_the_caller(registry: Running) -> None:
    tasks = [{"name": "t", "type": "NOPE", "taskReferenceName": f"t{n}"} for n in range(3_000)]

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {"name": "w", "tasks": tasks})

    assert len(caught.value.faults) > 100
    assert "more faults" in caught.value.faults[-1].detail


async def test_a_faulty_document_is_no_unknown_one_for_those_that_name_it(
    registry: Running,
) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put(
            registry.admin, SERVICE, AUTH, APPLICATION, {**WORKFLOW, "timeoutPolicy": "SOMETIMES"}
        )

    assert [fault.path for fault in caught.value.faults] == ["puts[3]: timeoutPolicy"]
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, SERVICE, AUTH, APPLICATION, {**WORKFLOW, "version": "one"})

    assert [fault.path for fault in caught.value.faults] == ["puts[3]: version"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"kind": "secret", "name": "A", "name": "B", "value": "x"}',
        '{"name": "w", "x": NaN, "tasks": []}',
        '{"name": "w", "x": 1e999, "tasks": []}',
        '{"name": "w", "x": ' + "9" * 5_000 + ', "tasks": []}',
        '{"name": "w", "x": "\\ud800", "tasks": []}',
        '{"name": "w", "x": "\\u0000", "tasks": []}',
        "[" * 100_000,
        '{"x":' * 5_000 + "1" + "}" * 5_000,
    ],
    ids=lambda text: f"{text[:24]}…",
)
async def test_what_is_no_document_is_refused(registry: Running, text: str) -> None:
    request = pb.PutDefinitionsRequest(puts=[pb.DocumentPut(document=text, origin="x.json")])

    with pytest.raises(InvalidDefinition) as caught, rpc.raising_ours():
        await registry.admin.PutDefinitions(request)

    assert all(fault.path.startswith("x.json") for fault in caught.value.faults)


async def test_a_document_that_is_too_large_is_refused(registry: Running) -> None:
    with pytest.raises(InvalidDefinition, match="4 MiB"):
        await put(registry.admin, {**WORKFLOW, "description": "x" * (4 << 20)})


async def test_too_many_documents_are_refused(registry: Running) -> None:
    with pytest.raises(InvalidRequest):
        await put(registry.admin, *[WORKFLOW] * 10_001)


async def test_the_same_definition_twice_in_a_request_is_a_fault(registry: Running) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, WORKFLOW, {**WORKFLOW, "description": "other"})

    (fault,) = caught.value.faults
    assert fault.path == "puts[1]"
    assert "puts[0]" in fault.detail


async def test_the_same_document_changes_nothing(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    (again,) = await put(registry.admin, dict(reversed(WORKFLOW.items())))

    assert again.outcome == pb.OUTCOME_UNCHANGED
    assert again.definition == first.definition


async def test_what_is_read_back_changes_nothing_here_and_works_elsewhere(
    registry: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    schema = {"kind": "schema", "name": "order", "data": {"type": "object"}}
    task = {"kind": "task", "name": "charge", "retryCount": 1}
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION, schema, task)
    page = await registry.admin.ListDefinitions(pb.ListDefinitionsRequest())
    read = [json.loads(each.document) for each in page.definitions]

    again = await put(registry.admin, *read)
    async with running(settings(tmp_path_factory.mktemp("elsewhere"))) as elsewhere:
        there = await put(elsewhere.admin, *read)

    assert {each.outcome for each in again} == {pb.OUTCOME_UNCHANGED}
    assert [each.outcome for each in there] == [pb.OUTCOME_UNCHANGED] + [pb.OUTCOME_CREATED] * 6
    (generated,) = [key for each in there for key in each.generated_keys]
    assert generated.name == "default"


async def test_true_is_another_value_than_1(registry: Running) -> None:
    await put(registry.admin, {**WORKFLOW, "inputTemplate": {"x": 1}})
    (again,) = await put(registry.admin, {**WORKFLOW, "inputTemplate": {"x": True}})

    assert again.outcome == pb.OUTCOME_CHANGED


async def test_what_was_put_comes_back_with_big_integers_and_order(registry: Running) -> None:
    template = {"z": 2**70, "a": "ünïcödé ☃ \x7f", "nested": {"b": 1.5, "a": [None, -0.0]}}
    await put(registry.admin, {**WORKFLOW, "inputTemplate": template})

    read = await document(registry.admin, "workflow", "checkout")

    assert json.dumps(read["inputTemplate"]) == json.dumps(template)


async def test_an_etag_that_no_longer_holds_is_stale(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    etag = first.definition.etag
    await put(registry.admin, {**WORKFLOW, "description": "second"}, etag=etag)

    with pytest.raises(Stale):
        await put(registry.admin, {**WORKFLOW, "description": "third"}, etag=etag)
    with pytest.raises(Stale):
        await put(registry.admin, {**WORKFLOW, "description": "third"}, etag="*")
    with pytest.raises(Stale):
        await put(registry.admin, {**WORKFLOW, "name": "new"}, etag=etag)


async def test_of_many_who_write_by_one_etag_one_wins(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    racing = [
        put(registry.admin, {**WORKFLOW, "description": f"{n}"}, etag=first.definition.etag)
        for n in range(10)
    ]

    done = await asyncio.gather(*racing, return_exceptions=True)

    assert sum(isinstance(each, Stale) for each in done) == 9


async def test_of_many_who_create_one_wins(registry: Running) -> None:
    racing = [put(registry.admin, {**WORKFLOW, "description": f"{n}"}, etag="*") for n in range(9)]

    done = await asyncio.gather(*racing, return_exceptions=True)

    assert sum(isinstance(each, Stale) for each in done) == 8


async def test_an_etag_differs_for_the_same_document_stored_later(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    await put(registry.admin, {**WORKFLOW, "description": "between"})
    (third,) = await put(registry.admin, WORKFLOW)

    assert third.definition.etag != first.definition.etag


async def test_a_dry_run_says_what_would_be_and_stores_nothing(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    status = await registry.admin.GetRegistryStatus(pb.GetRegistryStatusRequest())

    results = await put(
        registry.admin, WORKFLOW, {**WORKFLOW, "version": 2}, APPLICATION, AUTH, dry_run=True
    )

    assert [each.outcome for each in results] == [
        pb.OUTCOME_UNCHANGED,
        pb.OUTCOME_CREATED,
        pb.OUTCOME_CREATED,
        pb.OUTCOME_CREATED,
    ]
    assert not results[3].generated_keys
    assert any("generated" in warning for warning in results[3].warnings)
    assert status == await registry.admin.GetRegistryStatus(pb.GetRegistryStatusRequest())
    with pytest.raises(NotFound):
        await get(registry.admin, "auth", "partners")


async def test_a_dry_run_tells_faults(registry: Running) -> None:
    with pytest.raises(InvalidDefinition):
        await put(registry.admin, SERVICE, dry_run=True)


async def test_a_change_of_an_immutable_field_is_a_fault_that_names_it(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {**SERVICE, "path": "/elsewhere"})

    (fault,) = caught.value.faults
    assert fault.path == "path"
    assert "/api/orders" in fault.detail


async def test_routes_of_two_services_conflict(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)
    other = {**SERVICE, "id": "other", "path": "/api"}
    other["routes"] = [
        {"httpMethod": "POST", "path": "/orders", "mappedWorkflow": {"name": "checkout"}}
    ]

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, other)

    (fault,) = caught.value.faults
    assert "orders" in fault.detail


async def test_a_new_service_whose_page_a_route_hides_is_refused_and_the_route_lives_on(
    registry: Running,
) -> None:
    route = {"httpMethod": "GET", "path": "/billing/docs", "mappedWorkflow": {"name": "checkout"}}
    root = {**SERVICE, "id": "root", "path": "/", "routes": [route]}
    await put(registry.admin, root, AUTH, WORKFLOW, APPLICATION)

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {**SERVICE, "id": "billing"})
    (again,) = await put(registry.admin, {**root, "description": "goes on"})

    (fault,) = caught.value.faults
    assert fault.path == "id"
    assert "/billing/docs" in fault.detail
    assert "'root'" in fault.detail
    assert again.outcome == pb.OUTCOME_CHANGED


async def test_a_service_put_again_does_not_conflict_with_itself(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    (again,) = await put(registry.admin, {**SERVICE, "description": "the same routes"})

    assert again.outcome == pb.OUTCOME_CHANGED


async def test_versions_of_a_workflow_live_side_by_side(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, {**WORKFLOW, "version": 3})
    await put(registry.admin, {**WORKFLOW, "version": 2, "description": "two"})

    assert (await get(registry.admin, "workflow", "checkout")).version == 3
    assert "two" in (await get(registry.admin, "workflow", "checkout", 2)).document
    with pytest.raises(NotFound) as caught:
        await get(registry.admin, "workflow", "checkout", 4)
    assert caught.value.metadata["version"] == "4"


async def test_warnings_come_with_the_result(registry: Running) -> None:
    (result,) = await put(registry.admin, {**WORKFLOW, "unheardOf": 1})

    assert any("unheardOf" in warning for warning in result.warnings)


async def put_over(registry: Running, *documents: Mapping[str, object], staying: str) -> None:
    puts = [pb.DocumentPut(document=json.dumps(each)) for each in documents]
    request = pb.PutDefinitionsRequest(puts=puts, staying=staying.split())
    with rpc.raising_ours():
        await registry.admin.PutDefinitions(request)


async def test_what_is_to_stay_stays_where_it_is_left_out(registry: Running) -> None:
    await put(registry.admin, {**WORKFLOW, "tags": ["a:b"], "description": "old"})
    await put_over(registry, WORKFLOW, {**WORKFLOW, "version": 2}, staying="tags")

    for version in (1, 2):
        read = json.loads((await get(registry.admin, "workflow", "checkout", version)).document)
        assert (read["tags"], read.get("description")) == (["a:b"], None)


async def test_what_is_brought_takes_the_place_of_what_would_stay(registry: Running) -> None:
    await put(registry.admin, {**WORKFLOW, "tags": ["a:b"], "description": "old"})
    await put_over(registry, {**WORKFLOW, "tags": []}, staying="tags description")

    read = await document(registry.admin, "workflow", "checkout")
    assert (read["tags"], read["description"]) == ([], "old")


async def test_only_words_for_people_and_tags_can_stay(registry: Running) -> None:
    with pytest.raises(InvalidRequest, match="tags and description"):
        await put_over(registry, WORKFLOW, staying="tags tasks")
