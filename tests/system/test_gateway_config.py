"""The gateway managed over HTTP, by the requests that Orkes Conductor's clients make.

Each row is one request as its documentation, its Go client (which the command line is made of) or
its Python client sends it.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest

from podium.registry.v1 import registry_pb2 as pb
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.system.running import Suite, post, until

# The suite starts within it, on a machine that does much else.
pytestmark = pytest.mark.timeout(90)

CONFIG = "/api/gateway/config"
CORS = {
    "accessControlAllowOrigin": ["*"],
    "accessControlAllowMethods": ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
    "accessControlAllowHeaders": ["*"],
}
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"rating": {"type": "integer"}},
    "required": ["rating"],
}
WHERE = "?method=POST&path=%2Fuser-feedback%2F%7Buser-id%7D"


@dataclass(frozen=True)
class Row:
    """One request, ``ID`` in it the name of everything, and what its answer must hold."""

    what: str
    method: str
    path: str
    body: Any = None
    status: int = 200
    holds: Any = field(default_factory=dict)


DOCUMENTED = (
    Row("create an auth", "POST", f"{CONFIG}/auth",
        {"id": "ID", "authenticationType": "API_KEY", "apiKeys": ["XXXXXXX"],
         "applicationId": "ID"},
        holds={"id": "ID", "passthrough": False, "fallbackToDefaultAuth": False,
               "tokenInWorkflowInput": False, "apiKeys": ["*** key-1"]}),
    Row("again", "POST", "/api/config/auth",
        {"id": "ID", "authenticationType": "API_KEY", "applicationId": "ID"}, 409),
    Row("get an auth", "GET", f"{CONFIG}/auth/ID", holds={"authenticationType": "API_KEY"}),
    Row("create a service", "POST", f"{CONFIG}/service",
        {"id": "ID", "name": "Feedback Service", "path": "/api/ID", "description": "",
         "enabled": True, "mcpEnabled": False, "authConfigId": "ID", "corsConfig": CORS},
        holds={"basePath": "GATEWAY/api/ID", "routes": [], "tags": [], "corsConfig": CORS}),
    Row("create a route", "POST", f"{CONFIG}/services/ID/routes",
        {"httpMethod": "POST", "path": "/user-feedback/{user-id}", "description": "",
         "inputSchemaRef": {"name": "ID", "version": 1},
         "mappedWorkflow": {"name": "ID", "version": 1, "requestMetadataAsInput": True},
         "workflowMetadataInOutput": False, "workflowExecutionMode": "SYNCHRONOUS",
         "waitUntilTasks": "", "timeoutInSeconds": 0, "queryParameters": []},
        holds={"serviceId": "ID", "timeoutInSeconds": 0, "waitUntilTasks": "",
               "queryParameters": []}),
    Row("get a service", "GET", f"{CONFIG}/services/ID",
        holds={"id": "ID", "name": "Feedback Service", "path": "/api/ID", "enabled": True,
               "authConfigId": "ID", "mcpEnabled": False}),
    Row("get a route", "GET", f"{CONFIG}/services/ID/routes/route{WHERE}&start=1&end=2",
        holds={"route": {"httpMethod": "POST", "inputSchemaRef": {"name": "ID", "version": 1}}}),
    Row("tag a service", "PUT", f"{CONFIG}/services/ID/tags", [{"key": "team", "value": "ops"}]),
    Row("tag a route", "PUT", f"{CONFIG}/services/ID/routes/tags{WHERE}",
        [{"key": "team", "value": "ops"}]),
    Row("remove a tag of another value", "DELETE", f"{CONFIG}/services/ID/tags",
        [{"key": "team", "value": "dev"}]),
    Row("remove a route's tag", "DELETE", f"{CONFIG}/services/ID/routes/tags{WHERE}",
        [{"key": "team", "value": "ops"}]),
    Row("replace a route", "PUT", f"{CONFIG}/services/ID/routes",
        {"httpMethod": "POST", "path": "/user-feedback/{user-id}", "description": "Leave it.",
         "inputSchema": json.dumps(SCHEMA), "mappedWorkflow": {"name": "ID"}},
        holds={"description": "Leave it.", "inputSchema": json.dumps(SCHEMA), "tags": []}),
    Row("the tags since", "GET", f"{CONFIG}/services/ID",
        holds={"tags": [{"key": "team", "value": "ops"}]}),
    Row("delete what is used", "DELETE", f"{CONFIG}/auth/ID", status=409),
)  # fmt: skip
CLEARED = (
    Row("delete a route", "DELETE", f"{CONFIG}/services/ID/routes{WHERE}", holds="Route deleted"),
    Row("again", "DELETE", f"{CONFIG}/services/ID/routes{WHERE}", status=404),
    Row("delete a service", "DELETE", f"{CONFIG}/services/ID", holds=""),
    Row("get it then", "GET", f"{CONFIG}/services/ID", status=404),
    Row("delete an auth", "DELETE", f"{CONFIG}/auth/ID", holds=""),
    Row("get it then", "GET", f"{CONFIG}/auth/ID", status=404),
)
GO = (
    Row("create an auth", "POST", f"{CONFIG}/auth",
        {"id": "ID", "authenticationType": "API_KEY", "applicationId": "ID",
         "apiKeys": ["XXXXXXX", "test-key-2"]}),
    Row("create a service", "POST", f"{CONFIG}/services",
        {"id": "ID", "name": "E2E Test Service", "path": "/api/ID", "enabled": True,
         "authConfigId": "ID", "mcpEnabled": False,
         "corsConfig": {"accessControlAllowOrigin": ["*"],
                        "accessControlAllowMethods": ["GET", "POST", "PUT", "DELETE"],
                        "accessControlAllowHeaders": ["Content-Type", "Authorization"]}}),
    Row("create a route", "POST", f"{CONFIG}/services/ID/routes",
        {"httpMethod": "POST", "path": "/user-feedback/{user-id}", "description": "E2E test route",
         "mappedWorkflow": {"name": "ID", "version": 1}, "workflowExecutionMode": "SYNCHRONOUS"}),
    Row("create another", "POST", f"{CONFIG}/services/ID/routes",
        {"httpMethod": "DELETE", "path": "/advanced", "workflowExecutionMode": "ASYNCHRONOUS",
         "mappedWorkflow": {"name": "ID", "version": 1, "requestMetadataAsInput": True}}),
    Row("update a service", "PUT", f"{CONFIG}/services/ID",
        {"id": "ID", "name": "Updated E2E Test Service", "path": "/api/ID", "enabled": True,
         "description": "Updated description for testing", "authConfigId": "ID",
         "mcpEnabled": False,
         "corsConfig": {"accessControlAllowOrigin": ["https://example.com"],
                        "accessControlAllowMethods": ["GET", "POST"],
                        "accessControlAllowHeaders": ["*"]}}),
    Row("update a route", "PUT",
        f"{CONFIG}/services/ID/routes?path=%2Fuser-feedback%2F%7Buser-id%7D",
        {"httpMethod": "POST", "path": "/user-feedback/{user-id}",
         "description": "Updated route description", "workflowExecutionMode": "SYNCHRONOUS",
         "mappedWorkflow": {"name": "ID", "version": 1}}),
    Row("get a service", "GET", f"{CONFIG}/services/ID",
        holds={"name": "Updated E2E Test Service",
               "description": "Updated description for testing"}),
    Row("delete a route", "DELETE", f"{CONFIG}/services/ID/routes?method=DELETE&path=%2Fadvanced"),
)  # fmt: skip
AUTH = {
    "id": "ID", "applicationId": "ID", "authenticationType": "API_KEY",
    "fallbackToDefaultAuth": False, "passthrough": False, "tokenInWorkflowInput": False,
}  # fmt: skip
PYTHON = (
    Row("create_config", "POST", f"{CONFIG}/auth", {**AUTH, "apiKeys": ["XXXXXXX"]}),
    Row("get_config", "GET", f"{CONFIG}/auth/ID", holds={**AUTH, "apiKeys": ["*** key-1"]}),
    Row("update_config with what was read", "PUT", f"{CONFIG}/auth/ID",
        {**AUTH, "apiKeys": ["*** key-1"], "updatedBy": "application:admin"},
        holds={"apiKeys": ["*** key-1"]}),
    Row("a kind that is not there", "PUT", f"{CONFIG}/auth/ID",
        {**AUTH, "authenticationType": "OIDC", "issuerUri": "https://id.example"}, 400),
    Row("a service to use it", "POST", f"{CONFIG}/services",
        {"id": "ID", "path": "/api/ID", "authConfigId": "ID", "routes": [
            {"httpMethod": "POST", "path": "/user-feedback/{user-id}",
             "mappedWorkflow": {"name": "ID"}}]}),
)  # fmt: skip


@pytest.fixture(scope="module")
def headers(suite: Suite) -> dict[str, str]:
    """Of a request of the administrator."""
    return token(suite, json.loads((suite.home / "credentials.json").read_text()))


def token(suite: Suite, key: dict[str, str]) -> dict[str, str]:
    answer = post(f"{suite.management}/api/token", json=key)
    return {"X-Authorization": answer.json()["token"]}


@pytest.mark.parametrize("rows", [DOCUMENTED, GO, PYTHON], ids=["documented", "go", "python"])
def test_the_gateway_is_managed_by_recorded_requests(
    suite: Suite, headers: dict[str, str], rows: tuple[Row, ...]
) -> None:
    name = f"config-{uuid.uuid4().hex[:8]}"
    prepare(suite, name)
    with httpx.Client(base_url=suite.management, headers=headers, timeout=60) as client:
        for row in rows:
            check(client, row, name, suite.gateway)
        # Live, without anything else being done.
        url = f"{suite.gateway}/api/{name}/user-feedback/u-7"
        until(lambda: call(url).status_code == 200, 20, "the route answers")
        assert call(url).json() == {"said": 4, "by": "u-7"}
        assert call(url, key="another").status_code == 401
        until(lambda: counted(client, name) > 1, 20, "the calls are counted")
        for row in CLEARED:
            check(client, row, name, suite.gateway)
    until(lambda: call(url).status_code == 404, 20, "the route is gone")


def prepare(suite: Suite, name: str) -> None:
    """What the rows name: a workflow, a schema and an application of that name."""
    said = {"said": "${workflow.input.rating}", "by": "${workflow.input.user-id}"}
    noop = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    target = {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]}
    suite.apply(
        {"name": name, "version": 1, "tasks": [noop], "outputParameters": said},
        {"kind": "schema", "name": name, "version": 1, "data": SCHEMA},
        {"kind": "application", "id": name, "permissions": [target]},
    )


def check(client: httpx.Client, row: Row, name: str, gateway: str) -> None:
    """Send the request of ``row``; its answer must have the status, and hold what is said."""

    def named(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("ID", name).replace("GATEWAY", gateway))

    # A client that has nothing to send sends no body, not null.
    body = {} if row.body is None else {"json": named(row.body)}
    answer = client.request(row.method, row.path.replace("ID", name), **body)

    assert answer.status_code == row.status, (row, answer.text)
    if isinstance(row.holds, str):
        assert answer.text == row.holds, row
        return
    if row.status != 200:
        assert answer.json()["message"], row
        return
    if row.holds:
        found, expected = answer.json(), named(row.holds)
        assert holding(found, expected) == expected, row


def holding(found: Any, expected: Any) -> Any:
    """Of ``found`` what ``expected`` names."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {k: holding(found.get(k), v) for k, v in expected.items()}
    return found


