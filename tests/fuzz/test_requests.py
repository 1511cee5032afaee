"""Any request to the gateway and the management listener: an answer of theirs, never a fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.edge.raw import connected as raw
from tests.fuzz.chance import texts, tries
from tests.tui.services import Services, put, services_in

METHODS = st.sampled_from(
    ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "X")
)
SEGMENTS = st.one_of(
    st.sampled_from(("known", "x", "-", "executions", "callbacks", "webhooks", "api", "token",
                     "openapi", "docs", "mcp", "events", "metrics", "tasks", "gateway")),
    st.text("%2eE0fF/.;:@&=+$,~!*'()-_aZ9", max_size=12),
)  # fmt: skip
NAMES = st.sampled_from((
    "X-API-Key", "Authorization", "X-Authorization", "Content-Type", "Prefer", "Idempotency-Key",
    "If-None-Match", "Cache-Control", "Origin", "Accept", "X-Request-Id", "traceparent",
    "Last-Event-ID", "Cookie", "Content-Encoding", "Expect", "Range", "Via",
))  # fmt: skip
WORDS = texts.map(lambda text: "".join(c for c in text if 31 < ord(c) < 256)[:2_000])


@pytest.fixture(scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Services]:
    folder: Path = tmp_path_factory.mktemp("requests")
    async with services_in(folder) as services:
        task = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
        route = {
            "httpMethod": "POST", "path": "/{x}", "mappedWorkflow": {"name": "known"},
            "inputSchema": schema, "queryParameters": [{"name": "q", "type": "integer"}],
        }  # fmt: skip
        await put(
            services,
            {"kind": "application", "id": "known", "permissions": [
                {"access": ["EXECUTE"], "target": {"type": "workflow", "id": "known"}}]},
            {"kind": "workflow", "name": "known", "tasks": [task]},
            {"kind": "auth", "id": "open", "authenticationType": "NONE", "applicationId": "known"},
            {"kind": "service", "id": "known", "name": "known", "path": "/known",
             "authConfigId": "open", "routes": [route]},
        )  # fmt: skip
        yield services


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    path = "/" + "/".join(draw(st.lists(SEGMENTS, max_size=4)))
    if draw(st.booleans()):
        path = f"/known/{draw(SEGMENTS)}"
    query = draw(st.text("abq=&%2+;[]0", max_size=20))
    body = draw(
        st.one_of(texts.map(lambda text: text.encode("utf-8", "replace")), st.binary(max_size=60))
    )
    headers = draw(st.dictionaries(NAMES, WORDS, max_size=4))
    head = [f"{draw(METHODS)} {path}?{query} HTTP/1.1", "Host: here", "Connection: close"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize("listener", ["gateway", "management"])
@tries(100)
@given(request=requests())
async def test_any_request_has_an_answer(services: Services, listener: str, request: bytes) -> None:
    address = getattr(services.suite, listener).removeprefix("http://")
    async with raw(address) as connection, asyncio.timeout(30):
        await connection.send(request)
        answer = await connection.reader.read()

    status = int(answer.split(b" ", 2)[1])
    # 501 is of a method that nobody knows, 503 of an executor that is asked for too much.
    assert status < 500 or status in (501, 503), answer
    assert b"Traceback" not in answer
