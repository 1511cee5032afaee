"""Requests of somebody who has not read the documentation: what is told leads on."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.conductor.rows import Row, exchanged

LISTED = (
    "There is nothing at this path: docs/conductor.md and docs/gateway/management.md list what "
    "there is."
)
ELSEWHERE = (
    "There is nothing at this path: here are /api and what manages the gateway; routes are called "
    "at the gateway's own address."
)
SLASHES = (
    "There is nothing at a path with two slashes in a row: does the URL that your client was given "
    "end with one?"
)
BEFORE = "There is nothing at this path, but there is with /api before it."
WEBHOOKS = (
    "There is nothing at this path: webhooks are called at the gateway's own address, as POST "
    "/-/webhooks/NAME (docs/webhooks.md)."
)
TWICE = "There is nothing at this path: it has /api twice, which your client adds itself."
OTHERS = "The path is known by other methods: DELETE, GET, HEAD, OPTIONS, POST."
TASKDEFS, WORKFLOWS = "/api/metadata/taskdefs", "/api/metadata/workflow"
ROWS = tuple(
    Row(f"{method} {path}", "", path, status, body, {"status": status, "message": message})
    for method, path, status, body, message in (
        ("GET", "/api/nope", 404, None, LISTED),
        ("GET", "/api", 404, None, LISTED),
        ("POST", "/orders/7/checkout", 404, {}, ELSEWHERE),
        ("GET", "/", 404, None, ELSEWHERE),
        ("GET", "/workflow/search", 404, None, BEFORE),
        ("GET", "/prompts/greeting", 404, None, BEFORE),
        ("POST", "/webhook/7f3a", 404, {}, WEBHOOKS),
        ("GET", "/api/api/workflow/search", 404, None, TWICE),
        ("GET", "/api//workflow/search", 404, None, SLASHES),
        ("PATCH", "/api/workflow/x", 405, {}, OTHERS),
        ("POST", TASKDEFS, 400, '"x"',
         "The body must be a JSON object: a task definition, or a list of them."),
        ("POST", TASKDEFS, 400, [{"name": "odd_one"}, 7],
         "There is a fault: [1]: must be a JSON object: a task definition."),
        ("PUT", TASKDEFS, 400, [{"name": "odd_one"}],
         "The body must be a JSON object: a task definition."),
        ("PUT", WORKFLOWS, 400, [[]],
         "There is a fault: [0]: must be a JSON object: a workflow."),
        ("POST", "/api/tasks/nobody/t/COMPLETED", 404, {}, "Workflow with id: nobody not found."),
        ("POST", "/api/token", 401, {"keyId": "a", "keySecret": "b"},
         "The keyId and the keySecret are none of an access key that opens something."),
    )
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_a_refusal_leads_on(api: httpx.AsyncClient, row: Row) -> None:
    await exchanged(api, row, {})


async def test_a_compressed_body_is_told_apart(api: httpx.AsyncClient) -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    answer = await api.post("/api/workflow", content=gzip.compress(b"{}"), headers=headers)

    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert answer.json()["message"] == (
        "A compressed body is not read here: send it without Content-Encoding."
    )


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "This needs a token, as X-Authorization: POST /api/token gives one for the keyId and "
             "the keySecret of an access key."),
        ("stale", "The token does not hold, or not any more: POST /api/token gives another."),
    ],
)  # fmt: skip
async def test_who_has_no_token_is_told_where_one_is(
    api: httpx.AsyncClient, token: str, said: str
) -> None:
    answer = await api.get("/api/workflow/search", headers={"x-authorization": token})

    assert (answer.status_code, answer.json()["message"]) == (401, said)


async def test_a_body_that_is_too_large_leads_on_for_those_who_are_known(
    api: httpx.AsyncClient,
) -> None:
    held = "A body here holds {} bytes at most."
    advice = (
        "PODIUM_MAX_BODY_BYTES says how many; what is large belongs into a store of its own, and "
        "its URL into the body."
    )
    told = {}
    for path in ("/api/workflow/strange", "/api/token"):
        answer = await api.post(path, content=b" " * (10 * 1024 * 1024 + 1))
        told[path] = (answer.status_code, answer.json()["message"])

    assert told == {
        "/api/workflow/strange": (413, f"{held.format(10 * 1024 * 1024)} {advice}"),
        "/api/token": (413, held.format(4096)),
    }
