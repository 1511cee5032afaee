"""Applications, their roles and access keys, and who a caller is, as Orkes' clients have them."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put
from tui.clients import connected

ALL, ONE = "/api/applications", "/api/applications/<app>"
KEYS, ROLES = f"{ONE}/accessKeys", f"{ONE}/roles"
NONE = f"{ALL}/ap-none"
TAG = {"key": "team", "type": "METADATA", "value": "shop"}
OTHER = {"key": "tier", "type": "METADATA", "value": "1"}
UNKNOWN = {"status": 404, "message": "Application 'ap-none' not found", "retryable": False}
REFUSED = {"status": 400, "message": str, "retryable": False}
ON_ONE, ON_ROLE = "/api/applications/{id}", "/api/applications/{applicationId}/roles/{role}"
ON_KEYS = "/api/applications/{id}/accessKeys"
ON_KEY = "/api/applications/{applicationId}/accessKeys/{keyId}"
OF_KEY = "/api/applications/key/{accessKeyId}"
SHOWN = {"id": "<app>", "name": "Renamed", "createTime": int, "updateTime": int, "updatedBy": str}

ROWS = (
    Row(f"POST {ALL}", "wants a name", ALL, 400, {}, REFUSED),
    Row(f"POST {ALL}", "wants a text", ALL, 400, {"name": ["x"]}, REFUSED),
    Row(f"POST {ALL}", "wants an object", ALL, 400, ["x"], REFUSED),
    Row(f"PUT {ON_ONE}", "names it anew", ONE, 200, {"name": "Renamed", "id": "x"}, SHOWN),
    Row(f"PUT {ON_ONE}", "wants a name", ONE, 400, {"name": ""}, REFUSED),
    Row(f"PUT {ON_ONE}", "knows no such application", NONE, 404, {"name": "x"}, UNKNOWN),
    Row(f"GET {ON_ONE}", "tells of it", ONE, 200, answer=SHOWN),
    Row(f"GET {ON_ONE}", "knows no such application", NONE, 404, answer=UNKNOWN),
    Row(f"POST {ON_ROLE}", "has Orkes' by ours", f"{ROLES}/METADATA_MANAGER", 200, {}, ""),
    Row(f"POST {ON_ROLE}", "adds one of ours", f"{ROLES}/VIEWER", 200, {}, ""),
    Row(f"POST {ON_ROLE}", "adds none twice", f"{ROLES}/VIEWER", 200, {}, ""),
    Row(f"POST {ON_ROLE}", "adds none to what is granted", f"{ROLES}/USER", 200, {}, ""),
    Row(f"POST {ON_ROLE}", "has all workers'", f"{ROLES}/UNRESTRICTED_WORKER", 200, {}, ""),
    Row(f"DELETE {ON_ROLE}", "takes one away", f"{ROLES}/USER_READ_ONLY", 200, {}, ""),
    Row(f"DELETE {ON_ROLE}", "takes none that is not there", f"{ROLES}/WORKER", 200, {}, ""),
    Row(f"POST {ON_ROLE}", "knows no such role", f"{ROLES}/KING", 400, {}, REFUSED),
    Row(f"POST {ON_ROLE}", "knows no such application", f"{NONE}/roles/ADMIN", 404, {}, UNKNOWN),
    Row(f"GET {ON_KEYS}", "tells of none", KEYS, 200, answer=[]),
    Row(f"GET {ON_KEYS}", "knows no such application", f"{NONE}/accessKeys", 404, answer=UNKNOWN),
    Row(f"POST {ON_KEYS}", "knows no such application", f"{NONE}/accessKeys", 404, {}, UNKNOWN),
    Row(f"DELETE {ON_KEY}", "knows no such key", f"{KEYS}/ak-none", 404, {},
        {"status": 404, "message": "Access key 'ak-none' not found"}),
    Row(f"GET {OF_KEY}", "knows no such key", f"{ALL}/key/ak-none", 404,
        answer={"status": 404, "message": "Access key 'ak-none' not found"}),
    Row(f"PUT {ON_ONE}/tags", "adds one", f"{ONE}/tags", 200, [TAG], ""),
    Row(f"PUT {ON_ONE}/tags", "leaves others", f"{ONE}/tags", 200, [OTHER], ""),
    Row(f"GET {ON_ONE}/tags", "tells of all", f"{ONE}/tags", 200, answer=[TAG, OTHER]),
    Row(f"GET {ON_ONE}", "has its tags", ONE, 200, answer={**SHOWN, "tags": [TAG, OTHER]}),
    Row(f"DELETE {ON_ONE}/tags", "removes one", f"{ONE}/tags", 200, [TAG], ""),
    Row(f"POST {ON_ONE}/tags", "adds one, too", f"{ONE}/tags", 200, TAG, ""),
    Row(f"PUT {ON_ONE}/tags", "wants tags", f"{ONE}/tags", 400, ["x"], REFUSED),
    Row(f"GET {ON_ONE}/tags", "knows no such application", f"{NONE}/tags", 404, answer=UNKNOWN),
    Row("GET /api/token/userInfo", "tells who asks", "/api/token/userInfo", 200,
        answer={"id": str, "name": str, "applicationUser": True,
                "roles": [{"name": "ADMIN"}], "groups": []}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services, api: httpx.AsyncClient) -> dict[str, str]:
    made = await api.post(ALL, json={"name": "Of tests"})
    assert made.status_code == 200, made.text
    assert made.json()["name"] == "Of tests"
    return {"app": made.json()["id"]}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


async def test_roles_are_those_that_were_added_and_not_taken(
    api: httpx.AsyncClient, services: Services
) -> None:
    await put(services, {"kind": "application", "id": "ap-roles", "roles": ["WORKER"]})
    for role in ("WORKFLOW_MANAGER", "METADATA_MANAGER"):
        assert (await api.post(f"{ALL}/ap-roles/roles/{role}")).status_code == 200
    assert (await api.delete(f"{ALL}/ap-roles/roles/WORKER")).status_code == 200
    await api.put(f"{ALL}/ap-roles", json={"name": "Kept"})

    key = (await api.post(f"{ALL}/ap-roles/accessKeys")).json()
    token = await _token(api, key)
    told = (await api.get("/api/token/userInfo", headers={"x-authorization": token})).json()
    assert told == {
        "id": "application:ap-roles", "name": "Kept", "applicationUser": True, "groups": [],
        "roles": [{"name": "EDITOR"}, {"name": "OPERATOR"}],
    }  # fmt: skip


async def test_a_key_opens_until_it_is_deleted(api: httpx.AsyncClient, services: Services) -> None:
    await put(services, {"kind": "application", "id": "ap-keys", "roles": ["VIEWER"]})
    await put(services, {"kind": "application", "id": "ap-other"})
    path = f"{ALL}/ap-keys/accessKeys"
    key = (await api.post(path)).json()
    assert set(key) == {"id", "secret"}
    listed = (await api.get(path)).json()
    assert [(each["id"], each["status"]) for each in listed] == [(key["id"], "ACTIVE")]
    assert key["secret"] not in str(listed)
    assert (await api.get(f"{ALL}/key/{key['id']}")).json()["id"] == "ap-keys"
    token = {"x-authorization": await _token(api, key)}
    assert (await api.get("/api/token/userInfo", headers=token)).status_code == 200

    elsewhere = await api.delete(f"{ALL}/ap-other/accessKeys/{key['id']}")
    assert elsewhere.status_code == 404
    assert (await api.delete(f"{path}/{key['id']}")).status_code == 200
    assert (await api.get(path)).json() == []
    assert (await api.delete(f"{path}/{key['id']}")).status_code == 404
    refused = await api.post("/api/token", json={"keyId": key["id"], "keySecret": key["secret"]})
    assert refused.status_code == 401


async def test_a_key_whose_time_has_passed_is_inactive(
    api: httpx.AsyncClient, services: Services
) -> None:
    await put(services, {"kind": "application", "id": "ap-short"})
    end = Timestamp()
    end.FromMilliseconds(time.time_ns() // 1_000_000 + 50)
    wanted = pb.CreateAccessKeyRequest(application_id="ap-short", expires_at=end)
    async with connected(services.suite) as clients, asyncio.timeout(30):
        await clients.registry.CreateAccessKey(wanted)
        while (await api.get(f"{ALL}/ap-short/accessKeys")).json()[0]["status"] == "ACTIVE":
            pass
    (key,) = (await api.get(f"{ALL}/ap-short/accessKeys")).json()
    assert (key["status"], time.time() * 1000 >= end.ToMilliseconds()) == ("INACTIVE", True)


async def test_an_application_goes_with_its_keys(api: httpx.AsyncClient) -> None:
    id_ = (await api.post(ALL, json={"name": "Gone soon"})).json()["id"]
    key = (await api.post(f"{ALL}/{id_}/accessKeys")).json()
    assert id_ in {each["id"] for each in (await api.get(ALL)).json()}
    assert (await api.delete(f"{ALL}/{id_}")).status_code == 200
    assert (await api.delete(f"{ALL}/{id_}")).status_code == 404
    assert (await api.get(f"{ALL}/key/{key['id']}")).status_code == 404


async def _token(api: httpx.AsyncClient, key: dict[str, str]) -> str:
    body = {"keyId": key["id"], "keySecret": key["secret"]}
    return str((await api.post("/api/token", json=body)).json()["token"])
