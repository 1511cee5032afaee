"""Who may call: access keys, tokens, roles and grants, the audit log."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    Conflict,
    InvalidDefinition,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from tests.registry.registries import ADMIN_SECRET, WORKFLOW, Running, document, get, put, until


def grant(kind: str, name: str, *access: str) -> dict[str, Any]:
    return {"target": {"type": kind, "id": name}, "access": [*access]}


def moment(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


async def test_a_token_says_whose_it_is_and_holds_for_fifteen_minutes(registry: Running) -> None:
    issued = await registry.anybody.IssueToken(
        pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
    )
    events = registry.service("edge").WatchDefinitions(pb.WatchDefinitionsRequest())
    trust = (await until(aiter(events), "trust"))[-1].trust
    keys = {key.key_id: key.pem for key in trust.public_keys}
    header = jwt.get_unverified_header(issued.token)

    claims = jwt.decode(issued.token, keys[header["kid"]], ["EdDSA"], audience="podium")

    assert claims["sub"] == "application:admin"
    assert claims["key"] == "admin-key"
    assert claims["iss"] == "podium"
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert issued.expires_at.seconds == claims["exp"]


@pytest.mark.parametrize(
    ("key_id", "secret"),
    [
        ("admin-key", "wrong"),
        ("admin-key", ""),
        ("nobody", ADMIN_SECRET),
        ("", ""),
        ("ÿ", "\0" * 9),
    ],
)
async def test_a_wrong_key_gets_no_token_and_is_told_no_more(
    registry: Running, key_id: str, secret: str
) -> None:
    with pytest.raises(Unauthenticated) as caught, rpc.raising_ours():
        await registry.anybody.IssueToken(pb.IssueTokenRequest(key_id=key_id, key_secret=secret))

    assert caught.value.detail == "There is no such access key, or the secret is not its."


async def test_nothing_is_told_without_a_token(registry: Running) -> None:
    calls: list[Any] = [
        registry.anybody.PutDefinitions(pb.PutDefinitionsRequest()),
        registry.anybody.GetRegistryStatus(pb.GetRegistryStatusRequest()),
        registry.anybody.ListDefinitions(pb.ListDefinitionsRequest()),
    ]
    for call in calls:
        with pytest.raises(Unauthenticated), rpc.raising_ours():
            await call
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await until(aiter(registry.anybody.WatchDefinitions(pb.WatchDefinitionsRequest())), "trust")


async def test_a_new_key_works_and_its_secret_is_shown_once(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    listed = await registry.admin.ListAccessKeys(pb.ListAccessKeysRequest(application_id="admin"))

    other = await registry.with_key(made.access_key.key_id, made.key_secret)
    await other.GetRegistryStatus(pb.GetRegistryStatusRequest())

    assert [key.key_id for key in listed.access_keys] == ["admin-key", made.access_key.key_id]
    assert made.key_secret.encode() not in listed.SerializeToString()


async def test_a_revoked_key_and_its_tokens_are_void_at_once(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    key_id = made.access_key.key_id
    other = await registry.with_key(key_id, made.key_secret)

    for _ in range(2):
        await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=key_id))

    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await other.GetRegistryStatus(pb.GetRegistryStatusRequest())
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await registry.with_key(key_id, made.key_secret)
    (_, listed) = (await registry.admin.ListAccessKeys(pb.ListAccessKeysRequest())).access_keys
    assert listed.HasField("revoked_at")


async def test_a_token_ends_with_its_key(registry: Running) -> None:
    end = datetime.now(UTC) + timedelta(minutes=5)
    made = await registry.admin.CreateAccessKey(
        pb.CreateAccessKeyRequest(application_id="admin", expires_at=moment(end))
    )
    issued = await registry.anybody.IssueToken(
        pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
    )

    assert abs(issued.expires_at.seconds - end.timestamp()) <= 1


async def test_senseless_keys_are_refused(registry: Running) -> None:
    past = moment(datetime(2020, 1, 1, tzinfo=UTC))
    for error, request in (
        (NotFound, pb.CreateAccessKeyRequest(application_id="nobody")),
        (InvalidRequest, pb.CreateAccessKeyRequest(application_id="admin", expires_at=past)),
        (
            InvalidRequest,
            pb.CreateAccessKeyRequest(
                application_id="admin", expires_at=Timestamp(seconds=1 << 60)
            ),
        ),
    ):
        with pytest.raises(error), rpc.raising_ours():
            await registry.admin.CreateAccessKey(request)
    with pytest.raises(NotFound), rpc.raising_ours():
        await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id="nobody"))
    with pytest.raises(NotFound), rpc.raising_ours():
        await registry.admin.ListAccessKeys(pb.ListAccessKeysRequest(application_id="nobody"))


async def test_nobody_can_lock_everybody_out(registry: Running) -> None:
    application = await document(registry.admin, "application", "admin")
    with pytest.raises(Conflict), rpc.raising_ours():
        await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id="admin-key"))
    with pytest.raises(Conflict), rpc.raising_ours():
        await registry.admin.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="application", name="admin")
        )
    with pytest.raises(Conflict):
        await put(registry.admin, {**application, "roles": ["EDITOR"]})

    await registry.application("second", roles=["ADMIN"])
    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id="admin-key"))


async def test_the_keys_of_a_deleted_application_are_void(registry: Running) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])
    await registry.admin.DeleteDefinition(
        pb.DeleteDefinitionRequest(kind="application", name="viewer")
    )
    await put(registry.admin, {"kind": "application", "id": "viewer", "roles": ["ADMIN"]})

    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await viewer.GetRegistryStatus(pb.GetRegistryStatusRequest())


SECRET = {"kind": "secret", "name": "A", "value": "v"}
APPLICATION = {"kind": "application", "id": "other", "roles": ["ADMIN"]}


async def test_roles_allow_what_they_say(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    allowed: dict[str, tuple[list[dict[str, Any]], bool]] = {
        "EDITOR": ([WORKFLOW, SECRET], True),
        "OPERATOR": ([], True),
        "VIEWER": ([], True),
        "WORKER": ([], False),
    }
    for role, (may_put, may_read) in allowed.items():
        stub = await registry.application(role.lower(), roles=[role])
        for each in (WORKFLOW, SECRET, APPLICATION):
            if each in may_put:
                await put(stub, each)
            else:
                with pytest.raises(PermissionDenied):
                    await put(stub, each)
        if may_read:
            await get(stub, "workflow", "checkout")
            await stub.ListDefinitions(pb.ListDefinitionsRequest())
        else:
            with pytest.raises(PermissionDenied):
                await get(stub, "workflow", "checkout")


async def test_only_an_administrator_touches_access_keys_and_watches(registry: Running) -> None:
    editor = await registry.application("editor", roles=["EDITOR"])
    calls: list[Any] = [
        editor.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin")),
        editor.ListAccessKeys(pb.ListAccessKeysRequest()),
        editor.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id="admin-key")),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await call
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await until(aiter(editor.WatchDefinitions(pb.WatchDefinitionsRequest())), "trust")


async def test_a_grant_allows_what_it_names(registry: Running) -> None:
    await put(registry.admin, {**WORKFLOW, "name": "ours"}, {**WORKFLOW, "name": "theirs"})
    stub = await registry.application(
        "team", permissions=[grant("workflow", "ours", "READ", "UPDATE")]
    )

    await get(stub, "workflow", "ours")
    await put(stub, {**WORKFLOW, "name": "ours", "version": 2})
    with pytest.raises(PermissionDenied):
        await get(stub, "workflow", "theirs")
    with pytest.raises(PermissionDenied):
        await get(stub, "workflow", "not-there")
    with pytest.raises(PermissionDenied):
        await put(stub, {**WORKFLOW, "name": "ours"}, {**WORKFLOW, "name": "new"})
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.DeleteDefinition(pb.DeleteDefinitionRequest(kind="workflow", name="ours"))


async def test_a_tag_counts_as_it_is_stored_not_as_it_is_sent(registry: Running) -> None:
    tag = {"key": "team", "value": "a"}
    await put(registry.admin, {**WORKFLOW, "name": "ours", "tags": [tag]}, WORKFLOW)
    stub = await registry.application(
        "team", permissions=[grant("tag", "team:a", "READ", "UPDATE", "CREATE", "DELETE")]
    )

    await put(stub, {**WORKFLOW, "name": "ours", "tags": [tag], "description": "changed"})
    await put(stub, {**WORKFLOW, "name": "new", "tags": [tag]})
    await get(stub, "workflow", "ours")
    with pytest.raises(PermissionDenied):
        await put(stub, {**WORKFLOW, "tags": [tag]})
    with pytest.raises(PermissionDenied):
        await get(stub, "workflow", "checkout")


async def test_a_grant_on_applications_makes_no_administrator(registry: Running) -> None:
    stub = await registry.application(
        "climber", permissions=[grant("application", "*", "CREATE", "UPDATE", "DELETE")]
    )

    with pytest.raises(PermissionDenied):
        await put(stub, APPLICATION)
    with pytest.raises(PermissionDenied):
        await put(stub, {"kind": "application", "id": "climber", "roles": ["ADMIN"]})


async def test_nobody_has_the_executor_start_what_they_may_not(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, {**WORKFLOW, "name": "ours"})
    mine = [
        grant("schedule", "*", "CREATE", "UPDATE"),
        grant("event", "*", "CREATE", "UPDATE"),
        grant("workflow", "ours", "READ", "EXECUTE"),
    ]
    stub = await registry.application("team", permissions=mine)
    both = await registry.application("both", roles=["EDITOR", "OPERATOR"])

    def schedule(name: str) -> dict[str, Any]:
        request = {"name": name}
        return {"kind": "schedule", "name": "s", "cronExpression": "@daily",
                "startWorkflowRequest": request}  # fmt: skip

    def handler(*actions: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "event", "name": "h", "event": "conductor:ours:b", "actions": [*actions]}

    starts = {"action": "start_workflow", "start_workflow": {"name": "ours"}}
    ends = {"action": "terminate_workflow", "terminate_workflow": {"workflowId": "${id}"}}
    any_ = {"action": "start_workflow", "start_workflow": {"name": "${name}"}}

    await put(stub, schedule("ours"), handler(starts))
    for refused in (
        schedule(str(WORKFLOW["name"])),
        handler(starts, ends),
        handler(any_),
    ):
        # What it has no access to is told as what is not there.
        with pytest.raises((PermissionDenied, InvalidDefinition)):
            await put(stub, refused)
    await put(both, schedule(str(WORKFLOW["name"])), handler(starts, ends, any_))


async def test_nobody_lets_callers_act_as_one_who_may_do_more(registry: Running) -> None:
    execute = grant("workflow", "checkout", "EXECUTE")
    await put(
        registry.admin,
        {"kind": "application", "id": "strong", "permissions": [execute]},
        {"kind": "application", "id": "weak"},
    )
    editor = await registry.application("editor", roles=["EDITOR"])
    peer = await registry.application("peer", roles=["EDITOR"], permissions=[execute])

    def auth(application: str) -> dict[str, Any]:
        return {
            "kind": "auth",
            "id": f"as-{application}",
            "authenticationType": "NONE",
            "applicationId": application,
        }

    for application in ("strong", "admin", "peer"):
        with pytest.raises(PermissionDenied):
            await put(editor, auth(application))
    await put(editor, auth("weak"))
    await put(peer, auth("strong"))
    with pytest.raises(InvalidDefinition):
        await put(editor, auth("not-there"))


async def test_what_may_not_be_put_tells_nothing_of_what_is_stored(registry: Running) -> None:
    await put(registry.admin, SECRET)
    stub = await registry.application("nobody", permissions=[grant("workflow", "x", "READ")])

    for guess in ("v", "w"):
        with pytest.raises(PermissionDenied):
            await put(stub, {**SECRET, "value": guess}, dry_run=True)


async def entries(registry: Running, size: int = 100) -> list[pb.AuditEntry]:
    answer = await registry.admin.ListAuditEntries(
        pb.ListAuditEntriesRequest(page=PageRequest(page_size=size))
    )
    return list(answer.entries)


async def test_every_change_is_in_the_audit_log(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    await put(registry.admin, WORKFLOW)
    await put(registry.admin, {**WORKFLOW, "description": "new"}, SECRET)
    await put(registry.admin, {**WORKFLOW, "description": "tried"}, dry_run=True)
    await registry.admin.DeleteDefinition(
        pb.DeleteDefinitionRequest(kind="workflow", name="checkout")
    )
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id))

    found = await entries(registry)

    assert [(each.action, each.name) for each in reversed(found)] == [
        ("create-key", "admin"),
        ("create", "checkout"),
        ("change", "checkout"),
        ("create", "A"),
        ("delete", "checkout"),
        ("create-key", "admin"),
        ("revoke-key", "admin"),
    ]
    assert {each.principal for each in found} == {"service:registry", "application:admin"}


async def test_refusals_are_in_the_audit_log_once_a_minute(registry: Running) -> None:
    stub = await registry.application("nobody")
    before = len(await entries(registry))
    for _ in range(5):
        with pytest.raises(PermissionDenied):
            await get(stub, "workflow", "checkout")
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await stub.ListAccessKeys(pb.ListAccessKeysRequest())
        with pytest.raises(Unauthenticated), rpc.raising_ours():
            await registry.anybody.IssueToken(
                pb.IssueTokenRequest(key_id="admin-key", key_secret="guess")
            )

    found = (await entries(registry))[:-before]

    assert {each.outcome for each in found} == {pb.AUDIT_OUTCOME_DENIED}
    assert sorted((each.principal, each.action, each.method) for each in found) == [
        ("application:admin", "issue-token", "IssueToken"),
        ("application:nobody", "read", "GetDefinition"),
        ("application:nobody", "read", "ListAccessKeys"),
    ]


async def test_the_audit_log_comes_in_pages(registry: Running) -> None:
    await put(registry.admin, *({**SECRET, "name": f"S{n}"} for n in range(10)))

    request = pb.ListAuditEntriesRequest(page=PageRequest(page_size=4))
    ids = list[int]()
    while not ids or request.page.page_token:
        answer = await registry.admin.ListAuditEntries(request)
        ids += [each.id for each in answer.entries]
        request.page.page_token = answer.next_page_token

    assert ids == list(range(11, 0, -1))


async def test_the_edge_puts_for_an_application_with_its_rights_and_in_its_name(
    registry: Running,
) -> None:
    await registry.application("writer", permissions=[grant("workflow", "checkout", "CREATE")])
    edge = registry.service("edge")
    request = pb.PutDefinitionsRequest(puts=[pb.DocumentPut(document=json.dumps(WORKFLOW))])
    with pytest.raises(PermissionDenied, match="service:edge may not"), rpc.raising_ours():
        await edge.PutDefinitions(request)
    with pytest.raises(PermissionDenied, match="no application 'nobody'"), rpc.raising_ours():
        await edge.PutDefinitions(request, metadata=rpc.on_behalf_of("nobody"))

    put_for = await edge.PutDefinitions(request, metadata=rpc.on_behalf_of("writer"))
    with pytest.raises(PermissionDenied, match="change"), rpc.raising_ours():
        await edge.PutDefinitions(request, metadata=rpc.on_behalf_of("writer"))

    assert put_for.results[0].definition.updated_by == "application:writer"
    denied, created = (await entries(registry))[:2]
    assert (denied.outcome, denied.principal) == (pb.AUDIT_OUTCOME_DENIED, "application:writer")
    assert (created.action, created.principal) == ("create", "application:writer")


async def test_nobody_but_the_edge_puts_for_others(registry: Running) -> None:
    editor = await registry.application("editor", roles=["EDITOR"])
    request = pb.PutDefinitionsRequest(puts=[pb.DocumentPut(document=json.dumps(WORKFLOW))])

    for stub in (editor, registry.service("executor"), registry.service("registry")):
        with pytest.raises(PermissionDenied, match="Only the edge"), rpc.raising_ours():
            await stub.PutDefinitions(request, metadata=rpc.on_behalf_of("admin"))


async def test_calls_side_by_side_are_each_their_callers(registry: Running) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])
    documents = [{**WORKFLOW, "name": f"w{n}"} for n in range(20)]

    done = await asyncio.gather(
        *(put(registry.admin if n % 2 else viewer, each) for n, each in enumerate(documents)),
        return_exceptions=True,
    )

    assert [isinstance(each, PermissionDenied) for each in done] == [True, False] * 10


async def test_an_access_key_that_is_asked_for_again_is_the_same_until_it_is_revoked(
    registry: Running,
) -> None:
    request = pb.CreateAccessKeyRequest(application_id="admin", request_id=str(uuid4()))

    made = await registry.admin.CreateAccessKey(request)
    again = await registry.admin.CreateAccessKey(request)

    assert again == made
    assert made.key_secret
    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id))
    with pytest.raises(Conflict, match="is revoked"), rpc.raising_ours():
        await registry.admin.CreateAccessKey(request)
