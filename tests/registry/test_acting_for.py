"""Whoever lets others act, or has the executor act, may do all of it: by role, grant or tag."""

from __future__ import annotations

from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.access import Application, Grant
from services.access.beyond import beyond
from services.errors import PermissionDenied
from tests.registry.registries import Running, document, put
from tests.registry.test_lending import grant, workflow

AUTH = {"kind": "auth", "id": "keys", "authenticationType": "API_KEY", "applicationId": "shop"}
SHOP = {"kind": "application", "id": "shop",
        "permissions": [grant("workflow", "make-report", "EXECUTE")]}  # fmt: skip


def application(*roles: str, **grants: str) -> Application:
    """Grants as ``workflow="EXECUTE pay"``."""
    given = (
        Grant(frozenset(text.split()[:-1]), kind, text.split()[-1]) for kind, text in grants.items()
    )
    return Application("a", frozenset(roles), tuple(given))


@pytest.mark.parametrize(
    ("own", "lent", "more"),
    [
        (application("EDITOR"), application(workflow="EXECUTE pay"), ["EXECUTE on workflow 'pay'"]),
        (application("OPERATOR"), application(workflow="EXECUTE pay"), []),
        (application("OPERATOR"), application(tag="EXECUTE READ x:y"), []),
        (application("EDITOR"), application(tag="READ UPDATE DELETE x:y"), []),
        (application("VIEWER"), application(workflow="READ EXECUTE *"),
         ["EXECUTE on workflow '*'"]),
        (application(workflow="READ EXECUTE *"), application(workflow="EXECUTE pay"), []),
        (application(workflow="EXECUTE pay"), application(workflow="EXECUTE *"),
         ["EXECUTE on workflow '*'"]),
        (application(tag="EXECUTE team:a"), application(workflow="EXECUTE pay"), []),
        (application(tag="EXECUTE team:a"), application(workflow="EXECUTE *"),
         ["EXECUTE on workflow '*'"]),
        (application(tag="EXECUTE team:b"), application(workflow="EXECUTE pay"),
         ["EXECUTE on workflow 'pay'"]),
        (application(tag="EXECUTE *"), application(tag="EXECUTE team:b"), []),
        (application(workflow="EXECUTE *"), application(tag="EXECUTE team:b"),
         ["EXECUTE on tag 'team:b'"]),
        # It gives nothing.
        (application("VIEWER"), application(application="UPDATE *"), []),
        (application("OPERATOR"), application("VIEWER", "WORKER"), []),
        (application("EDITOR"), application("VIEWER", "WORKER"), ["the role WORKER"]),
        (application("EDITOR"), application("OPERATOR"), ["the role OPERATOR"]),
        (application("EDITOR", "OPERATOR", "WORKER"), application("ADMIN"), ["the role ADMIN"]),
        (application("OPERATOR", workflow="READ UPDATE *"), application("EDITOR"),
         ["the role EDITOR"]),
    ],
)  # fmt: skip
def test_what_one_has_beyond_another(own: Application, lent: Application, more: list[str]) -> None:
    def tags_of(kind: str, name: str) -> tuple[str, ...]:
        return ("team:a",) if (kind, name) == ("workflow", "pay") else ()

    assert [*beyond(lent, own, tags_of)] == more


async def create_key(stub: Any) -> None:
    with rpc.raising_ours():
        await stub.CreateApiKey(pb.CreateApiKeyRequest(auth_id="keys"))


async def test_a_key_is_made_by_who_may_what_it_opens(registry: Running) -> None:
    await put(registry.admin, SHOP, workflow("make-report", "a"), AUTH)
    on_auth = grant("auth", "keys", "UPDATE")
    covers = [
        await registry.application("both", roles=["EDITOR", "OPERATOR"]),
        await registry.application("one", roles=["EDITOR"], permissions=SHOP["permissions"]),
        await registry.application(
            "kind", permissions=[on_auth, grant("workflow", "*", "EXECUTE", "READ")]
        ),
        await registry.application("tag", permissions=[on_auth, grant("tag", "team:a", "EXECUTE")]),
    ]

    for stub in covers:
        await create_key(stub)
    editor = await registry.application("editor", roles=["EDITOR"])
    for call in (create_key(editor), put(editor, AUTH | {"id": "more"})):
        with pytest.raises(
            PermissionDenied, match="has EXECUTE on workflow 'make-report', which you have not"
        ):
            await call


async def test_what_an_application_may_is_not_told_to_who_may_not_read_it(
    registry: Running,
) -> None:
    await put(registry.admin, SHOP, workflow("make-report", "a"), AUTH)
    stub = await registry.application("team", permissions=[grant("auth", "keys", "UPDATE")])

    with pytest.raises(PermissionDenied, match="may do more than you") as caught:
        await create_key(stub)
    assert "make-report" not in caught.value.detail


NIGHTLY = {"kind": "schedule", "name": "nightly", "cronExpression": "0 0 1 * * ?",
           "startWorkflowRequest": {"name": "pay"}}  # fmt: skip
STARTS = {"action": "start_workflow", "start_workflow": {"name": "pay"}}
HANDLER = {"kind": "event", "name": "h", "event": "conductor:pay:x", "active": True,
           "actions": [STARTS]}  # fmt: skip


@pytest.mark.parametrize(
    ("running", "stopped"),
    [
        (NIGHTLY, NIGHTLY | {"paused": True, "pausedReason": "moving"}),
        (HANDLER, HANDLER | {"active": False}),
    ],
)
async def test_an_editor_stops_what_it_may_not_start(
    registry: Running, running: dict[str, Any], stopped: dict[str, Any]
) -> None:
    await put(registry.admin, workflow("pay", "a"), running)
    editor = await registry.application("editor", roles=["EDITOR"])

    await put(editor, running | {"description": "said better"})
    # As commands do it: what is read, and what is to be another.
    changed = {name: value for name, value in stopped.items() if running.get(name) != value}
    read = await document(editor, running["kind"], running["name"])
    await put(editor, {"kind": running["kind"], **read, **changed})
    await put(editor, stopped | {"description": "said better"})
    another = (
        {"cronExpression": "0 * * * * ?"} if "cronExpression" in running else {"condition": "1"}
    )
    for refused in (running, stopped | another, running | {"name": "another"}):
        with pytest.raises(PermissionDenied, match="takes EXECUTE on it, which you have not"):
            await put(editor, refused)


async def test_a_schedule_is_put_by_who_may_start_its_workflow_by_a_tag(registry: Running) -> None:
    await put(registry.admin, workflow("pay", "a"), workflow("other", "b"))
    grants = [grant("tag", "team:a", "EXECUTE"), grant("schedule", "*", "CREATE"),
              grant("workflow", "other", "READ")]  # fmt: skip
    stub = await registry.application("team", permissions=grants)

    await put(stub, NIGHTLY)
    with pytest.raises(PermissionDenied, match="would start the workflow 'other'"):
        await put(stub, NIGHTLY | {"name": "n", "startWorkflowRequest": {"name": "other"}})
