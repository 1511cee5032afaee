"""What is read and written of the gateway's configuration, as values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.edge.management.configuration import routing, tagging
from services.edge.management.configuration.auths import auth_shown, auth_written
from services.edge.management.configuration.documents import (
    Kept,
    View,
    route_written,
    schemas_named,
    service_shown,
    service_written,
)
from services.edge.management.refusals import pointer
from services.edge.schemas import SchemaUse
from services.errors import AlreadyExists, Fault, InvalidDefinition, NotFound

VIEW = View("https://api.example", {SchemaUse("Rating", 1): '{"type": "object"}'})
ROUTE: dict[str, Any] = {
    "httpMethod": "POST",
    "path": "/{id}",
    "mappedWorkflow": {"name": "checkout"},
    "inputSchemaRef": {"name": "Rating", "version": 1},
    "outputSchema": {"title": "Größe"},
    "tags": [{"key": "team", "value": "a"}],
}
SERVICE: dict[str, Any] = {
    "kind": "service",
    "id": "orders",
    "path": "/orders",
    "authConfigId": "partners",
    "docsPublic": False,
    "routes": [ROUTE],
    "tags": [{"key": "k", "value": "v"}],
}


def kept(document: dict[str, Any], **generated: str) -> Kept:
    return Kept(document, "etag", 100, 1000, 2000, "application:admin", generated)


def test_a_service_is_shown_with_every_field() -> None:
    shown = service_shown(kept(SERVICE), VIEW)

    assert "kind" not in shown
    assert (shown["name"], shown["enabled"], shown["mcpEnabled"]) == ("orders", True, True)
    assert shown["basePath"] == "https://api.example/orders"
    assert (shown["createTime"], shown["updateTime"]) == (1000, 2000)
    assert shown["docsPublic"] is False
    (route,) = shown["routes"]
    assert route["serviceId"] == "orders"
    assert route["inputSchema"] == '{"type": "object"}'
    assert json.loads(route["outputSchema"]) == ROUTE["outputSchema"]
    assert (route["timeoutInSeconds"], route["waitUntilTasks"]) == (0, "")


def test_a_schema_that_has_not_come_is_not_shown() -> None:
    (route,) = service_shown(kept(SERVICE), View("", {}))["routes"]

    assert "inputSchema" not in route
    assert route["inputSchemaRef"] == ROUTE["inputSchemaRef"]
    assert list(schemas_named(SERVICE)) == [SchemaUse("Rating", 1)]


def test_what_was_shown_is_written_as_it_was() -> None:
    written = service_written(service_shown(kept(SERVICE), VIEW), SERVICE)

    (route,) = written["routes"]
    assert json.loads(route.pop("outputSchema")) == ROUTE["outputSchema"]
    server = {"createTime", "updateTime", "updatedBy", "serviceId", "basePath"}
    assert {n: v for n, v in route.items() if n not in server} == {
        name: value for name, value in ROUTE.items() if name != "outputSchema"
    }
    assert {name for name in written if name not in server} == set(SERVICE)


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ({}, {"routes": [ROUTE], "tags": SERVICE["tags"]}),
        ({"routes": None, "tags": None}, {"routes": [ROUTE], "tags": SERVICE["tags"]}),
        ({"routes": [], "tags": []}, {}),
        ({"enabled": False}, {"enabled": False, "routes": [ROUTE], "tags": SERVICE["tags"]}),
        ({"name": "orders"}, {"routes": [ROUTE], "tags": SERVICE["tags"]}),
        ({"routes": "none"}, {"routes": "none", "tags": SERVICE["tags"]}),
    ],
)
def test_what_has_requests_of_its_own_stays_where_it_is_left_out(
    sent: dict[str, Any], written: dict[str, Any]
) -> None:
    assert service_written({"id": "orders", **sent}, SERVICE) == {
        "kind": "service",
        "id": "orders",
        **written,
    }


def test_a_default_of_another_type_is_left_to_the_registry() -> None:
    sent = {"timeoutInSeconds": False, "workflowMetadataInOutput": 0, "waitUntilTasks": ""}

    assert route_written(sent) == {"timeoutInSeconds": False, "workflowMetadataInOutput": 0}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_what_is_no_route_is_left_to_the_registry(sent: Any) -> None:
    assert route_written(sent) == sent
    assert routing.identity_of(sent) == ("", "")


def test_a_route_is_found_by_method_and_path() -> None:
    assert routing.place_of(SERVICE, "post", "/{id}/") == 0
    for method, path in (("GET", "/{id}"), ("POST", "/"), ("POST", "/{other}"), ("", "")):
        with pytest.raises(NotFound):
            routing.place_of(SERVICE, method, path)


def test_routes_come_at_the_end_and_go_from_their_place() -> None:
    other = {**ROUTE, "path": "/other"}
    both = routing.with_route(SERVICE, other)

    assert both["routes"] == [ROUTE, other]
    assert routing.without_route(both, 0)["routes"] == [other]
    assert routing.without_route(both, 1)["routes"] == [ROUTE]
    assert SERVICE["routes"] == [ROUTE]
    with pytest.raises(AlreadyExists):
        routing.with_route(both, {**other, "path": "/other/"})


def test_a_route_that_is_replaced_keeps_its_tags_unless_others_are_sent() -> None:
    bare = {name: value for name, value in ROUTE.items() if name != "tags"}

    (kept_tags,) = routing.with_route_at(SERVICE, 0, bare)["routes"]
    (no_tags,) = routing.with_route_at(SERVICE, 0, {**bare, "tags": []})["routes"]

    assert kept_tags == ROUTE
    assert no_tags == bare


def test_faults_of_a_route_are_told_as_its_sender_reads_them() -> None:
    paths = ["routes[1].path", "routes[1]", "routes[1]['a b']", "routes[12].path", "authConfigId"]
    error = InvalidDefinition("", [Fault(path, "is wrong") for path in paths])

    told = routing.told_of_route(error, 1)

    expected = ["path", "", "['a b']", "routes[12].path", "authConfigId"]
    assert [fault.path for fault in told.faults] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ""),
        ("name", "/name"),
        ("routes[12].queryParameters[0].name", "/routes/12/queryParameters/0/name"),
        ("decisionCases['a b'][0].x", "/decisionCases/a b/0/x"),
        ("['it\\'s']", "/it's"),
        ("['a/b~c']", "/a~1b~0c"),
    ],
)
def test_the_path_of_a_fault_becomes_a_pointer(path: str, expected: str) -> None:
    assert pointer(path) == expected


TAGS = [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]


def test_tags_are_read_without_their_type() -> None:
    assert tagging.read_tags([{**TAGS[0], "type": "METADATA"}]) == TAGS[:1]
    assert tagging.read_tags(TAGS[0]) == TAGS[:1]
    assert tagging.read_tags([]) == []


@pytest.mark.parametrize("sent", [{}, "team", None, [TAGS[0], {"key": "k"}], [{"key": 1}]])
def test_what_is_no_tag_is_told(sent: Any) -> None:
    with pytest.raises(InvalidDefinition):
        tagging.read_tags(sent)


def test_tags_go_only_with_key_and_value() -> None:
    tagged = {"id": "x", "tags": [*TAGS, "text"]}

    assert tagging.without_tags(tagged, [{"key": "team", "value": "c"}]) == tagged
    assert tagging.without_tags(tagged, TAGS[:1])["tags"] == [TAGS[1], "text"]
    assert tagging.without_tags({"id": "x", "tags": TAGS}, TAGS) == {"id": "x"}
    assert tagging.with_tags(tagged, TAGS[1:])["tags"] == TAGS[1:]


AUTH: dict[str, Any] = {
    "kind": "auth",
    "id": "partners",
    "authenticationType": "API_KEY",
    "applicationId": "shop",
    "knownKeys": [{"name": "first", "createdAt": "2026-01-01T00:00:00Z"}],
}


def test_keys_are_shown_masked_and_come_back_by_name() -> None:
    shown = auth_shown(kept(AUTH))

    assert shown["apiKeys"] == ["*** first"]
    assert shown["passthrough"] is False
    written = auth_written({**shown, "apiKeys": [*shown["apiKeys"], "new", {"key": "k"}]})
    assert written["apiKeys"] == [{"name": "first"}, "new", {"key": "k"}]
    assert "passthrough" not in written


def test_a_key_that_was_made_just_now_is_shown() -> None:
    assert auth_shown(kept(AUTH, first="pk_1"))["apiKeys"] == ["pk_1"]


def test_public_has_the_name_that_clients_know() -> None:
    public = {**AUTH, "authenticationType": "PUBLIC", "knownKeys": None}

    assert auth_shown(kept(public))["authenticationType"] == "NONE"
    assert auth_shown(kept(public))["apiKeys"] == []


def test_an_auth_that_takes_tokens_is_shown_by_the_name_that_clients_know() -> None:
    rules = {"issuer": "https://issuer.example", "audience": ["a", "b"], "scopes": ["read"]}
    document = {"kind": "auth", "id": "t", "authenticationType": "JWT", "applicationId": "x"}

    shown = auth_shown(kept({**document, "jwt": rules}))

    assert (shown["authenticationType"], shown["issuerUri"]) == ("OIDC", rules["issuer"])
    assert shown["audience"] == "a"
    written = auth_written(shown)
    assert (written["authenticationType"], written["jwt"]) == ("JWT", rules)
    assert not {"issuerUri", "audience"} & written.keys()
    # A client that knows no jwt would take the scopes away.
    lost = auth_written({name: each for name, each in shown.items() if name != "jwt"})
    assert lost["authenticationType"] == "OIDC"


@given(st.text(min_size=1, max_size=255))
def test_any_name_of_a_key_survives_its_mask(name: str) -> None:
    shown = auth_shown(kept({**AUTH, "knownKeys": [{"name": name}]}))

    assert auth_written({"apiKeys": shown["apiKeys"]})["apiKeys"] == [{"name": name}]
