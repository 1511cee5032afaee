"""Any query and body to every page of the management listener: an answer, and refusals in JSON."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, strategies as st
from hypothesis.strategies import SearchStrategy

from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2 as pb
from services.edge.management.pages import PAGES
from services.unserved import UNSERVED_PAGES
from tests.edge.raw import connected as raw
from tests.fuzz.chance import EXAMPLES, documents, texts, tries
from tests.fuzz.sound import places, sound, with_value
from tests.tui.services import Services, put, services_in
from tui.clients import connected

SECRET = "zq-what-nobody-hears"
# Whoever works is given what a task needs.
HANDED = (
    "/api/tasks/poll/{tasktype}", "/api/tasks/poll/batch/{tasktype}", "/api/tasks/update-v2",
)  # fmt: skip
_PARAMETER = re.compile(r"\{\w+\}")
_PATIENCE_SECONDS = 30.0
# Fields of queries and bodies.
_FIELDS = st.sampled_from((
    "name", "version", "input", "workflowDef", "tasks", "type", "taskReferenceName", "query",
    "start", "size", "count", "sort", "freeText", "taskType", "workerid", "domain", "kind", "id",
    "cronExpression", "zoneId", "limit", "scheduleStartTime", "startWorkflowRequest", "event",
    "actions", "condition", "tags", "key", "value", "data", "outputData", "status", "taskId",
    "workflowInstanceId", "correlationIds", "workflowNames", "waitUntilTaskRef", "returnStrategy",
    "requestId", "overwrite", "includeTasks", "reRunFromTaskId", "taskInput", "workflowInput",
    "routes", "path", "httpMethod", "mappedWorkflow", "apiKeys", "authenticationType",
    "applicationId", "retryCount", "timeoutSeconds", "inputKeys", "taskToDomain", "priority",
    "idempotencyKey", "idempotencyStrategy", "taskRefToMockOutput", "callbackAfterSeconds",
    "logs", "extendLease", "keyId", "keySecret", "cronSchedules", "activeOnly", "claims",
))  # fmt: skip
_VALUES = st.one_of(texts, st.integers().map(str), st.sampled_from(("True", "None", "-1", "1e3")))
# What there is, by the name of what stands in a path; "known" where it is not among them.
_THERE = {
    "workflowId": "<execution>", "taskId": "<task>", "status": "COMPLETED", "version": "1",
    "taskRefName": "x", "taskReferenceName": "x", "role": "VIEWER", "keyId": "<key>",
    "accessKeyId": "<key>",
}  # fmt: skip


ALL = tuple((method, path) for method, path, _ in PAGES)
_REFUSED = {(method, path) for method, path, _ in UNSERVED_PAGES}
SERVED = tuple(page for page in ALL if page not in _REFUSED)


@dataclass
class Target:
    """A suite that is asked, with an application that may do everything.

    Attributes:
        there: An execution, its task and an access key, by how requests name them.
    """

    services: Services
    clients: Any
    token: str = ""
    there: dict[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        """An execution of its own for the next request."""
        start = executor_pb2.Start(workflow_name="known", input='{"a": 1}')
        request = executor_pb2.StartExecutionRequest(start=start)
        id_ = (await self.clients.executor.StartExecution(request)).execution_id
        wanted = executor_pb2.GetExecutionRequest(execution_id=id_)
        told = await self.clients.executor.GetExecution(wanted)
        self.there |= {
            "<execution>": id_,
            "<task>": json.loads(told.document)["tasks"][0]["taskId"],
        }

    async def restore(self) -> None:
        """All definitions that were there at first."""
        await put(self.services, *_known())

    async def enter(self) -> None:
        """Have a token that holds."""
        wanted = pb.CreateAccessKeyRequest(application_id="fuzzer")
        made = await self.clients.registry.CreateAccessKey(wanted)
        issued = await self.clients.registry.IssueToken(
            pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
        )
        self.token = issued.token

    def named(self, text: str) -> str:
        """``text`` with the ids that stand for what is there."""
        for name, id_ in self.there.items():
            text = text.replace(name, id_)
        return text

    async def answer(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what is told."""
        address = self.services.suite.management.removeprefix("http://")
        async with raw(address) as connection, asyncio.timeout(_PATIENCE_SECONDS):
            await connection.send(request)
            told = await connection.reader.read()
        head, _, body = told.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        return int(first.split(" ", 2)[1]), headers, body


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Target]:
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(services_in(tmp_path_factory.mktemp("pages")))
        target = Target(services, await stack.enter_async_context(connected(services.suite)))
        await target.restore()
        await target.enter()
        wanted = pb.CreateAccessKeyRequest(application_id="known")
        key = (await target.clients.registry.CreateAccessKey(wanted)).access_key
        target.there["<key>"] = key.key_id
        await target.begin()
        yield target


