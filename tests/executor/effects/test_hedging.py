"""A slow request is sent again beside itself; the first success wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.egress.failures import CallFailed
from services.egress.sender import Reply
from services.executor.effects.hedging import hedged
from tests.executor.effects.performing import Perform, answered
from tests.executor.effects.upstream import Asked, Upstream as HttpServer, plain


class Upstream:
    """Each request is answered when the test says so."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Reply]] = []
        self.came = asyncio.Event()

    async def send(self) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.asked.append(future)
        self.came.set()
        return await future

    async def has(self, count: int) -> None:
        while len(self.asked) < count:
            self.came.clear()
            await self.came.wait()


def reply(status: int) -> Reply:
    return Reply(status, "", {}, str(status).encode())


async def begun(attempts: int, delay: float = 0.001) -> tuple[Upstream, asyncio.Task[Reply]]:
    upstream = Upstream()
    task = asyncio.create_task(hedged(upstream.send, attempts, delay))
    await upstream.has(1)
    return upstream, task


async def test_the_first_success_wins_and_the_others_are_broken_off() -> None:
    upstream, task = await begun(3)
    await upstream.has(3)
    upstream.asked[1].set_result(reply(200))

    assert (await task).status == 200
    assert [each.cancelled() for each in upstream.asked] == [True, False, True]


async def test_a_quick_answer_needs_no_second_request() -> None:
    upstream, task = await begun(2, delay=60)
    upstream.asked[0].set_result(reply(200))

    assert (await task).status == 200
    assert len(upstream.asked) == 1


async def test_no_more_are_sent_than_were_asked_for() -> None:
    upstream, task = await begun(2)
    await upstream.has(2)
    await asyncio.sleep(0.01)
    assert len(upstream.asked) == 2

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(each.cancelled() for each in upstream.asked)


async def test_what_is_no_success_waits_for_the_others_and_wins_without_one() -> None:
    upstream, task = await begun(2)
    await upstream.has(2)
    upstream.asked[0].set_result(reply(503))
    await asyncio.sleep(0)
    assert not task.done()
    upstream.asked[1].set_exception(CallFailed("Gone."))

    assert (await task).status == 503


@pytest.mark.parametrize("first", [lambda: reply(500), lambda: CallFailed("Refused.")])
async def test_what_fails_quickly_is_not_sent_again(first: Callable[[], object]) -> None:
    upstream, task = await begun(3, delay=60)
    value = first()
    if isinstance(value, Exception):
        upstream.asked[0].set_exception(value)
        with pytest.raises(CallFailed):
            await task
    else:
        assert isinstance(value, Reply)
        upstream.asked[0].set_result(value)
        assert (await task).status == 500
    assert len(upstream.asked) == 1


async def test_where_all_fail_the_outcome_is_unknown_if_one_is() -> None:
    upstream, task = await begun(2)
    await upstream.has(2)
    upstream.asked[0].set_exception(CallFailed("Refused."))
    upstream.asked[1].set_exception(CallFailed("Timed out.", unknown=True))

    with pytest.raises(CallFailed) as caught:
        await task
    assert caught.value.unknown


async def test_it_goes_out_twice_with_one_key_and_the_slow_connection_is_closed(
    perform: Perform, server: HttpServer
) -> None:
    closed = asyncio.Event()

    async def answer(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if len(server.asked) == 1:
            await reader.read()
            closed.set()
        else:
            writer.write(plain(b'{"n": 2}'))

    server.answers["/slow"] = answer
    more = {"attempts": 2, "hedge_delay": timedelta(milliseconds=5), "idempotency_key": "k"}
    outcome = answered(await perform(server.url + "/slow", "POST", body={"a": 1}, **more))

    assert outcome.body == {"n": 2}
    assert [asked.headers["idempotency-key"] for asked in server.asked] == ["k", "k"]
    async with asyncio.timeout(5):
        await closed.wait()
