"""The management API: tokens for keys, and words about tasks."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from podium.executor.v1 import executor_pb2
from services.edge.serving import serving
from services.errors import (
    Conflict,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
)
from tests.edge.documents import KEY
from tests.edge.registry import token
from tests.edge.suites import Suite, settings_in, suite_in

TASK = "/api/tasks/execution-1/charge/COMPLETED"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-authorization": "{}"},
        {"x-authorization": "Bearer {}"},
        {"authorization": "Bearer {}"},
        {"authorization": "{}"},
    ],
)
async def test_a_task_is_told_of_on_behalf_of_the_caller(
    suite: Suite, headers: dict[str, str]
) -> None:
    given = {name: value.format(token("storefront")) for name, value in headers.items()}

    response = await suite.management.post(
        f"{TASK}?workerid=me", content='{"n": 12345678901234567890}', headers=given
    )

    assert (response.status_code, response.text) == (200, "task-1")
    assert response.headers["content-type"].startswith("text/plain")
    [(request, caller)] = suite.executor.told
    assert caller == "application:storefront"
    assert request == executor_pb2.UpdateTaskRequest(
        execution_id="execution-1",
        ref="charge",
        status=executor_pb2.TASK_STATUS_COMPLETED,
        output='{"n": 12345678901234567890}',
        worker_id="me",
    )


async def test_who_has_a_token_may_cancel_a_task(suite: Suite) -> None:
    response = await suite.management.post(
        TASK.replace("COMPLETED", "CANCELED"),
        content="{}",
        headers={"x-authorization": token("storefront")},
    )

    assert response.status_code == 200
    [(request, _)] = suite.executor.told
    assert request.status == executor_pb2.TASK_STATUS_CANCELED


@pytest.mark.parametrize(
    "given",
    ["", "nonsense", token("storefront", -60), token("x", access_key="revoked")],
    ids=["none", "nonsense", "expired", "revoked"],
)
async def test_without_a_token_that_holds_nobody_is_heard(suite: Suite, given: str) -> None:
    response = await suite.management.post(TASK, headers={"x-authorization": given})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="podium"'
    assert suite.executor.told == []


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        (TASK, b"[1]", 400),
        (TASK, b"text", 400),
        (TASK.replace("COMPLETED", "DONE"), b"{}", 400),
        (TASK.replace("COMPLETED", "SKIPPED"), b"{}", 400),
        ("/api/tasks/execution-1/charge", b"{}", 404),
        ("/api/nothing-here", b"{}", 404),
        ("/", b"{}", 404),
        ("/api/orders/7/checkout", b"{}", 404),
    ],
)
async def test_what_makes_no_sense_is_told(
    suite: Suite, path: str, content: bytes, expected: int
) -> None:
    headers = {"x-authorization": token("storefront"), "x-api-key": KEY}

    response = await suite.management.post(path, content=content, headers=headers)

    assert response.status_code == expected
    assert response.headers["content-type"] == "application/problem+json"
    assert suite.executor.told == []


@pytest.mark.parametrize(
    ("refusal", "expected", "told"),
    [
        (NotFound("There is no such task."), 404, True),
        (Conflict("There is no such task."), 409, True),
        (PermissionDenied("There is no such task."), 403, True),
        (Overloaded("There is no such task."), 503, False),
        (ValueError("There is no such task."), 500, False),
    ],
)
async def test_what_the_executor_says_is_told_in_its_words_unless_it_is_at_fault(
    suite: Suite, refusal: Exception, expected: int, told: bool
) -> None:
    suite.executor.refusal = refusal

    response = await suite.management.post(TASK, headers={"x-authorization": token("storefront")})

    assert response.status_code == expected
    assert (response.json()["detail"] == "There is no such task.") == told


async def test_a_key_becomes_a_token(suite: Suite) -> None:
    response = await suite.management.post(
        "/api/token", json={"keyId": "key-1", "keySecret": "secret"}
    )

    assert response.json()["expiresAt"] == 1_800_000_000_000
    headers = {"x-authorization": response.json()["token"]}
    assert (await suite.management.post(TASK, headers=headers)).status_code == 200


async def test_whoever_asks_for_a_token_has_little_to_say(suite: Suite) -> None:
    key = {"keyId": "key-1", "keySecret": "x" * 5000}

    response = await suite.management.post("/api/token", json=key)

    assert response.status_code == 413


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"keyId": "key-1", "keySecret": "wrong"}, 401),
        ({"keyId": "key-1"}, 400),
        ({"keyId": 1, "keySecret": 2}, 400),
        ([], 400),
    ],
)
async def test_no_key_becomes_none(suite: Suite, body: object, expected: int) -> None:
    response = await suite.management.post("/api/token", json=body)

    assert response.status_code == expected
    challenge = 'Bearer realm="podium"' if expected == 401 else None
    assert response.headers.get("www-authenticate") == challenge


@pytest.mark.parametrize(
    ("body", "paths"),
    [({"keyId": "key-1"}, ["keySecret"]), ({"keyId": 1}, ["keyId", "keySecret"]), ([], [""])],
)
async def test_what_a_key_lacks_is_named(suite: Suite, body: object, paths: list[str]) -> None:
    told = (await suite.management.post("/api/token", json=body)).json()

    assert [fault["path"] for fault in told["validationErrors"]] == paths
    assert paths[0] in told["message"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [({"retry_after_seconds": "17"}, "17"), ({"retry_after_seconds": "-1"}, "1"), ({}, "1")],
)
async def test_who_tries_too_often_is_told_when_to_try_again(
    suite: Suite, told: dict[str, str], expected: str
) -> None:
    suite.registry.refusal = RateLimited("Inner.", **told)  # type: ignore[arg-type]

    response = await suite.management.post(
        "/api/token", json={"keyId": "key-1", "keySecret": "secret"}
    )

    assert response.status_code == 429
    assert response.headers["retry-after"] == expected
    assert response.json()["type"] == "urn:podium:problem:rate-limited"
    assert "Inner" not in response.text


async def test_a_caller_whom_the_executor_does_not_know_is_challenged(suite: Suite) -> None:
    suite.executor.refusal = Unauthenticated("Inner.")

    response = await suite.management.post(TASK, headers={"x-authorization": token("storefront")})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="podium"'


async def test_without_the_registry_there_is_no_token_and_all_is_healthy(tmp_path: Path) -> None:
    async with (
        serving(settings_in(tmp_path)) as edge,
        httpx.AsyncClient(base_url=f"http://{edge.addresses['management']}") as client,
    ):
        key = {"keyId": "key-1", "keySecret": "secret"}
        response = await client.post("/api/token", json=key)
        assert response.status_code == 503
        assert response.headers["retry-after"]
        for path in ("/health", "/api/health"):
            assert (await client.get(path)).status_code == 200


async def test_an_anonymous_application_is_heard_where_it_is_allowed(tmp_path: Path) -> None:
    async with suite_in(tmp_path, anonymous_application="storefront") as suite:
        assert (await suite.management.post(TASK)).status_code == 200
        wrong = await suite.management.post(TASK, headers={"x-authorization": "wrong"})
        assert wrong.status_code == 401

    [(_, caller)] = suite.executor.told
    assert caller == "application:storefront"


async def test_an_anonymous_application_that_nobody_made_says_how_it_is_made(
    tmp_path: Path,
) -> None:
    async with suite_in(tmp_path, anonymous_application="storefront") as suite:
        suite.executor.refusal = PermissionDenied("Gone.", unknown_application="storefront")
        made = await suite.management.post(TASK)
        keyed = await suite.management.post(TASK, headers={"x-authorization": token("storefront")})

    assert made.status_code == keyed.status_code == 403
    assert "`podium apply` takes a definition with kind: application, id: storefront" in made.text
    assert keyed.json()["message"] == "Gone."


@pytest.mark.parametrize(
    "header",
    [
        {"origin": "https://evil.example"},
        # Its name means this machine now (DNS rebinding); to read from it needs no origin.
        {"host": "evil.example:8081"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example:8081"},
        # What an image of the page gets has no origin.
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"referer": "https://evil.example/page"},
        {"host": "localhost:8081", "referer": "http://localhost:3000/"},
        {"host": "localhost:8081", "referer": "http://[localhost:8081"},
    ],
)
async def test_a_page_of_a_stranger_is_nobody_in_particular(
    tmp_path: Path, header: dict[str, str]
) -> None:
    async with suite_in(tmp_path, anonymous_application="storefront") as suite:
        answer = await suite.management.post(TASK, headers=header)

    assert answer.status_code == 401
    assert suite.executor.told == []


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8081", "127.0.0.1", "[::1]:8081"])
async def test_an_anonymous_application_is_of_this_machine(tmp_path: Path, host: str) -> None:
    async with suite_in(tmp_path, anonymous_application="storefront") as suite:
        assert (await suite.management.post(TASK, headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "referer": "http://localhost:8081/api/docs"},
    ],
)
async def test_a_page_of_the_listener_itself_is_no_strangers(
    tmp_path: Path, header: dict[str, str]
) -> None:
    async with suite_in(tmp_path, anonymous_application="storefront") as suite:
        asked = {"host": "localhost:8081", **header}
        assert (await suite.management.post(TASK, headers=asked)).status_code == 200


async def test_a_problem_has_what_conductors_clients_look_for(suite: Suite) -> None:
    given = {"x-authorization": token("storefront")}
    suite.executor.refusal = NotFound("There is no such task.")
    known = await suite.management.post(TASK, headers=given)
    suite.executor.refusal = Overloaded("Inner.")
    busy = await suite.management.post(TASK, headers=given)

    assert known.json()["message"] == known.json()["detail"] == "There is no such task."
    assert known.json()["instance"] == TASK
    assert (known.json()["retryable"], busy.json()["retryable"]) == (False, True)
    assert "Inner" not in busy.text


async def test_without_the_registry_the_configuration_is_told_later(tmp_path: Path) -> None:
    async with (
        serving(settings_in(tmp_path, anonymous_application="storefront")) as edge,
        httpx.AsyncClient(base_url=f"http://{edge.addresses['management']}") as client,
    ):
        answer = await client.get("/api/gateway/config/services")

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["retryable"] is True