def _known() -> list[dict[str, object]]:
    task = {"name": "known", "taskReferenceName": "x", "type": "SIMPLE",
            "inputParameters": {"key": "${workflow.secrets.known}"}}  # fmt: skip
    start_request = {"name": "known"}
    return [
        {"kind": "application", "id": "fuzzer", "roles": ["ADMIN"]},
        {"kind": "application", "id": "known", "roles": ["VIEWER"]},
        {"kind": "secret", "name": "known", "value": SECRET},
        {"kind": "task", "name": "known", "retryCount": 0},
        {"kind": "schema", "name": "known", "data": {"type": "object"}},
        {"kind": "workflow", "name": "known", "tasks": [task]},
        {"kind": "workflow", "name": "done", "tasks": [
            {"name": "noop", "taskReferenceName": "x", "type": "NOOP"}]},
        {"kind": "schedule", "name": "known", "cronExpression": "0 0 0 1 1 ?", "paused": True,
         "startWorkflowRequest": start_request},
        {"kind": "event", "name": "known", "event": "conductor:known:x", "active": False,
         "actions": [{"action": "start_workflow", "start_workflow": start_request}]},
        {"kind": "auth", "id": "known", "authenticationType": "NONE", "applicationId": "known"},
        {"kind": "service", "id": "known", "name": "known", "path": "/known",
         "authConfigId": "known", "routes": []},
    ]  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """What fills the path of a page, its query and its body; ``<execution>`` is one there is."""

    names: tuple[str, ...]
    query: str
    body: bytes

    def request(self, method: str, path: str, target: Target, token: str) -> bytes:
        names = iter(self.names)
        body = self.body
        for name, id_ in target.there.items():
            body = body.replace(name.encode(), id_.encode())
        filled = _PARAMETER.sub(lambda _: _quoted(next(names, "x"), target), path)
        # Nobody waits; where something is executed, no seconds would be ten.
        seconds = 1 if "/execute/" in path else 0
        prompt = f"&timeout=0&timeoutMillis=1&waitForSeconds={seconds}"
        head = [
            f"{method} {filled}?{self.query}{prompt} HTTP/1.1", "Host: here", "Connection: close",
            "Content-Type: application/json", f"Content-Length: {len(body)}",
        ]  # fmt: skip
        head += [f"X-Authorization: {token}"] if token else []
        return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def _quoted(name: str, target: Target) -> str:
    whole = target.named(name)
    # A path has a bound of its own.
    return quote(whole.encode("utf-8", "replace")[:600], safe="") or "-"


_OBJECTS = st.dictionaries(st.one_of(_FIELDS, texts), documents, max_size=4)
_BODIES: SearchStrategy[bytes] = st.one_of(
    st.one_of(_OBJECTS, st.lists(_OBJECTS, max_size=3), documents).map(
        # As Python and Java write it: halves of surrogate pairs and NaN as well.
        lambda document: json.dumps(document).encode()
    ),
    texts.map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=60),
)


@st.composite
def _nearly_sound(draw: st.DrawFn, path: str) -> bytes:
    """What the page takes, but for something in it."""
    document = sound(path)
    for _ in range(draw(st.integers(0, 2))):
        document = _changed(draw, document)
    return json.dumps(document).encode()


