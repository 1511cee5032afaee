"""The OpenAPI document of a service: valid, true to its routes, and open or not."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from services.edge.openapi.names import operation_names
from services.edge.problems import KINDS, NOT_OF_ROUTES
from services.edge.routes import routes_of
from services.json_schema import compiled
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, put, route, service

FEEDBACK = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"rating": {"$ref": "#/definitions/stars"}},
    "required": ["rating"],
    "definitions": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
}
LISTING = {"type": "object", "properties": {"page": {"type": "integer"}, "id": {"minLength": 2}}}


def shop(**fields: Any) -> dict[str, Any]:
    parameters = [
        {"name": "currency", "enum": ["EUR", "USD"], "default": "EUR", "description": "Of prices."},
        {"name": "tags", "type": "array", "required": True},
    ]
    envelope: dict[str, Any] = {"postResponseScript": "({})", "responseEnvelope": True}
    limit = {"name": "few", "limit": 1, "windowSeconds": 60}
    return service(
        route("POST", "/{id}/feedback", inputSchema=FEEDBACK, description="Say how it was"),
        route("GET", "/{id}", inputSchema=LISTING, outputSchema={"type": "array"}),
        route("GET", "/", queryParameters=parameters),
        route("PUT", "/later", workflowExecutionMode="ASYNCHRONOUS"),
        route("DELETE", "/{id}", rateLimits=[limit], **envelope),
        id="shop",
        path="/shop",
        name="The shop",
        **fields,
    )


async def told(edge: Edge) -> dict[str, Any]:
    answer = await edge.client.get("/shop/openapi", headers={"x-api-key": ""})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_the_document_is_valid_and_has_every_route(edge: Edge) -> None:
    put(edge.replica, shop())

    document = await told(edge)

    validate(document)
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "The shop"
    operations = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert operations == {
        "POST /shop/{id}/feedback": "POST_id_feedback",
        "GET /shop/{id}": "GET_id",
        "GET /shop": "GET",
        "PUT /shop/later": "PUT_later",
        "DELETE /shop/{id}": "DELETE_id",
        "GET /-/executions/{executionId}": "getExecution",
        "DELETE /-/executions/{executionId}": "cancelExecution",
    }


async def test_an_idempotency_key_is_told_of_where_it_is_heeded(edge: Edge) -> None:
    put(edge.replica, shop())
    paths = (await told(edge))["paths"]

    def heeds(path: str, method: str) -> bool:
        parameters = paths[path][method].get("parameters", ())
        return any(each["name"] == "Idempotency-Key" for each in parameters)

    assert heeds("/shop/{id}/feedback", "post")
    assert heeds("/shop/later", "put")
    assert heeds("/shop/{id}", "delete")
    assert not heeds("/shop/{id}", "get")
    put(edge.replica, shop(authConfigId="open"))
    paths = (await told(edge))["paths"]
    assert not heeds("/shop/later", "put")


async def test_a_replay_is_told_of_where_a_key_is_heeded(edge: Edge) -> None:
    put(edge.replica, shop())
    paths = (await told(edge))["paths"]

    def replays(path: str, method: str, status: str) -> bool:
        return "Idempotent-Replayed" in paths[path][method]["responses"][status]["headers"]

    assert replays("/shop/{id}/feedback", "post", "200")
    assert replays("/shop/later", "put", "202")
    assert not replays("/shop/{id}", "get", "200")
    assert not replays("/shop/{id}", "get", "202")
    put(edge.replica, shop(authConfigId="open"))
    paths = (await told(edge))["paths"]
    assert not replays("/shop/{id}/feedback", "post", "200")


async def test_parameters_and_schemas_are_those_of_the_routes(edge: Edge) -> None:
    put(edge.replica, shop())

    document = await told(edge)
    paths = document["paths"]

    feedback = paths["/shop/{id}/feedback"]["post"]
    body = feedback["requestBody"]
    assert feedback["summary"] == "Say how it was"
    assert body["required"] is True
    schema = body["content"]["application/json"]["schema"]
    place = "#/components/schemas/POST_id_feedback_input"
    assert schema == {"$ref": place}
    assert document["components"]["schemas"]["POST_id_feedback_input"] == {
        **FEEDBACK,
        "properties": {"rating": {"$ref": f"{place}/definitions/stars"}},
    }
    listed = {each["name"]: each for each in paths["/shop/{id}"]["get"]["parameters"]}
    assert listed["id"]["schema"] == {"minLength": 2}
    assert (listed["page"]["in"], listed["page"]["required"]) == ("query", False)
    produced = paths["/shop/{id}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert produced["schema"]["type"] == "array"
    currency, tags = paths["/shop"]["get"]["parameters"][:2]
    assert currency["schema"] == {"type": "string", "enum": ["EUR", "USD"], "default": "EUR"}
    assert (currency["required"], tags["required"]) == (False, True)
    assert tags["schema"] == {"type": "array", "items": {"type": "string"}}


async def test_parameters_take_what_their_schemas_refer_to_with_them(edge: Edge) -> None:
    definitions = {"Page": {"$ref": "#/$defs/Number"}, "Number": {"type": "integer"}}
    page = {"$ref": "#/$defs/Page"}
    schema = {
        "properties": {"id": page, "page": page, "all": {"type": "boolean"}},
        "$defs": definitions,
    }
    put(edge.replica, service(route("GET", "/{id}", inputSchema=schema), id="shop", path="/shop"))

    document = await told(edge)

    validate(document)
    place = "#/components/schemas/GET_id_input"
    parameters = document["paths"]["/shop/{id}"]["get"]["parameters"]
    assert {each["name"]: each["schema"] for each in parameters if each["name"] != "Prefer"} == {
        "id": {"$ref": f"{place}/properties/id"},
        "page": {"$ref": f"{place}/properties/page"},
        "all": {"type": "boolean"},
    }
    component = document["components"]["schemas"]["GET_id_input"]
    assert component["properties"]["page"] == {"$ref": f"{place}/$defs/Page"}
    assert component["$defs"]["Page"] == {"$ref": f"{place}/$defs/Number"}


async def test_paths_that_differ_by_names_only_are_one(edge: Edge) -> None:
    schema = {"properties": {"other": {"minLength": 2}}}
    routes = [
        route("GET", "/{id}/lines/{line}"),
        route("DELETE", "/{other}/lines/{n}", inputSchema=schema),
        route("POST", "/{line}/lines/{id}"),
    ]
    put(edge.replica, service(*routes, id="shop", path="/shop"))

    document = await told(edge)

    validate(document)
    paths = document["paths"]
    assert set(paths) == {"/shop/{id}/lines/{line}", "/-/executions/{executionId}"}
    item = paths["/shop/{id}/lines/{line}"]
    assert {
        method: [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        for method, operation in item.items()
    } == {method: ["id", "line"] for method in ("get", "delete", "post")}
    assert item["delete"]["operationId"] == "DELETE_other_lines_n"
    assert item["delete"]["parameters"][0]["schema"] == {"minLength": 2}


async def test_answers_are_those_that_a_route_can_give(edge: Edge) -> None:
    put(edge.replica, shop())

    paths = (await told(edge))["paths"]

    later = paths["/shop/later"]["put"]["responses"]
    # Events, for those who prefer them.
    assert set(later["200"]["content"]) == {"text/event-stream"}
    assert "Location" in later["202"]["headers"]
    assert "429" in paths["/shop/{id}"]["delete"]["responses"]
    assert "429" not in later
    assert "415" in later
    assert "415" not in paths["/shop/{id}"]["delete"]["responses"]
    assert "default" in paths["/shop/{id}"]["delete"]["responses"]


async def test_keys_are_told_where_they_are_needed(edge: Edge) -> None:
    put(edge.replica, shop())
    closed = await told(edge)
    put(edge.replica, {**shop(), "authConfigId": "open"})
    free = await told(edge)

    validate(free)
    assert closed["security"] == [{"ApiKey": []}, {"Bearer": []}, {"Basic": []}]
    assert "security" not in free
    assert "401" not in free["paths"]["/shop"]["get"]["responses"]
    assert "401" in closed["paths"]["/shop"]["get"]["responses"]


async def test_it_is_yaml_for_whom_wants_it(edge: Edge) -> None:
    put(edge.replica, shop())
    document = await told(edge)

    by_query = await edge.client.get("/shop/openapi?format=yaml")
    by_header = await edge.client.get("/shop/openapi", headers={"accept": "application/yaml"})

    assert by_query.headers["content-type"] == "application/yaml"
    assert by_query.text == by_header.text
    assert YAML(typ="safe", pure=True).load(by_query.text) == document


async def test_who_has_it_is_not_sent_it_again(edge: Edge) -> None:
    put(edge.replica, shop())
    first = await edge.client.get("/shop/openapi")
    tag = first.headers["etag"]

    again = await edge.client.get("/shop/openapi", headers={"if-none-match": f'"x", W/{tag}'})
    other = await edge.client.get("/shop/openapi?format=yaml", headers={"if-none-match": tag})
    put(edge.replica, shop(description="Now with pears"))
    changed = await edge.client.get("/shop/openapi", headers={"if-none-match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200
    assert changed.status_code == 200
    assert changed.json()["info"]["description"] == "Now with pears"


async def test_a_schema_that_has_changed_is_told_at_once(edge: Edge) -> None:
    def schema(version: int) -> dict[str, Any]:
        data = {"title": f"Rating {version}"}
        return {"kind": "schema", "name": "Rating", "version": version, "data": data}

    async def title() -> str:
        body = (await told(edge))["paths"]["/shop"]["post"]["requestBody"]
        found: str = body["content"]["application/json"]["schema"]["title"]
        return found

    rated = route("POST", "/", inputSchemaRef={"name": "Rating"})
    put(edge.replica, schema(1))
    put(edge.replica, service(rated, id="shop", path="/shop"))
    before = await title()
    put(edge.replica, schema(2))

    assert (before, await title()) == ("Rating 1", "Rating 2")


async def test_pages_that_may_call_the_service_may_read_it(edge: Edge) -> None:
    origin = "https://pages.example"
    put(edge.replica, shop(corsConfig={"accessControlAllowOrigin": [origin]}, docsPublic=False))

    answers = [
        await edge.client.get("/shop/openapi", headers={"origin": origin, "x-api-key": key})
        for key in (KEY, "")
    ]

    assert [each.status_code for each in answers] == [200, 401]
    assert {each.headers["access-control-allow-origin"] for each in answers} == {origin}


async def test_pages_that_may_call_the_service_may_ask_for_its_document(edge: Edge) -> None:
    origin = "https://pages.example"
    put(edge.replica, shop(corsConfig={"accessControlAllowOrigin": [origin]}))
    headers = {
        "origin": origin,
        "access-control-request-method": "GET",
        "access-control-request-headers": "x-api-key",
    }

    answer = await edge.client.options("/shop/openapi", headers=headers)
    stranger = {**headers, "origin": "https://elsewhere.example"}
    other = await edge.client.options("/shop/openapi", headers=stranger)
    nowhere = await edge.client.options("/nowhere/openapi", headers=headers)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-allow-headers"] == "x-api-key"
    assert "access-control-allow-origin" not in other.headers
    assert nowhere.status_code == 404


async def test_a_service_may_keep_it_to_its_callers(edge: Edge) -> None:
    put(edge.replica, shop(docsPublic=False))

    without = await edge.client.get("/shop/openapi", headers={"x-api-key": ""})
    with_key = await edge.client.get("/shop/openapi")

    assert without.status_code == 401
    assert "www-authenticate" in without.headers
    assert with_key.status_code == 200


async def statuses(edge: Edge, path: str) -> list[int]:
    methods = ("GET", "HEAD", "OPTIONS", "POST")
    answers: list[httpx.Response] = [
        await edge.client.request(method, path, headers={"x-api-key": ""}) for method in methods
    ]
    return [answer.status_code for answer in answers]


async def test_it_is_there_to_be_read(edge: Edge) -> None:
    put(edge.replica, shop())

    assert await statuses(edge, "/shop/openapi") == [200, 200, 204, 405]
    assert await statuses(edge, "/nowhere/openapi") == [404, 404, 404, 404]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/{orderId}/checkout"], ["POST_orderId_checkout"]),
        (["/"], ["POST"]),
        (["/a-b", "/a_b", "/a.b"], ["POST_a_b", "POST_a_b_2", "POST_a_b_3"]),
        (["/café/ü"], ["POST_caf"]),
        (["/" + "x" * 100, "/" + "x" * 99], ["POST_" + "x" * 59, "POST_" + "x" * 57 + "_2"]),
    ],
)
def test_names_are_short_plain_and_unique(paths: list[str], names: list[str]) -> None:
    routes = routes_of(service(*(route("POST", path) for path in paths)))

    assert list(operation_names(routes).values()) == names
    assert all(len(name) <= 64 for name in names)


async def test_a_route_that_keeps_answers_says_how_to_ask_for_less(edge: Edge) -> None:
    kept = [route(method, "/kept", cacheConfig={}) for method in ("GET", "POST")]
    put(edge.replica, service(*kept, id="shop", path="/shop"))

    document = await told(edge)

    validate(document)
    operations = document["paths"]["/shop/kept"]
    got, posted = operations["get"], operations["post"]
    assert "304" in got["responses"]
    assert "304" not in posted["responses"]
    assert {"Cache-Status", "Age", "ETag"} <= set(got["responses"]["200"]["headers"])
    assert "ETag" not in posted["responses"]["200"]["headers"]
    assert "If-None-Match" in [each["name"] for each in got["parameters"]]


EVERYTHING: dict[str, Any] = {
    "inputSchema": {
        "type": "object",
        "properties": {"rating": {"$ref": "#/$defs/stars"}, "of": {"format": "uuid"}},
        "required": ["rating"],
        "$defs": {"stars": {"type": "integer", "minimum": 2}},
    },
    "outputSchema": {"$id": "https://shop.example/said", "properties": {"a": {"$ref": "said#"}}},
    "queryParameters": [{"name": "size", "type": "number"}, {"name": "tags", "type": "array"}],
    "preRequestScript": "$",
    "postResponseScript": "({})",
    "responseEnvelope": True,
    "cacheConfig": {},
    "rateLimits": [{"name": "few", "limit": 1, "windowSeconds": 60}],
    "completionWebhook": {"url": "https://hooks.example/", "secretName": "KEY", "callerUrl": True},
    "exposeDetails": True,
}


@pytest.mark.parametrize("auth", ["partners", "open"])
async def test_a_service_with_everything_is_told_in_full(edge: Edge, auth: str) -> None:
    routes = [
        route(method, "/{id}/all", **EVERYTHING, description="All of it")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ]
    put(edge.replica, service(*routes, id="shop", path="/shop", authConfigId=auth))

    document = await told(edge)

    validate(document)
    # Every reference leads somewhere.
    for reference in set(re.findall(r'"\$ref": ?"#([^"]*)"', json.dumps(document))):
        there: Any = document
        for step in unquote(reference).split("/")[1:]:
            there = there[step.replace("~1", "/").replace("~0", "~")]


async def test_a_body_has_an_example_that_its_schema_takes(edge: Edge) -> None:
    strict = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^x+$"}}}
    given = {"examples": [{"rating": 5}], "properties": {"rating": {"maximum": 5}}}
    routes = [
        route("POST", "/made", inputSchema=EVERYTHING["inputSchema"]),
        route("POST", "/given", inputSchema=given),
        route("POST", "/strict", inputSchema={**strict, "required": ["a"]}),
        route("POST", "/any"),
    ]
    put(edge.replica, service(*routes, id="shop", path="/shop"))

    paths = (await told(edge))["paths"]

    def example(path: str) -> Any:
        body = paths[f"/shop/{path}"]["post"]["requestBody"]["content"]["application/json"]
        return body.get("example", "none")

    assert example("made") == {"rating": 2, "of": "00000000-0000-4000-8000-000000000000"}
    assert example("given") == {"rating": 5}
    assert (example("strict"), example("any")) == ("none", "none")


async def test_errors_are_told_once_with_an_example_of_each_class(edge: Edge) -> None:
    put(edge.replica, shop())

    document = await told(edge)

    answer = document["paths"]["/shop/later"]["put"]["responses"]["422"]
    assert answer == {"$ref": "#/components/responses/Problem422"}
    schema = compiled(document["components"]["schemas"]["Problem"])
    seen = set()
    for name, response in document["components"]["responses"].items():
        (content,) = response["content"].values()
        for kind, example in content["examples"].items():
            assert schema.is_valid(example["value"])
            assert f"Problem{example['value']['status']}" == name
            seen.add(kind)
    assert seen == set(KINDS) - NOT_OF_ROUTES


async def test_a_202_leads_to_its_answer(edge: Edge) -> None:
    put(edge.replica, shop())
    closed = (await told(edge))["paths"]
    put(edge.replica, {**shop(), "authConfigId": "open"})
    free = (await told(edge))["paths"]

    links = closed["/shop/later"]["put"]["responses"]["202"]["links"]
    item = closed["/-/executions/{executionId}"]
    assert set(links) == {item[method]["operationId"] for method in ("get", "delete")}
    assert links["getExecution"]["parameters"] == {"executionId": "$response.body#/executionId"}
    # The signature in a public Location is in nothing that a link can name.
    assert "links" not in free["/shop/later"]["put"]["responses"]["202"]
