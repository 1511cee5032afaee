"""Nobody takes, gives away or is told more than they have: tags, uses, lists, faults, deletions."""

from __future__ import annotations

from typing import Any

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import Conflict, InvalidDefinition, PermissionDenied
from tests.registry.registries import WORKFLOW, Running, get, put

EVERY = ("READ", "CREATE", "UPDATE", "DELETE", "EXECUTE")


def grant(kind: str, name: str, *access: str) -> dict[str, Any]:
    return {"target": {"type": kind, "id": name}, "access": [*access]}


def workflow(name: str, *teams: str, **fields: Any) -> dict[str, Any]:
    return {**WORKFLOW, "name": name, "tags": [{"key": "team", "value": t} for t in teams]} | fields


def starting(name: str, started: str) -> dict[str, Any]:
    task = {"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW",
            "subWorkflowParam": {"name": started}}  # fmt: skip
    return workflow(name, "a", tasks=[task])


async def test_create_on_a_tag_is_for_what_has_that_tag_alone(registry: Running) -> None:
    stub = await registry.application("team", permissions=[grant("tag", "team:a", "CREATE")])

    await put(stub, workflow("ours", "a"))
    for refused in (workflow("bare"), workflow("theirs", "b"), workflow("both", "a", "b")):
        with pytest.raises(PermissionDenied):
            await put(stub, refused)


async def test_a_tag_that_opens_more_is_not_given_by_who_may_only_create(registry: Running) -> None:
    """By CREATE on the kind any tag may be given, but none that gives its writer more."""
    grants = [grant("workflow", "*", "CREATE"), grant("tag", "team:b", "EXECUTE")]
    stub = await registry.application("team", permissions=grants)

    await put(stub, workflow("ours", "a"))
    with pytest.raises(PermissionDenied, match="get EXECUTE"):
        await put(stub, workflow("more", "b"))


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        # Into a tag that it has nothing on, and one that it may do more with.
        (["a"], ["a", "c"], "may not tag"),
        (["a"], ["a", "b"], "get DELETE"),
        (["a"], ["b"], "get DELETE"),
        # Out of a tag that is not its own, and out of its own reach.
        (["a", "c"], ["a"], "may not tag"),
        (["a"], [], "lose UPDATE"),
    ],
)
async def test_update_takes_no_definition_from_tag_to_tag(
    registry: Running, before: list[str], after: list[str], match: str
) -> None:
    grants = [grant("tag", "team:a", "READ", "UPDATE"), grant("tag", "team:b", *EVERY)]
    await put(registry.admin, workflow("ours", *before))
    stub = await registry.application("team", permissions=grants)

    await put(stub, workflow("ours", *before, description="its content is theirs"))
    with pytest.raises(PermissionDenied, match=match):
        await put(stub, workflow("ours", *after))
    with pytest.raises(PermissionDenied, match=match):
        await put(stub, workflow("ours", *after, version=2))


async def test_each_version_counts_by_its_own_tags(registry: Running) -> None:
    await put(registry.admin, workflow("w", "b"), workflow("w", "a", version=2))
    stub = await registry.application("team", permissions=[grant("tag", "team:a", *EVERY)])

    with pytest.raises(PermissionDenied):
        await put(stub, workflow("w", "b", description="not mine"))
    for version in (0, 1):
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await stub.DeleteDefinition(
                pb.DeleteDefinitionRequest(kind="workflow", name="w", version=version)
            )
    with rpc.raising_ours():
        await stub.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="workflow", name="w", version=2)
        )


async def test_rollback_brings_no_tag_back_and_tells_nothing_of_before(registry: Running) -> None:
    await put(registry.admin, workflow("w", "b", description="before it was theirs"))
    first = (await get(registry.admin, "workflow", "w")).revision
    await put(registry.admin, workflow("w", "a"))
    stub = await registry.application("team", permissions=[grant("tag", "team:a", *EVERY)])

    with rpc.raising_ours():
        told = await stub.ListDefinitionHistory(
            pb.ListDefinitionHistoryRequest(kind="workflow", name="w")
        )
    assert [each.definition.revision > first for each in told.states] == [True]
    asked: dict[str, Any] = {"kind": "workflow", "name": "w", "revision": first}
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.GetDefinition(pb.GetDefinitionRequest(**asked))
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.RollbackDefinition(pb.RollbackDefinitionRequest(**asked))