def call(url: str, key: str = "XXXXXXX") -> httpx.Response:
    return httpx.post(url, json={"rating": 4}, headers={"X-API-Key": key}, timeout=60)


def counted(client: httpx.Client, name: str) -> int:
    """How often the route was called, as the API tells it."""
    shown = client.get(f"{CONFIG}/services/{name}/routes/route{WHERE}").json()
    return int(shown.get("serviceRouteMetrics", {}).get("totalRequests", 0))


def test_who_has_no_right_is_refused_and_written_down(
    suite: Suite, headers: dict[str, str]
) -> None:
    suite.apply({"kind": "application", "id": "config-nobody"})
    bearer = (("authorization", f"Bearer {headers['X-Authorization']}"),)
    with grpc.insecure_channel(str(suite.endpoints["registry"])) as channel:
        registry = RegistryServiceStub(channel)
        made = registry.CreateAccessKey(
            pb.CreateAccessKeyRequest(application_id="config-nobody"), metadata=bearer
        )
        nobody = token(suite, {"keyId": made.access_key.key_id, "keySecret": made.key_secret})
        auth = {"id": "config-stranger", "authenticationType": "NONE", "applicationId": "admin"}
        statuses = [
            httpx.post(f"{suite.management}{CONFIG}/auth", json=auth, headers=given).status_code
            for given in (nobody, {}, {"X-Authorization": "nonsense"})
        ]
        audit = registry.ListAuditEntries(pb.ListAuditEntriesRequest(), metadata=bearer)

    assert statuses == [403, 401, 401]
    (entry,) = [each for each in audit.entries if each.principal == "application:config-nobody"]
    assert (entry.outcome, entry.action) == (pb.AUDIT_OUTCOME_DENIED, "put")
    assert (entry.via, entry.source) == ("service:edge", "127.0.0.1")
    assert entry.key_id == made.access_key.key_id
    assert entry.agent.startswith("python-httpx")
    assert entry.trace
