"""``/api/secrets`` and ``/api/environment``: each endpoint by what is sent and what comes back."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.edge.management.conductor.texts import read_text
from services.edge.problems import Problem
from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put
from tui.clients import connected

VALUE = "hidden-from-everybody"
PUT, GET = "PUT /api/secrets/{key}", "GET /api/secrets/{key}"
DELETE, EXISTS = "DELETE /api/secrets/{key}", "GET /api/secrets/{key}/exists"
ROWS = (
    Row(EXISTS, "says no", "/api/secrets/SE_ONE/exists", 200, answer=False),
    Row(PUT, "stores a value", "/api/secrets/SE_ONE", 200, VALUE, ""),
    Row(PUT, "stores another", "/api/secrets/SE_ONE", 200, f'"{VALUE}"', ""),
    Row(PUT, "wants a value", "/api/secrets/SE_ONE", 400, '""',
        {"validationErrors": [{"path": "", "message": "The body must not be empty"}]}),
    Row(PUT, "wants a body", "/api/secrets/SE_ONE", 400, None,
        {"message": "Validation failed, check below errors for detail. The body must not be "
         "empty."}),
    Row(PUT, "wants no more than it keeps", "/api/secrets/SE_ONE", 400, "x" * 65_537,
        {"validationErrors": [{"path": "", "message": "The body must be at most 65536 characters, "
                               "not 65537"}]}),
    Row(PUT, "wants a name", "/api/secrets/1-ONE", 400, VALUE,
        {"validationErrors": [{"path": "key", "message": str}]}),
    Row(EXISTS, "says yes", "/api/secrets/SE_ONE/exists", 200, answer=True),
    Row(GET, "tells no value", "/api/secrets/SE_ONE", 403,
        answer={"status": 403, "message": str, "retryable": False}),
    Row(GET, "knows no such secret", "/api/secrets/SE_NONE", 404,
        answer={"message": "No such secret found by name: SE_NONE"}),
    Row(DELETE, "removes one", "/api/secrets/SE_ONE", 200, {}, ""),
    Row(DELETE, "knows it no more", "/api/secrets/SE_ONE", 404,
        answer={"message": "No such secret found by name: SE_ONE"}),
    Row(DELETE, "leaves what is used", "/api/secrets/SE_USED", 409, answer={"message": str}),
    Row("GET /api/environment", "tells of what workflows may read", "/api/environment", 200,
        answer={}),
    Row("GET /api/environment/{key}", "knows no other", "/api/environment/HOME", 404,
        answer={"status": 404, "message": str}),
    Row("PUT /api/environment/{key}", "is refused", "/api/environment/REGION", 400, "eu",
        {"status": 400, "message": str}),
    Row("DELETE /api/environment/{key}", "is refused", "/api/environment/REGION", 400, {},
        {"status": 400, "message": str}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    task = {"name": "w", "taskReferenceName": "w", "type": "SIMPLE",
            "inputParameters": {"key": "${workflow.secrets.SE_USED}"}}  # fmt: skip
    await put(
        services,
        {
            "kind": "secret",
            "name": "SE_USED",
            "value": VALUE,
            "description": "of a partner",
            "tags": ["team:shop"],
        },
        {"kind": "workflow", "name": "se_user", "tasks": [task]},
    )
    return {}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_list_has_the_names(
    api: httpx.AsyncClient, world: Mapping[str, str], method: str
) -> None:
    names = (await api.request(method, "/api/secrets", json={})).json()
    assert "SE_USED" in names
    assert names == sorted(names)


@pytest.mark.parametrize("path", ["/api/secrets-v2", "/api/secrets/v2"])
async def test_a_list_has_the_tags(
    api: httpx.AsyncClient, world: Mapping[str, str], path: str
) -> None:
    answer = await api.get(path)
    tags = [{"key": "team", "type": "METADATA", "value": "shop"}]
    assert {"name": "SE_USED", "tags": tags} in answer.json()
    assert VALUE not in answer.text


async def test_a_new_value_leaves_the_rest_of_a_secret(
    api: httpx.AsyncClient, services: Services, world: Mapping[str, str]
) -> None:
    answer = await api.put("/api/secrets/SE_USED", content="another-value")
    async with connected(services.suite) as clients:
        read = await clients.registry.GetDefinition(
            pb.GetDefinitionRequest(kind="secret", name="SE_USED")
        )

    assert answer.status_code == 200
    assert '"of a partner"' in read.definition.document
    assert "another-value" not in read.definition.document


JSON = b"application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "meant"),
    [
        ("plain", None, "plain"),
        ('"plain"', b"text/plain; charset=utf-8", '"plain"'),
        ('"plain"', JSON, "plain"),
        ("plain", JSON, "plain"),
        # As Python's client sends what has quotes, escapes, lines and other letters.
        (r"he said \"x\" of it", JSON, 'he said "x" of it'),
        (r"\"quoted\ ".strip(), JSON, '"quoted"'),
        (r"C:\\temp\\", JSON, "C:\\temp\\"),
        (r"two\nlines \u00e9", JSON, "two\nlines é"),
        # A person's, who labels it JSON.
        ('{"user": "a", "password": "b"}', JSON, '{"user": "a", "password": "b"}'),
        ("two\nlines", JSON, "two\nlines"),
        (r"a\password", JSON, r"a\password"),
        ("7", JSON, "7"),
        ("", JSON, ""),
    ],
)
def test_a_text_is_read_as_it_is_meant(body: str, content_type: bytes | None, meant: str) -> None:
    assert read_text(body.encode(), content_type) == meant


def test_a_text_that_is_none_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        read_text(b"\xff", JSON)
    assert caught.value.detail == "The body is not UTF-8."
