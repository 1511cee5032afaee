"""Calls of the same at once: one execution, whoever comes, leaves, waits too short, or fails."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import httpx

from podium.edge.v1.edge_pb2 import PurgeCacheRequest
from podium.executor.v1 import executor_pb2 as pb
from services.edge.cache_calls import purge_cache
from services.edge.call import Call
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY
from tests.edge.scripted import Frames, accepted, echo, error, result, silence
from tests.edge.test_caching import call, starts, told, with_cache


async def settled(condition: Callable[[], bool]) -> None:
    """Once ``condition`` holds; the test's own time is the limit."""
    while not condition():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0.005)


async def several(edge: Edge, count: int, *keys: str) -> list[asyncio.Task[httpx.Response]]:
    """So many calls, all of which wait, by the callers of ``keys`` in turn."""
    tasks = []
    for number in range(count):
        key = keys[number % len(keys)] if keys else KEY
        tasks.append(asyncio.create_task(call(edge, headers={"x_api_key": key})))
        await settled(lambda: edge.gateway.flights.waiting == number + 1)  # noqa: B023
    return tasks


async def once(edge: Edge, answer: Callable[[pb.ClientFrame], Frames]) -> pb.ClientFrame:
    """Answer the one start that was sent."""
    frame = await edge.executor.next()
    edge.executor.say(*answer(frame))
    return frame


