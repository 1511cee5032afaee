"""Wrong keys at the gateway: slowed by source, and no hindrance to who has a good one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest

from services.edge.call import Call
from services.edge.guesses import OF_SOURCE, Guesses
from services.edge.problems import Problem
from services.errors import RateLimited
from tests.edge.documents import KEY
from tests.edge.suites import Suite, suite_in


@pytest.fixture
async def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Suite]:
    monkeypatch.setattr(Guesses, "delay_seconds", 0.001)
    async with suite_in(tmp_path) as found:
        yield found


async def statuses(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> list[int]:
    return [(await client.get(path, headers=headers)).status_code for _ in range(OF_SOURCE + 20)]


def a_call(address: str, **headers: str) -> Call:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        raise AssertionError("nothing is read")

    return Call("GET", b"/", b"", given, dict(given), receive, None, address=address)  # type: ignore[arg-type]


def made(monotonic: Callable[[], float], delay_seconds: float = 0.0) -> Guesses:
    guesses = Guesses(monotonic)
    guesses.delay_seconds = delay_seconds
    return guesses


UNKNOWN = Problem("unauthenticated")


async def told(guesses: Guesses, address: str, **headers: str) -> str:
    return (await guesses.met(a_call(address, **headers), UNKNOWN)).kind


async def test_a_source_that_guesses_too_often_is_told_so_and_others_are_not() -> None:
    clock = [0.0]
    guesses = made(lambda: clock[0])
    kinds = [await told(guesses, "192.0.2.1", authorization="Bearer x") for _ in range(OF_SOURCE)]

    assert set(kinds) == {"unauthenticated"}
    problem = await guesses.met(a_call("192.0.2.1", authorization="Bearer x"), UNKNOWN)
    assert (problem.kind, problem.headers) == ("rate-limited", ((b"retry-after", b"1"),))
    assert await told(guesses, "192.0.2.2", authorization="Bearer x") == "unauthenticated"
    clock[0] = 3.0
    assert await told(guesses, "192.0.2.1", authorization="Bearer x") == "unauthenticated"


async def test_who_sends_no_key_at_all_guesses_nothing() -> None:
    guesses = made(lambda: 0.0)

    kinds = {await told(guesses, "192.0.2.1", accept="*/*") for _ in range(OF_SOURCE * 3)}

    assert kinds == {"unauthenticated"}


async def test_other_problems_are_none_of_it() -> None:
    guesses, problem = made(lambda: 0.0), Problem("not-found")
    call = a_call("192.0.2.1", authorization="Bearer x")

    assert {id(await guesses.met(call, problem)) for _ in range(OF_SOURCE * 3)} == {id(problem)}


async def test_only_so_many_are_delayed_and_one_that_leaves_makes_room() -> None:
    guesses = made(lambda: 0.0, 60.0)
    for _ in range(OF_SOURCE):
        await told(guesses, "192.0.2.1", authorization="Bearer x")
    waiting = [
        asyncio.create_task(told(guesses, "192.0.2.1", authorization="Bearer x"))
        for _ in range(256)
    ]
    await asyncio.sleep(0)

    assert await told(guesses, "192.0.2.1", authorization="Bearer x") == "rate-limited"
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    last = asyncio.create_task(told(guesses, "192.0.2.1", authorization="Bearer x"))
    await asyncio.sleep(0)
    assert not last.done()
    last.cancel()


async def test_wrong_keys_come_to_429_and_a_good_key_opens_as_before(suite: Suite) -> None:
    wrong = await statuses(suite.gateway, "/api/orders/7", {"x-api-key": "a-wrong-key"})

    assert wrong[:OF_SOURCE] == [401] * OF_SOURCE
    assert wrong[-1] == 429
    answer = await suite.gateway.post("/api/orders/7/nothing", headers={"x-api-key": KEY})
    assert answer.status_code == 404
    refused = await suite.gateway.get("/api/orders/7", headers={"x-api-key": "a-wrong-key"})
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"


async def test_tokens_that_hold_no_more_are_told_so_however_many_there_are() -> None:
    guesses, token = made(lambda: 0.0), "Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln"

    kinds = {await told(guesses, "192.0.2.1", authorization=token) for _ in range(OF_SOURCE * 3)}

    assert kinds == {"unauthenticated"}


async def test_basic_credentials_of_metrics_are_refused_in_the_registry_s_words(
    suite: Suite,
) -> None:
    suite.registry.refusal = RateLimited("Inner.", retry_after_seconds="7")

    answer = await suite.management.get("/metrics", auth=("key-1", "wrong"))

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