def _changed(draw: st.DrawFn, document: Any) -> Any:
    """With another value somewhere, at any depth."""
    if not isinstance(document, dict | list):
        return draw(documents)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    if not keys or draw(st.integers(0, 9)) == 0:
        return draw(documents)
    key = draw(st.sampled_from(keys))
    inner = document[key]
    deeper = isinstance(inner, dict | list) and draw(st.booleans())
    document[key] = _changed(draw, inner) if deeper else draw(st.one_of(documents, texts))
    return document


_QUERIES: SearchStrategy[str] = st.one_of(
    st.lists(st.tuples(_FIELDS, _VALUES), max_size=4).map(
        lambda pairs: urlencode([(name, value.encode("utf-8", "replace")[:400])
                                 for name, value in pairs])
    ),
    st.text("abq=&%2+;[]0", max_size=20),
)  # fmt: skip


def _there(path: str) -> tuple[str, ...]:
    """What there is, for each parameter of a path; what is executed ends at once."""
    usual = "done" if "/execute/" in path else "known"
    return tuple(_THERE.get(name[1:-1], usual) for name in _PARAMETER.findall(path))


@st.composite
def _requests(draw: st.DrawFn) -> tuple[str, str, Sent]:
    """Method and path of a page, and what is sent there."""
    method, path = draw(st.sampled_from(SERVED))
    body = draw(st.one_of(_nearly_sound(path), _nearly_sound(path), _BODIES))
    there = _there(path)
    names = tuple(draw(texts) if draw(st.integers(0, 4)) == 0 else name for name in there)
    return method, path, Sent(names, draw(_QUERIES), body)


async def _asked(target: Target, method: str, path: str, sent: Sent) -> None:
    if {"<execution>", "<task>"} & set(sent.names) or b"<execution>" in sent.body:
        await target.begin()
    status, headers, body = await target.answer(sent.request(method, path, target, target.token))
    if method == "DELETE" and status < 300:
        await target.restore()
    if status == 401 and path != "/api/token":
        # Its 15 minutes may be over.
        await target.enter()
        status, headers, body = await target.answer(
            sent.request(method, path, target, target.token)
        )
    assert path == "/api/token" or status != 401, body
    assert status < 500 or status in (501, 503), (status, body)
    assert b"Traceback" not in body
    assert SECRET.encode() not in body or path in HANDED
    if status >= 400:
        assert "json" in headers["content-type"], headers
        problem = json.loads(body)
        assert problem["message"], problem
        assert problem["status"] == status


@tries(120)
@given(drawn=_requests())
async def test_any_request_to_any_page_has_an_answer(
    target: Target, drawn: tuple[str, str, Sent]
) -> None:
    await _asked(target, *drawn)


_SENSELESS = (b"{}", b"[]", b"null", b'"x"', b"[[]]", b"[{}]", b"{", b"\xff", b"1e999", b"")
# In CI nearly each page is asked one of them, by turns.
_EVERY = 1 if EXAMPLES else 13


async def test_every_page_has_an_answer_to_what_makes_no_sense(target: Target) -> None:
    asked = [(page, body) for page in ALL for body in _SENSELESS]
    for (method, path), body in asked[::_EVERY]:
        await _asked(target, method, path, Sent(_there(path), "", body))


_WRONG = (["x"], {"a": ["x"]}, True, -(2**63), 1.5, "no such thing", "", None)


async def test_each_field_may_be_of_any_type(target: Target) -> None:
    taking = [page for page in SERVED if page[0] in ("POST", "PUT")]
    fields = [(page, place) for page in taking for place in places(sound(page[1]))]
    for number, ((method, path), place) in list(enumerate(fields))[:: 1 if EXAMPLES else 7]:
        # In CI one wrong value each, by turns.
        for wrong in _WRONG if EXAMPLES else (_WRONG[number % len(_WRONG)],):
            body = with_value(sound(path), place, wrong)
            await _asked(target, method, path, Sent(_there(path), "", body))


async def test_the_listener_lives(target: Target) -> None:
    status, _, body = await target.answer(Sent((), "", b"").request("GET", "/health", target, ""))
    assert (status, json.loads(body)["healthy"]) == (200, True)
