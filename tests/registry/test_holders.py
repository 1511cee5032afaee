"""Who has an access and by what, what an application may, and what the caller itself may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.registry.v1 import access_pb2 as pb, registry_pb2
from services import rpc
from services.errors import InvalidRequest, NotFound, PermissionDenied, Unauthenticated
from services.rights import RIGHTS, rpc as method
from tests.registry.registries import WORKFLOW, Running, put
from tests.registry.test_lending import grant, workflow


async def holders(stub: Any, access: str, kind: str, name: str) -> dict[str, list[str]]:
    """The grounds of each holder, by its id."""
    with rpc.raising_ours():
        told = await stub.ListHolders(pb.ListHoldersRequest(access=access, kind=kind, name=name))
    return {
        each.application_id: [
            why.role or f"{why.grant.kind} {why.grant.name}" for why in each.grounds
        ]
        for each in told.holders
    }


async def reaches(stub: Any) -> dict[str, int]:
    with rpc.raising_ours():
        told = await stub.GetOwnAccess(pb.GetOwnAccessRequest())
    return {each.method: each.reach for each in told.access.methods}


async def test_holders_are_told_with_all_their_grounds(registry: Running) -> None:
    await put(
        registry.admin,
        workflow("w", "a"),
        {"kind": "application", "id": "ops", "roles": ["OPERATOR", "EDITOR"],
         "permissions": [grant("workflow", "w", "EXECUTE")]},
        {"kind": "application", "id": "tag", "permissions": [grant("tag", "team:a", "EXECUTE")]},
        {"kind": "application", "id": "all", "permissions": [grant("workflow", "*", "EXECUTE")]},
        {"kind": "application", "id": "no", "permissions": [grant("tag", "team:b", "EXECUTE")]},
        {"kind": "application", "id": "do", "roles": ["WORKER"]},
    )  # fmt: skip

    assert await holders(registry.admin, "EXECUTE", "workflow", "w") == {
        "admin": ["ADMIN"],
        "all": ["workflow *"],
        "ops": ["OPERATOR", "workflow w"],
        "tag": ["tag team:a"],
    }
    assert set(await holders(registry.admin, "DELETE", "workflow", "w")) == {"admin", "ops"}
    # Workers have types that nothing defines.
    assert set(await holders(registry.admin, "EXECUTE", "task", "t")) == {"admin", "do", "ops"}
    # Of applications only an administrator makes another.
    assert set(await holders(registry.admin, "UPDATE", "application", "no")) == {"admin"}


async def test_a_holder_is_told_to_those_who_may_read_both(registry: Running) -> None:
    await put(registry.admin, workflow("w", "a"), workflow("hidden", "b"))
    await put(registry.admin, {"kind": "application", "id": "known", "roles": ["OPERATOR"]})
    grants = [grant("tag", "team:a", "READ", "EXECUTE"), grant("application", "known", "READ")]
    stub = await registry.application("team", permissions=grants)

    assert await holders(stub, "EXECUTE", "workflow", "w") == {
        "known": ["OPERATOR"], "team": ["tag team:a"]
    }  # fmt: skip
    request = pb.ListHoldersRequest(access="EXECUTE", kind="workflow", name="w")
    assert not (await stub.ListHolders(request)).complete
    assert (await registry.admin.ListHolders(request)).complete
    for name in ("hidden", "nobodys"):
        with pytest.raises(PermissionDenied):
            await holders(stub, "EXECUTE", "workflow", name)
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.GetAccess(pb.GetAccessRequest(application_id="admin"))


@pytest.mark.parametrize(
    ("access", "kind", "name", "error"),
    [
        ("FLY", "workflow", "checkout", InvalidRequest),
        ("", "workflow", "checkout", InvalidRequest),
        ("READ", "nothing", "checkout", InvalidRequest),
        ("READ", "workflow", "nobodys", NotFound),
        ("UPDATE", "task", "nobodys", NotFound),
    ],
)
async def test_what_makes_no_sense_is_refused(
    registry: Running, access: str, kind: str, name: str, error: type[Exception]
) -> None:
    await put(registry.admin, WORKFLOW)
    with pytest.raises(error):
        await holders(registry.admin, access, kind, name)
    await holders(registry.admin, "CREATE", "workflow", "nobodys")


async def test_what_the_caller_may_is_what_the_table_says(registry: Running) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])
    team = await registry.application("team", permissions=[grant("workflow", "w", "READ")])
    own = (await team.GetOwnAccess(pb.GetOwnAccessRequest())).access
    of_other = await viewer.GetAccess(pb.GetAccessRequest(application_id="team"))

    assert own.principal == "application:team"
    assert own.access_key_id
    assert of_other.access.methods == own.methods
    assert not of_other.access.access_key_id
    for stub, get, put_ in (
        (viewer, pb.REACH_ALL, pb.REACH_NONE),
        (team, pb.REACH_GRANTED, pb.REACH_NONE),
        (registry.admin, pb.REACH_ALL, pb.REACH_ALL),
    ):
        told = await reaches(stub)
        assert set(told) == set(RIGHTS)
        assert told[method("registry.GetDefinition")] == get
        assert told[method("registry.PutDefinitions")] == put_
        assert told[method("executor.Session")] == pb.REACH_NONE
    edge = await reaches(registry.service("edge"))
    assert edge[method("executor.Session")] == pb.REACH_ALL
    assert edge[method("registry.PutDefinitions")] == pb.REACH_NONE


async def test_a_change_of_rights_is_told_at_once(registry: Running) -> None:
    team = await registry.application("team", roles=["VIEWER"])
    watch = aiter(team.WatchOwnAccess(pb.WatchOwnAccessRequest()))
    async with asyncio.timeout(20):
        first = await anext(watch)
        await put(registry.admin, WORKFLOW)
        await put(registry.admin, {"kind": "application", "id": "team", "roles": ["EDITOR"]})
        second = await anext(watch)
        assert list(first.access.roles) == ["VIEWER"]
        assert list(second.access.roles) == ["EDITOR"]
        await registry.admin.DeleteDefinition(
            registry_pb2.DeleteDefinitionRequest(kind="application", name="team")
        )
        with pytest.raises((Unauthenticated, PermissionDenied)), rpc.raising_ours():
            while True:
                await anext(watch)


async def test_of_a_paused_application_it_is_told_that_it_is_paused(registry: Running) -> None:
    vi = {"kind": "application", "id": "vi", "roles": ["VIEWER"]}
    stub = await registry.application("vi", roles=["VIEWER"])
    watch = stub.WatchCatalog(registry_pb2.WatchCatalogRequest(without_documents=True))
    while (await anext(aiter(watch))).WhichOneof("event") != "caught_up":
        pass
    await put(registry.admin, vi | {"enabled": False})

    with pytest.raises(PermissionDenied, match="is paused"), rpc.raising_ours():
        async for _ in watch:
            pass
    told = await registry.admin.GetAccess(pb.GetAccessRequest(application_id="vi"))
    assert told.access.paused
    await put(registry.admin, vi)
    again = await registry.admin.GetAccess(pb.GetAccessRequest(application_id="vi"))
    assert not again.access.paused