async def test_calls_of_the_same_share_one_execution(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    calls = await several(edge, 5)
    frame = await once(edge, echo)
    answers = await asyncio.gather(*calls)

    assert [told(answer) for answer in answers] == [
        "fwd=uri-miss; stored",
        *["fwd=uri-miss; collapsed"] * 4,
    ]
    assert len({answer.content for answer in answers}) == 1
    ids = {answer.headers["podium-execution-id"] for answer in answers}
    assert ids == {frame.start.execution_id}
    assert starts(edge) == 0
    assert len(edge.gateway.flights) == 0


async def test_other_calls_wait_for_none_of_it(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    (waiting,) = await several(edge, 1)
    edge.executor.script = echo

    assert (await call(edge, "/shop/8")).status_code == 200
    assert (await call(edge, headers={"x_api_key": OTHER_KEY})).status_code == 200
    await once(edge, echo)
    assert (await waiting).status_code == 200


async def test_a_failure_is_that_of_all_who_waited(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    calls = await several(edge, 3)
    await once(edge, lambda frame: [result(frame, status=pb.EXECUTION_STATUS_FAILED)])
    answers = await asyncio.gather(*calls)

    assert [answer.status_code for answer in answers] == [502, 502, 502]
    assert len({answer.json()["executionId"] for answer in answers}) == 1
    assert len({answer.json()["requestId"] for answer in answers}) == 3
    assert starts(edge) == 0


async def test_what_is_refused_to_one_caller_is_asked_again_by_another(edge: Edge) -> None:
    with_cache(edge, shared=True)
    edge.executor.script = silence
    calls = await several(edge, 3, KEY, OTHER_KEY)
    frame = await edge.executor.next()
    edge.executor.script = echo
    edge.executor.say(error(frame, "PERMISSION_DENIED"))
    answers = await asyncio.gather(*calls)

    assert [answer.status_code for answer in answers] == [403, 200, 403]


async def test_all_are_told_of_a_limit_that_the_first_has_met(edge: Edge) -> None:
    with_cache(edge, route={"rateLimitConfig": {"concurrentExecLimit": 1}})
    edge.executor.script = silence
    calls = await several(edge, 2)
    await once(edge, lambda frame: [error(frame, "CONCURRENCY_LIMITED")])

    for answer in await asyncio.gather(*calls):
        assert (answer.status_code, answer.headers["ratelimit"]) == (429, '"concurrent";r=0')


async def test_an_answer_for_one_alone_is_no_others(edge: Edge) -> None:
    script = "({headers: {'Set-Cookie': 'a=b'}, body: 1})"
    shaped = {"postResponseScript": script, "responseEnvelope": True}
    with_cache(edge, route=shaped)
    edge.executor.script = silence
    calls = await several(edge, 3)
    edge.executor.script = echo
    await once(edge, echo)
    answers = await asyncio.gather(*calls)

    assert [told(answer) for answer in answers] == ["fwd=uri-miss"] * 3
    assert starts(edge) == 2
    # From now on nobody waits for what will not be for them.
    edge.executor.script = silence
    two = [asyncio.create_task(call(edge)) for _ in range(2)]
    for _ in range(2):
        await once(edge, echo)
    assert {each.status_code for each in await asyncio.gather(*two)} == {200}


async def test_the_first_may_leave_and_the_others_have_the_answer(edge: Edge) -> None:
    for gone in ("CONTINUE", "TERMINATE"):
        with_cache(edge, route={"onClientGone": gone})
        edge.executor.script = silence
        first, *others = await several(edge, 3)
        first.cancel()
        await settled(lambda: edge.gateway.flights.waiting == 2)
        await once(edge, echo)

        for answer in await asyncio.gather(*others):
            assert told(answer) == "fwd=uri-miss; collapsed"
        assert not edge.executor.told
        assert starts(edge) == 0


async def test_an_answer_is_kept_though_all_have_left(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    await leave(edge, await several(edge, 2))
    await once(edge, echo)
    await settled(lambda: len(edge.gateway.flights) == 0)

    assert told(await call(edge)).startswith("hit")


async def test_the_execution_ends_with_the_last_who_leaves_where_the_route_says_so(
    edge: Edge,
) -> None:
    with_cache(edge, route={"onClientGone": "TERMINATE"})
    edge.executor.script = silence
    calls = await several(edge, 2)
    frame = await edge.executor.next()
    execution_id = frame.start.execution_id
    edge.executor.executions[execution_id] = pb.Result(execution_id=execution_id)
    edge.executor.say(accepted(frame))
    await leave(edge, calls)
    await settled(lambda: bool(edge.executor.told))

    assert edge.executor.told[0][0].execution_id == execution_id
    edge.executor.script = echo
    assert told(await call(edge)) == "fwd=uri-miss; stored"


async def leave(edge: Edge, calls: list[asyncio.Task[httpx.Response]]) -> None:
    for each in calls:
        each.cancel()
    await settled(lambda: edge.gateway.flights.waiting == 0)


async def test_one_who_waits_for_less_is_told_where_the_answer_will_be(edge: Edge) -> None:
    with_cache(edge, route={"onClientGone": "TERMINATE"})
    edge.executor.script = silence
    (first,) = await several(edge, 1)
    frame = await once(edge, lambda frame: [accepted(frame)])
    short = await call(edge, headers={"Prefer": "wait=1"})

    assert short.status_code == 202
    assert short.headers["location"].startswith(f"/-/executions/{frame.start.execution_id}?t=")
    assert short.headers["preference-applied"] == "wait=1"
    # Whoever has a Location may come for it.
    await leave(edge, [first])
    edge.executor.say(result(frame))
    await settled(lambda: len(edge.gateway.flights) == 0)
    assert not edge.executor.told
    assert told(await call(edge)).startswith("hit")


async def test_one_who_waits_for_less_for_anothers_is_told_to_come_again(edge: Edge) -> None:
    with_cache(edge, shared=True)
    edge.executor.script = silence
    (first,) = await several(edge, 1)
    await edge.executor.next()
    short = await call(edge, headers={"x_api_key": OTHER_KEY, "Prefer": "wait=1"})

    assert short.status_code == 503
    assert short.json()["type"] == "urn:podium:problem:call-in-progress"
    assert short.headers["retry-after"] == "1"
    assert "podium-execution-id" not in short.headers
    await leave(edge, [first])


async def test_nobody_is_given_the_location_of_another(edge: Edge) -> None:
    with_cache(edge, shared=True, route={"timeoutInSeconds": 1})
    edge.executor.script = lambda frame: [accepted(frame)]
    calls = await several(edge, 3, KEY, OTHER_KEY)
    answers = await asyncio.gather(*calls)

    # The second began one of its own when the first's time was up.
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    ids = [answer.headers["podium-execution-id"] for answer in answers]
    assert ids[0] == ids[2] != ids[1]
    assert starts(edge) == 2


async def test_a_202_that_a_script_has_made_is_an_answer_for_all(edge: Edge) -> None:
    shaped = {"postResponseScript": "({statusCode: 202, body: 1})", "responseEnvelope": True}
    with_cache(edge, shared=True, route=shaped)
    edge.executor.script = silence
    calls = await several(edge, 3, KEY, OTHER_KEY)
    await once(edge, echo)
    answers = await asyncio.gather(*calls)

    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, 1)] * 3
    assert starts(edge) == 0


async def test_one_that_nobody_confirms_is_told_as_such(edge: Edge) -> None:
    with_cache(edge, route={"timeoutInSeconds": 1})
    edge.executor.script = silence
    answers = await asyncio.gather(*await several(edge, 2))

    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:podium:problem:executor-away"
        assert answer.headers["podium-execution-id"]


async def test_no_more_wait_than_there_is_room_for(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    (first,) = await several(edge, 1)
    edge.gateway.flights._most = 1
    for path in ("/shop/7", "/shop/8"):
        refused = await call(edge, path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "podium-execution-id" not in refused.headers
    await once(edge, echo)
    assert (await first).status_code == 200
    # Nothing was begun for whoever was refused.
    assert starts(edge) == 0


async def test_no_more_go_on_for_those_who_have_left_than_there_is_room_for(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    edge.gateway.flights._most = 2
    for number in range(2):
        leaving = asyncio.create_task(call(edge, f"/shop/{number}"))
        await settled(lambda: edge.gateway.flights.waiting == 1)
        await leave(edge, [leaving])

    assert (await call(edge, "/shop/2")).status_code == 503
    await once(edge, echo)
    await settled(lambda: len(edge.gateway.flights) == 1)
    edge.executor.script = echo
    assert (await call(edge, "/shop/2")).status_code == 200


async def test_a_body_is_let_go_once_the_executor_is_asked(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    waiting = asyncio.create_task(call(edge, "/shop/large", json={"text": "x" * 100_000}))
    frame = await edge.executor.next()

    (flight,) = edge.gateway.flights._by_key.values()
    gc.collect()  # those of tests before
    every = [each for each in gc.get_objects() if isinstance(each, Call)]
    held = [each for each in every if each.raw_path == b"/shop/large"]
    # Its own, and that of the first who asked.
    assert flight.call in held
    assert len(held) == 2
    assert {(each.body, each.document, each.input) for each in held} == {(b"", None, "")}
    edge.executor.say(*echo(frame))
    assert (await waiting).json()["text"] == "x" * 100_000


async def test_a_purge_of_others_leaves_what_is_being_made(edge: Edge) -> None:
    with_cache(edge)
    edge.executor.script = silence
    (first,) = await several(edge, 1)
    frame = await edge.executor.next()
    await purge_cache(edge.gateway, PurgeCacheRequest(principal="key:partners/second"))
    edge.executor.say(*echo(frame))

    assert told(await first) == "fwd=uri-miss; stored"


async def test_what_was_begun_before_a_purge_is_waited_for_by_nobody_and_not_kept(
    edge: Edge,
) -> None:
    with_cache(edge)
    edge.executor.script = silence
    (first,) = await several(edge, 1)
    old = await edge.executor.next()
    await purge_cache(edge.gateway, PurgeCacheRequest(all=True))
    edge.clock.now += edge.clock.now - edge.clock.now.replace(microsecond=0)
    second = asyncio.create_task(call(edge))
    new = await edge.executor.next()
    edge.executor.say(*echo(old))
    answer = await first
    edge.executor.say(*echo(new))

    assert told(answer) == "fwd=uri-miss"
    assert old.start.execution_id != new.start.execution_id
    assert (await second).status_code == 200
