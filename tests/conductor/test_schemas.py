"""``/api/schema``: each endpoint by what is sent and what comes back."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put

POST = "POST /api/schema"
LATEST, ONE = "GET /api/schema/{name}", "GET /api/schema/{name}/{version}"
DELETE, DELETE_ONE = "DELETE /api/schema/{name}", "DELETE /api/schema/{name}/{version}"
# As conductor-python 2.0.0 makes it of a worker's hints.
DATA = {
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
    "properties": {"order": {"type": "string"}}, "required": ["order"],
}  # fmt: skip
OTHER = {"type": "object"}


def schema(name: str, version: int = 1, data: object = DATA) -> dict[str, object]:
    return {"name": name, "version": version, "type": "JSON", "data": data}


ROWS = (
    Row(POST, "stores one, as Python sends it", "/api/schema", 200, schema("sc_one"), ""),
    Row(POST, "stores a list, as JavaScript sends it", "/api/schema?newVersion=false", 200,
        [schema("sc_one", 2, OTHER), schema("sc_two")], ""),
    Row(POST, "stores them again", "/api/schema", 200, schema("sc_one"), ""),
    Row(POST, "ignores what it does not know", "/api/schema", 200,
        {**schema("sc_two"), "updateTime": 7, "somethingNew": {}, "externalRef": None}, ""),
    Row(POST, "wants nothing from elsewhere", "/api/schema", 400,
        {**schema("sc_two"), "externalRef": "http://127.0.0.1/schema"},
        {"validationErrors": [{"path": "externalRef", "message": str}]}),
    Row(POST, "makes new versions", "/api/schema?newVersion=True", 200,
        [schema("sc_one"), schema("sc_one", 9, OTHER), schema("sc_new", 7)], ""),
    Row(POST, "wants names for them", "/api/schema?newVersion=true", 400, [{"data": {}}],
        {"validationErrors": [{"path": "name", "message": "is required"}]}),
    Row(POST, "wants texts for names", "/api/schema?newVersion=true", 400,
        [{"name": ["a"], "data": {}}], {"validationErrors": [{"path": "name", "message": str}]}),
    Row(POST, "tells every fault", "/api/schema", 400,
        [schema("sc_bad", data={"type": "objekt"}), {**schema("sc_avro"), "type": "AVRO"}],
        {"validationErrors": [{"path": "[0].data.type", "message": str},
                              {"path": "[1].type", "message": str}]}),
    Row(POST, "wants objects", "/api/schema", 400, "[7]",
        {"message": "There is a fault: [0]: must be a JSON object: a schema."}),
    Row(POST, "wants some", "/api/schema", 400, [], {"message": "The list of schemas is empty."}),
    Row(LATEST, "tells of the latest", "/api/schema/sc_one", 200,
        answer={**schema("sc_one", 4, OTHER), "createTime": int, "updateTime": int}),
    Row(ONE, "tells of a version", "/api/schema/sc_one/3", 200, answer=schema("sc_one", 3)),
    Row(ONE, "has begun with the first", "/api/schema/sc_new/1", 200, answer=schema("sc_new")),
    Row(ONE, "knows no such version", "/api/schema/sc_one/5", 404,
        answer={"message": "No such schema found by name: sc_one, version: 5", "status": 404}),
    Row(ONE, "wants a number", "/api/schema/sc_one/x", 400, answer={"status": 400}),
    Row(LATEST, "knows no such schema", "/api/schema/sc_bad", 404,
        answer={"message": "No such schema found by name: sc_bad"}),
    Row(DELETE_ONE, "removes one version", "/api/schema/sc_one/4", 200, {}, ""),
    Row(DELETE_ONE, "knows it no more", "/api/schema/sc_one/4", 404),
    Row(DELETE_ONE, "wants a number", "/api/schema/sc_one/-1", 400),
    Row(DELETE, "removes all versions", "/api/schema/sc_one", 200, {}, ""),
    Row(DELETE, "knows none any more", "/api/schema/sc_one", 404),
    Row(DELETE, "leaves what is used", "/api/schema/sc_used", 409, answer={
        "message": "There is a fault: schema 'sc_used': is used by task 'sc_user' "
                   "(inputSchema.name).",
        "errors": [{"pointer": "", "detail": "schema 'sc_used': is used by task 'sc_user' "
                                             "(inputSchema.name)"}]}),
    Row(DELETE_ONE, "leaves what is used", "/api/schema/sc_used/1", 409, answer={"message": str}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    used = {"name": "sc_used", "version": 1}
    await put(
        services,
        {"kind": "schema", **schema("sc_used")},
        {"kind": "task", "name": "sc_user", "inputSchema": used, "enforceSchema": True},
    )
    return {}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


async def test_a_list_tells_of_every_version(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    every = (await api.get("/api/schema")).json()
    assert {**schema("sc_used")}.items() <= {
        name: value for each in every if each["name"] == "sc_used" for name, value in each.items()
    }.items()
    assert not any("kind" in each for each in every)


async def test_many_are_numbered_together(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    many = [schema(f"sc_many_{number}") for number in range(12)]
    for sent in (many, [*many, many[0]]):
        answer = await api.post("/api/schema?newVersion=true", json=sent)
        assert answer.status_code == 200, answer.text
    named = ["sc_many_0", "sc_many_11"]
    latest = [(await api.get(f"/api/schema/{name}")).json()["version"] for name in named]

    assert latest == [3, 2]


async def test_of_many_who_make_a_new_version_none_is_lost(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    path, document = "/api/schema?newVersion=true", schema("sc_race")
    answers = await asyncio.gather(*(api.post(path, json=[document]) for _ in range(4)))
    latest = (await api.get("/api/schema/sc_race")).json()

    assert [each.status_code for each in answers] == [200] * 4
    assert latest["version"] == 4
