"""Calls with tokens of an issuer, over HTTP: who is let in, as whom, and what others are told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import executor_pb2
from services.edge.stages import STAGES
from services.edge.trial.trials import Trials
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.mcp_clients import client_of
from tests.edge.sse import Parser, events
from tests.edge.test_answers import say as stands
from tests.edge.test_events import asking, change, opened, polled, say
from tests.edge.tokens.issuer import AUDIENCE, Issuer, issuing, jwk
from tests.executor.effects.upstream import plain

LIMIT = {"name": "few", "limit": 2, "windowSeconds": 60, "key": "${principal}"}


@pytest.fixture
async def issuer(edge: Edge) -> AsyncGenerator[Issuer]:
    async with issuing() as issuer:
        guard(edge, issuer)
        # Fixtures send a key with every request.
        edge.client.headers.pop("x-api-key")
        yield issuer


def guard(edge: Edge, issuer: Issuer, **more: Any) -> None:
    rules = {"issuer": issuer.url, "audience": AUDIENCE, "jwksUri": issuer.jwks_uri} | more
    auth = {
        "kind": "auth",
        "id": "issued",
        "authenticationType": "JWT",
        "applicationId": "storefront",
        "jwt": rules,
    }
    put(edge.replica, auth)
    shop(edge)


def shop(edge: Edge, **fields: Any) -> None:
    routes = (
        route("POST", "/{id}", **fields),
        route("POST", "/{id}/refund", scopes=["orders.refund", "orders.read"]),
        route("PUT", "/{id}", workflowExecutionMode="ASYNCHRONOUS"),
    )
    put(edge.replica, service(*routes, id="shop", path="/shop", authConfigId="issued"))


async def call(
    edge: Edge, token: str = "", path: str = "/shop/7", method: str = "POST", **given: Any
) -> httpx.Response:
    headers = given.pop("headers", {}) | ({"authorization": f"Bearer {token}"} if token else {})
    return await edge.client.request(method, path, headers=headers, **given)


async def test_a_workflow_sees_who_calls_and_chosen_claims_and_never_the_token(
    edge: Edge, issuer: Issuer
) -> None:
    guard(edge, issuer, claims=["tenant", "email"])
    token = issuer.token(tenant={"id": 3}, password="hunter2")

    answer = await call(edge, token, json={"a": 1})

    assert answer.status_code == 200
    metadata = answer.json()["requestMetadata"]
    assert metadata["principal"] == "jwt:issued/ann"
    assert metadata["claims"] == {"tenant": {"id": 3}}
    start = (await edge.executor.next()).start
    assert start.principal == "jwt:issued/ann"
    assert start.on_behalf_of == "storefront"
    for part in token.split("."):
        assert part not in str(start)
    assert "hunter2" not in str(start)


async def test_without_claims_nothing_is_said_of_them(edge: Edge, issuer: Issuer) -> None:
    answer = await call(edge, issuer.token(tenant="t"))

    assert "claims" not in answer.json()["requestMetadata"]


async def test_whom_no_token_lets_in_is_told_no_more_than_it_needs(
    edge: Edge, issuer: Issuer
) -> None:
    nobody = await call(edge)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == 'Bearer realm="shop"'
    assert nobody.json()["detail"] == "This needs a valid token, as Authorization: Bearer."

    for token, told in (
        (issuer.token(exp=time.time() - 600), "The token has expired."),
        (issuer.token(nbf=time.time() + 600), "The token is not valid yet."),
        (issuer.token(aud="api://else"), "The token does not hold here."),
        (issuer.token(iss="https://else.example"), "The token does not hold here."),
        (issuer.token(key="unknown"), "The token does not hold here."),
        (issuer.token(sub=None), "The token does not hold here."),
        ("a-key-of-the-partner", "The token does not hold here."),
        ("x.y.z", "The token does not hold here."),
    ):
        refused = await call(edge, token)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == (
            f'Bearer realm="shop", error="invalid_token", error_description="{told}"'
        )
        problem = refused.json()
        assert problem["type"] == "urn:podium:problem:unauthenticated"
        assert problem["detail"] == told
        assert set(problem) == {"type", "title", "status", "detail", "requestId"}
    assert edge.executor.frames.empty()


async def test_a_token_is_taken_from_one_place_only(edge: Edge, issuer: Issuer) -> None:
    token = issuer.token()

    for headers in ({"x-api-key": token}, {"authorization": token}, {"cookie": f"t={token}"}):
        assert (await call(edge, headers=headers)).status_code == 401
    assert (await call(edge, path=f"/shop/7?access_token={token}")).status_code == 401
    assert (await call(edge, headers={"authorization": f"BEARER {token}"})).status_code == 200


async def test_a_token_without_a_scope_is_refused_by_the_route_and_by_the_auth(
    edge: Edge, issuer: Issuer
) -> None:
    few, all_of_them = (
        issuer.token(scope="orders.read"),
        issuer.token(scp=["orders.read", "orders.refund"]),
    )

    refused = await call(edge, few, "/shop/7/refund")
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:podium:problem:insufficient-scope"
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="shop", error="insufficient_scope", '
        'error_description="The token lacks a scope that this needs.", '
        'scope="orders.read orders.refund"'
    )
    assert (await call(edge, all_of_them, "/shop/7/refund")).status_code == 200
    assert (await call(edge, few)).status_code == 200
    guard(edge, issuer, scopes=["shop"])
    assert (await call(edge, all_of_them)).status_code == 403
    assert (await call(edge, issuer.token(scope="shop"))).status_code == 200


async def test_a_key_has_no_scopes(edge: Edge, issuer: Issuer) -> None:
    asked = route("POST", "/{id}", scopes=["orders.read"])
    put(edge.replica, service(asked, id="keyed", path="/keyed"))

    refused = await call(edge, "a-key-of-the-partner", "/keyed/7")

    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


async def test_an_issuer_that_is_away_is_nobodys_fault(edge: Edge, issuer: Issuer) -> None:
    issuer.answer(plain(b"broken", 500))

    answer = await call(edge, issuer.token())

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "500" not in answer.text


async def test_callers_are_counted_and_their_answers_kept_each_by_their_own(
    edge: Edge, issuer: Issuer
) -> None:
    shop(edge, rateLimits=[LIMIT])
    ann, anns_other, bob = issuer.token(), issuer.token(jti="2"), issuer.token(sub="bob")
    answers = [await call(edge, token) for token in (ann, anns_other, ann, bob)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]

    guard(edge, issuer, claims=["tenant"])
    shop(edge, cacheConfig={})
    told = [
        (await call(edge, issuer.token(**who))).headers["cache-status"]
        for who in ({}, {"jti": "2"}, {"sub": "bob"}, {"tenant": 1}, {"tenant": 2}, {"tenant": 1})
    ]
    assert ["hit" in each for each in told] == [False, True, False, False, False, True]


async def test_a_call_with_an_idempotency_key_is_its_callers(edge: Edge, issuer: Issuer) -> None:
    keyed = {"idempotency-key": '"once"'}
    for token in (issuer.token(), issuer.token(jti="2"), issuer.token(sub="bob")):
        assert (await call(edge, token, headers=dict(keyed))).status_code == 200

    starts = [(await edge.executor.next()).start for _ in range(3)]

    digests = [bytes(start.idempotency_key) for start in starts]
    assert digests[0] == digests[1] != digests[2]


async def runs(edge: Edge, token: str, path: str) -> str:
    """The ``Location`` of an execution that the token has started, and that runs."""
    accepted = await call(edge, token, path, "PUT")
    assert accepted.status_code == 202
    start = (await edge.executor.next()).start
    stands(edge, start.execution_id, start.answer, executor_pb2.EXECUTION_STATUS_RUNNING)
    return accepted.headers["location"]


async def test_an_answer_is_fetched_later_by_a_token_of_the_same_caller(
    edge: Edge, issuer: Issuer
) -> None:
    location = await runs(edge, issuer.token(), "/shop/7")

    own = await call(edge, issuer.token(jti="2"), location, "GET")
    others = [
        await call(edge, issuer.token(sub="bob"), location, "GET"),
        await call(edge, issuer.token(exp=1), location, "GET"),
        await call(edge, "", location, "GET"),
    ]

    assert own.status_code == 202
    assert [answer.status_code for answer in others] == [404, 404, 404]


async def test_an_answer_is_fetched_later_only_with_the_scopes_of_its_route(
    edge: Edge, issuer: Issuer
) -> None:
    asked = route("PUT", "/{id}", workflowExecutionMode="ASYNCHRONOUS", scopes=["refund"])
    put(edge.replica, service(asked, id="bank", path="/bank", authConfigId="issued"))
    location = await runs(edge, issuer.token(scope="refund"), "/bank/7")

    for method, accept in (("GET", "*/*"), ("GET", "text/event-stream"), ("DELETE", "*/*")):
        headers = {"accept": accept}
        less = issuer.token(scope="read")
        refused = await call(edge, less, location, method, headers=dict(headers))
        assert refused.status_code == 403
        assert 'scope="refund"' in refused.headers["www-authenticate"]
        assert refused.json()["type"] == "urn:podium:problem:insufficient-scope"
        other = issuer.token(sub="bob", scope="refund")
        hidden = await call(edge, other, location, method, headers=dict(headers))
        assert hidden.status_code == 404
    own = await call(edge, issuer.token(scope="refund", jti="2"), location, "GET")
    assert own.status_code == 202


@pytest.mark.parametrize("discovered", [False, True])
async def test_the_document_tells_of_tokens_and_scopes(
    edge: Edge, issuer: Issuer, discovered: bool
) -> None:
    guard(edge, issuer, scopes=["shop"], **({"jwksUri": ""} if discovered else {}))

    document = (await edge.client.get("/shop/openapi")).json()

    schemes = document["components"]["securitySchemes"]
    assert schemes["Token"]["bearerFormat"] == "JWT"
    assert ("OpenId" in schemes) is discovered
    assert document["security"][0] == {"Token": ["shop"]}
    refund = document["paths"]["/shop/{id}/refund"]["post"]
    assert refund["security"][0] == {"Token": ["orders.read", "orders.refund", "shop"]}
    assert "security" not in document["paths"]["/shop/{id}"]["post"]
    validate(document)


async def test_documents_that_are_for_callers_are_told_to_tokens(
    edge: Edge, issuer: Issuer
) -> None:
    asked = service(
        route("POST", "/"), id="shop", path="/shop", authConfigId="issued", docsPublic=False
    )
    put(edge.replica, asked)

    assert (await call(edge, "", "/shop/openapi", "GET")).status_code == 401
    assert (await call(edge, issuer.token(), "/shop/openapi", "GET")).status_code == 200


async def test_tools_are_those_that_the_token_has_the_scopes_for(
    edge: Edge, issuer: Issuer
) -> None:
    assert (await call(edge, "", "/shop/mcp", json={})).status_code == 401
    most = {"POST_id", "PUT_id"}
    every = most | {"POST_id_refund"}
    for scope, names in (("", most), ("orders.read orders.refund", every)):
        async with client_of(edge, token=issuer.token(scope=scope)) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == names
            assert not (await client.call_tool("POST_id", {"id": "7"})).is_error


async def test_who_tries_a_route_is_told_why_and_no_token(edge: Edge, issuer: Issuer) -> None:
    async def tried(token: str) -> pb.TestRouteResponse:
        request = pb.TestRouteRequest(service_id="shop", path="/shop/7", method="POST")
        return await Trials(edge.gateway, STAGES).test(request, token.encode())

    good, token = issuer.token(), issuer.token(aud="api://else")
    refused, let_in = await tried(token), await tried(good)

    assert (refused.status, let_in.status) == (401, 200)
    told = next(json.loads(each.notes) for each in refused.stages if each.name == "authenticate")
    assert told["faults"] == [f"It is for 'api://else', not for {AUDIENCE}."]
    for secret, response in ((token, refused), (good, let_in)):
        assert secret not in str(response)
    notes = [json.loads(each.notes) for each in let_in.stages if each.name == "authenticate"]
    assert notes[0]["principal"] == "jwt:issued/ann"


async def test_a_stream_ends_when_its_token_does(edge: Edge, issuer: Issuer) -> None:
    issuer.publish(jwk("ES256", "one"), cache_control="max-age=86400")
    token = issuer.token(exp=time.time() + 60)
    async with opened(edge, "/shop/7", authorization=f"Bearer {token}") as answer:
        await asking(edge)
        told = events(answer.aiter_lines(), Parser())
        edge.clock.now += timedelta(seconds=50)
        say(edge, change(1), change(2, "RUNNING", polled(1, 20)))
        await anext(told)
        edge.clock.now += timedelta(seconds=100)

        async with asyncio.timeout(30):
            assert [event async for event in told if event.name == "result"] == []
