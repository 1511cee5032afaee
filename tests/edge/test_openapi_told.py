"""The OpenAPI document as operators are told it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from podium.edge.v1 import edge_pb2 as pb
from services.access import Principal, application_principal
from services.edge.openapi.parts import part
from services.edge.openapi_calls import get_openapi
from services.errors import InvalidRequest, NotFound, PermissionDenied, TooLarge
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service

READER = application_principal("reader")
STRANGER = application_principal("stranger")
LINE = {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}


READ = {"target": {"type": "service", "id": "shop"}, "access": ["READ"]}


def shop(edge: Edge, **fields: Any) -> None:
    put(edge.replica, {"kind": "application", "id": "reader", "permissions": [READ]})
    put(edge.replica, {"kind": "application", "id": "stranger", "permissions": []})
    routes = (
        route("POST", "/{id}/lines", inputSchema=LINE),
        route("GET", "/{order}/lines", outputSchema=LINE),
        route("PUT", "/jobs", workflowExecutionMode="ASYNCHRONOUS"),
    )
    put(edge.replica, service(*routes, id="shop", path="/shop", **fields))


async def told(edge: Edge, who: Principal = READER, **request: Any) -> pb.GetOpenApiResponse:
    return await get_openapi(
        edge.gateway, pb.GetOpenApiRequest(**{"service_id": "shop", **request}), who
    )


async def test_it_is_what_callers_find(edge: Edge) -> None:
    shop(edge)

    text = await told(edge)
    yaml = await told(edge, format=pb.DOCUMENT_FORMAT_YAML)

    found = await edge.client.get(text.document_path)
    assert text.document == found.text
    assert YAML(typ="safe").load(yaml.document) == found.json()
    assert (await edge.client.get(text.docs_path)).status_code == 200
    assert text.docs_public
    assert text.revision == edge.replica.revision


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("post", "/{id}/lines", "/shop/{id}/lines"),
        ("GET", "/shop/{order}/lines", "/shop/{id}/lines"),
        ("PUT", "/jobs", "/shop/jobs"),
    ],
)
async def test_of_a_route_there_is_its_part_and_what_that_refers_to(
    edge: Edge, method: str, path: str, key: str
) -> None:
    shop(edge)
    whole = json.loads((await told(edge)).document)

    document = json.loads((await told(edge, method=method, path=path)).document)

    validate(document)
    assert document["paths"] == {key: {method.lower(): whole["paths"][key][method.lower()]}}
    assert len(json.dumps(document)) < len(json.dumps(whole))
    for kind, named in document["components"].items():
        assert named.items() <= whole["components"][kind].items()


async def test_it_is_for_whoever_may_read_the_service(edge: Edge) -> None:
    shop(edge)

    with pytest.raises(PermissionDenied, match="READ on the service 'shop'"):
        await told(edge, STRANGER)
    # Whoever may read none is not told which there are.
    with pytest.raises(PermissionDenied):
        await told(edge, STRANGER, service_id="none")


async def test_what_is_not_there_is_told(edge: Edge) -> None:
    shop(edge)
    put(edge.replica, {"kind": "application", "id": "viewer", "roles": ["VIEWER"]})
    viewer = application_principal("viewer")

    with pytest.raises(NotFound, match="no service 'none'"):
        await told(edge, viewer, service_id="none")
    with pytest.raises(NotFound, match="no route GET /nowhere"):
        await told(edge, method="GET", path="/nowhere")
    with pytest.raises(InvalidRequest, match="its method and its path"):
        await told(edge, method="GET")


async def test_a_page_that_is_not_for_everybody_is_told_to_be_so(edge: Edge) -> None:
    shop(edge, docsPublic=False)

    assert not (await told(edge)).docs_public


async def test_a_document_that_is_too_long_is_refused(edge: Edge) -> None:
    shop(edge)
    request = pb.GetOpenApiRequest(service_id="shop")
    length = len((await told(edge)).document.encode())

    assert await get_openapi(edge.gateway, request, READER, length)
    with pytest.raises(TooLarge, match=f"has {length:,} bytes; at most {length - 1:,} are told"):
        await get_openapi(edge.gateway, request, READER, length - 1)


NAMES = st.sampled_from("abcd")
SCHEMAS = st.dictionaries(
    NAMES,
    st.lists(NAMES.map(lambda name: {"$ref": f"#/components/schemas/{name}"}), max_size=3),
    max_size=4,
)


@given(schemas=SCHEMAS, first=NAMES)
def test_a_part_has_what_it_refers_to_in_any_number_of_steps(
    schemas: dict[str, list[dict[str, str]]], first: str
) -> None:
    operation = {"x": {"$ref": f"#/components/schemas/{first}"}}
    document = {
        "paths": {"/a": {"get": operation}, "/b": {"get": {}}},
        "components": {"schemas": schemas},
    }

    kept = part(document, "GET", "/a")

    there, wanted = kept["components"].get("schemas", {}), [first]
    reached = set()
    while wanted:
        name = wanted.pop()
        if name in schemas and name not in reached:
            reached.add(name)
            wanted += [each["$ref"][-1] for each in schemas[name]]
    assert set(there) == reached
    assert list(kept["paths"]) == ["/a"]