async def test_no_way_leads_to_an_application_but_an_administrators(registry: Running) -> None:
    stub = await registry.application(
        "climber", roles=["EDITOR", "OPERATOR", "WORKER"],
        permissions=[grant("application", "*", *EVERY), grant("tag", "*", *EVERY)],
    )  # fmt: skip
    climber = await get(registry.admin, "application", "climber")
    more = {"kind": "application", "id": "climber", "roles": ["ADMIN"]}
    await put(registry.admin, more)
    await put(registry.admin, {**more, "roles": ["EDITOR"], "tags": []})

    asked: dict[str, Any] = {"kind": "application", "name": "climber"}
    calls: list[Any] = [
        stub.RollbackDefinition(
            pb.RollbackDefinitionRequest(**asked, revision=climber.revision)
        ),
        stub.DeleteDefinition(pb.DeleteDefinitionRequest(**asked)),
        stub.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin")),
        stub.PutDefinitions(
            pb.PutDefinitionsRequest(deletes=[pb.DefinitionDelete(**asked)])
        ),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await call
    with pytest.raises(PermissionDenied):
        await put(stub, more)


async def test_what_may_not_be_used_is_as_good_as_not_there(registry: Running) -> None:
    await put(registry.admin, workflow("theirs", "b"), workflow("shared", "a"))
    grants = [grant("tag", "team:a", "CREATE", "UPDATE"), grant("workflow", "known", "EXECUTE")]
    await put(registry.admin, workflow("known", "b"))
    stub = await registry.application("team", permissions=grants)

    told = []
    for name in ("theirs", "nobodys"):
        with pytest.raises(InvalidDefinition) as caught:
            await put(stub, starting("ours", name))
        told.append(str(caught.value.faults[0]).replace(name, "…"))
    assert told[0] == told[1]
    await put(stub, starting("ours", "shared"), starting("again", "known"))

    # What an administrator has it use, it may leave in.
    await put(registry.admin, starting("ours", "theirs"))
    await put(stub, starting("ours", "theirs") | {"description": "changed"})


def holding(kind: str, **fields: Any) -> dict[str, Any]:
    return workflow("ours", "a", tasks=[{"name": "s", "taskReferenceName": "s", "type": kind,
                                         **fields}])  # fmt: skip


STARTS = [
    holding("START_WORKFLOW", inputParameters={"startWorkflow": {"name": "theirs"}}),
    holding("DYNAMIC", dynamicTaskNameParam="n", subWorkflowParam={"name": "theirs"},
            inputParameters={"n": "SUB_WORKFLOW"}),
    holding("SUB_WORKFLOW", subWorkflowParam={"name": "${workflow.input.name}"}),
    workflow("ours", "a", failureWorkflow="$name"),
]  # fmt: skip


@pytest.mark.parametrize("started", STARTS)
async def test_what_is_started_otherwise_takes_access_too(
    registry: Running, started: dict[str, Any]
) -> None:
    await put(registry.admin, workflow("theirs", "b"))
    own = grant("tag", "team:a", *EVERY)
    some = await registry.application("some", permissions=[own])
    all_ = await registry.application("all", permissions=[own, grant("workflow", "*", "EXECUTE")])

    with pytest.raises(InvalidDefinition, match=r"that you may use|access to all of them"):
        await put(some, started)
    await put(all_, started)
    # What stands there may stay, and a later version may have it, too; but not beside more.
    await put(some, started | {"description": "changed"})
    await put(some, started | {"version": 2})
    more = {**started, "failureWorkflow": "$another"}
    with pytest.raises(InvalidDefinition, match="access to all of them"):
        await put(some, more)


@pytest.mark.parametrize("webhook", ["theirs", "nobodys", "${workflow.input.x}"])
@pytest.mark.parametrize("kind", ["WAIT_FOR_WEBHOOK", "DYNAMIC"])
async def test_who_waits_for_a_webhook_has_access_to_it(
    registry: Running, kind: str, webhook: str
) -> None:
    hooks = [
        {"kind": "webhook", "name": name, "verifier": {"type": "NONE"}}
        for name in ("own", "theirs")
    ]
    await put(registry.admin, *hooks)
    grants = [grant("tag", "team:a", *EVERY), grant("webhook", "own", "READ")]
    stub = await registry.application("team", permissions=grants)

    def waiting(name: str) -> dict[str, Any]:
        inputs = {"n": "WAIT_FOR_WEBHOOK", "webhook": name}
        fields = {"dynamicTaskNameParam": "n"} if kind == "DYNAMIC" else {}
        return holding(kind, inputParameters=inputs, **fields)

    with pytest.raises(InvalidDefinition, match=r"that you may use|webhook \*"):
        await put(stub, waiting(webhook))
    await put(stub, waiting("own"))


async def test_a_task_s_definition_says_of_no_task_what_it_starts(registry: Running) -> None:
    grants = [grant("task", "*", "CREATE")]
    stub = await registry.application("team", permissions=grants)

    await put(stub, {"kind": "task", "name": "t", "inputTemplate": {"x": 1}})
    with pytest.raises(InvalidDefinition, match="access to all of them"):
        await put(stub, {"kind": "task", "name": "u", "inputTemplate": {"startWorkflow": {}}})


@pytest.mark.parametrize("access", ["READ", "EXECUTE"])
async def test_events_are_heard_by_who_may_read_what_tells_of_them(
    registry: Running, access: str
) -> None:
    def hearing(name: str, event: str) -> dict[str, Any]:
        action = {"action": "start_workflow", "start_workflow": {"name": "ours"}}
        return {"kind": "event", "name": name, "event": event, "actions": [action]}

    hook = {"kind": "webhook", "name": "theirs", "verifier": {"type": "NONE"}}
    await put(registry.admin, workflow("theirs", "b"), workflow("ours", "a"), hook)
    grants = [grant("event", "*", "CREATE", "UPDATE"), grant("workflow", "ours", "EXECUTE", "READ"),
              grant("tag", "team:b", access)]  # fmt: skip
    stub = await registry.application("team", permissions=grants)

    told = []
    for name in ("theirs", "nobodys"):
        with pytest.raises(InvalidDefinition, match="there is no webhook") as caught:
            await put(stub, hearing("hook", f"webhook:{name}"))
        told.append(str(caught.value.faults[0]).replace(name, "…"))
    assert told[0] == told[1]
    await put(stub, hearing("own", "conductor:ours:x"))
    if access == "READ":
        await put(stub, hearing("read", "conductor:theirs:x"))
    for name in ("nobodys",) if access == "READ" else ("theirs", "nobodys"):
        with pytest.raises(InvalidDefinition, match="that you may read"):
            await put(stub, hearing("heard", f"conductor:{name}:x"))
    # What an administrator has it hear, it may go on to.
    await put(registry.admin, hearing("hook", "webhook:theirs"), hearing("told", "conductor:x:y"))
    await put(stub, hearing("hook", "webhook:theirs") | {"description": "changed"})
    await put(stub, hearing("told", "conductor:x:y") | {"description": "changed"})


async def test_who_may_change_a_secret_does_not_read_it_by_that(registry: Running) -> None:
    key = {"kind": "secret", "name": "key"}
    await put(registry.admin, key | {"value": "nobody knows it"})
    grants = [grant("secret", "*", "UPDATE", "CREATE"), grant("workflow", "ours", "CREATE")]
    stub = await registry.application("team", permissions=grants)
    request = {"uri": "http://x.example/${workflow.secrets.key}", "method": "GET"}
    sends = holding("HTTP", inputParameters={"http_request": request}) | {"tags": []}

    with pytest.raises(PermissionDenied, match="no READ"):
        await put(stub, key | {"description": "the same value"}, sends)
    # Its own value it knows.
    await put(stub, key | {"value": "another one"}, sends)


async def test_no_fault_names_what_may_not_be_read(registry: Running) -> None:
    def service(name: str, path: str = "/shop") -> dict[str, Any]:
        return {
            "kind": "service", "id": name, "name": name, "path": path, "authConfigId": "open",
            "routes": [{"httpMethod": "GET", "path": "/x", "mappedWorkflow": {"name": "shared"}}],
        }  # fmt: skip

    auth = {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "weak"}
    await put(
        registry.admin, {"kind": "application", "id": "weak"}, workflow("shared", "a"),
        auth, service("hidden-one"), starting("hidden-two", "shared"),
    )  # fmt: skip
    grants = [
        grant("tag", "team:a", *EVERY), grant("auth", "open", *EVERY), grant("service", "s", *EVERY)
    ]  # fmt: skip
    stub = await registry.application("team", permissions=grants)

    with pytest.raises(InvalidDefinition) as clash:
        await put(stub, service("s"))
    with pytest.raises(Conflict) as used, rpc.raising_ours():
        await stub.DeleteDefinition(pb.DeleteDefinitionRequest(kind="auth", name="open"))
    for caught in (clash.value, used.value):
        said = f"{caught} {caught.detail} {caught.metadata} {[str(f) for f in caught.faults]}"
        assert "hidden" not in said
    await put(stub, service("s", "/other"))


async def test_a_route_that_anybody_may_call_starts_what_its_writer_may(registry: Running) -> None:
    auth = {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "strong"}
    strong = {"kind": "application", "id": "strong",
              "permissions": [grant("workflow", "*", "EXECUTE")]}  # fmt: skip
    await put(registry.admin, strong, auth, workflow("ours", "a"), workflow("theirs", "b"))
    editor = await registry.application("editor", roles=["EDITOR"])
    grants = [grant("tag", "team:a", "EXECUTE"), grant("service", "*", "CREATE", "UPDATE"),
              grant("auth", "*", "READ"), grant("workflow", "*", "READ")]  # fmt: skip
    stub = await registry.application("team", permissions=grants)

    def service(*names: str, **fields: Any) -> dict[str, Any]:
        routes = [
            {"httpMethod": "GET", "path": f"/{name}", "mappedWorkflow": {"name": name}}
            for name in names
        ]
        return {"kind": "service", "id": "s", "name": "s", "path": "/s", "authConfigId": "open",
                "routes": routes} | fields  # fmt: skip

    await put(stub, service("ours"))
    for caller in (stub, editor):
        with pytest.raises(PermissionDenied, match="would start the workflow 'theirs'"):
            await put(caller, service("ours", "theirs"))
    await put(registry.admin, service("ours", "theirs"))
    await put(editor, service("ours", "theirs", description="open already"))


async def test_lists_tell_what_may_be_read_and_nothing_without_a_grant(registry: Running) -> None:
    await put(registry.admin, workflow("ours", "a"), workflow("theirs", "b"), workflow("zebra"))
    reader = await registry.application("reader", permissions=[grant("tag", "team:a", "READ")])
    none = await registry.application("none", permissions=[grant("tag", "team:a", "EXECUTE")])

    told = await reader.ListDefinitions(pb.ListDefinitionsRequest(page=PageRequest(page_size=1)))
    assert [each.name for each in told.definitions] == ["ours"]
    assert not told.next_page_token
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await none.ListDefinitions(pb.ListDefinitionsRequest())


async def test_samples_are_for_those_who_write_schemas(registry: Running) -> None:
    asked = pb.CheckSampleRequest(schema_text='{"type": "object"}', sample="1")
    writer = await registry.application("writer", permissions=[grant("schema", "s", "UPDATE")])
    viewer = await registry.application("looks", roles=["VIEWER"])

    assert (await writer.CheckSample(asked)).faults
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await viewer.CheckSample(asked)
