"""Circuit breakers in a whole executor: what tasks come to, what operators see and set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from podium.executor.v1 import breakers_pb2 as pb, executor_pb2
from services.errors import InvalidRequest
from services.executor.breaking.breaker import Thresholds
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, Upstream, executing, http, step, upstream, workflow

SOON = Thresholds(percent=50, calls=2, open_for=0.2, trials=1)

SOON_AGAIN = {"name": "a", "retryDelaySeconds": 0}


def broken(request: web.Request) -> web.Response:
    return web.Response(status=503)


def definitions(server: Upstream) -> list[dict[str, Any]]:
    uri = f"{server.url}/item"
    poll = {"uri": uri, "pollingInterval": 0.1, "terminationCondition": "true", "maxPollCount": 1}
    return [
        workflow("once", http("a", uri)),
        workflow("again", {**http("a", uri), "retryCount": 1, "taskDefinition": SOON_AGAIN}),
        workflow("polls", step("a", "HTTP_POLL", http_request=poll)),
    ]


async def listed(rig: Rig, **request: Any) -> list[pb.Breaker]:
    with raising_ours():
        told = await rig.stub.ListBreakers(
            pb.ListBreakersRequest(**request), metadata=ADMIN, timeout=5
        )
    return list(told.breakers)


async def say(rig: Rig, host: str, mode: pb.BreakerMode.ValueType) -> pb.Breaker:
    with raising_ours():
        told = await rig.stub.SetBreaker(
            pb.SetBreakerRequest(host=host, mode=mode), metadata=ADMIN, timeout=5
        )
    return told.breaker


async def test_a_host_that_fails_is_left_alone_and_then_tried_again(tmp_path: Path) -> None:
    async with upstream(item=broken) as server:
        host = server.url.removeprefix("http://")
        thresholds = Thresholds(percent=50, calls=2, open_for=60, trials=1)
        async with executing(tmp_path / "x.db", definitions(server), breaking=thresholds) as rig:
            for _ in range(3):
                result = await rig.run("once")
            (breaker,) = await listed(rig)
            assert (breaker.host, breaker.calls, breaker.failed) == (host, 2, 2)
            assert breaker.state == pb.BREAKER_STATE_OPEN
            assert breaker.trials_at.seconds - breaker.since.seconds in (59, 60, 61)
            assert len(server.asked) == 2
            assert f"The circuit breaker of {host} is open: 2 of 2 calls" in result.reason

            server.handlers["/item"] = lambda request: {"fine": True}
            anew = await say(rig, host, pb.BREAKER_MODE_AUTOMATIC)
            assert (anew.state, anew.calls) == (pb.BREAKER_STATE_CLOSED, 0)
            assert (await rig.run("once")).status == executor_pb2.EXECUTION_STATUS_COMPLETED


async def test_a_retry_comes_when_calls_go_out_again(tmp_path: Path) -> None:
    async with (
        upstream(item=broken) as server,
        executing(tmp_path / "x.db", definitions(server), breaking=SOON) as rig,
    ):
        for _ in range(2):
            await rig.run("once")
        server.handlers["/item"] = lambda request: {"fine": True}

        result = await rig.run("again")

        assert result.status == executor_pb2.EXECUTION_STATUS_COMPLETED
        assert (await listed(rig))[0].state == pb.BREAKER_STATE_CLOSED


async def test_a_poll_is_put_off_and_counts_as_none(tmp_path: Path) -> None:
    async with upstream(item=lambda request: {"fine": True}) as server:
        host = server.url.removeprefix("http://")
        async with executing(tmp_path / "x.db", definitions(server), breaking=SOON) as rig:
            await say(rig, host, pb.BREAKER_MODE_OPEN)
            execution_id = await rig.begin("polls")
            while not (tasks := (await rig.get(execution_id)).tasks) or not tasks[0].polls:
                pass
            (poll,) = tasks[0].polls
            assert (poll.verdict, poll.number, tasks[0].poll_count) == ("PUT_OFF", 1, 0)
            assert "opened by an operator" in poll.reason
            await say(rig, host, pb.BREAKER_MODE_AUTOMATIC)

            assert (await rig.ended(execution_id)).status == executor_pb2.EXECUTION_STATUS_COMPLETED
            polls = (await rig.get(execution_id)).tasks[0].polls
            assert [(each.number, each.verdict) for each in polls] == [(1, "COMPLETED")]


async def test_what_operators_say_outlives_a_restart(tmp_path: Path) -> None:
    async with upstream(item=lambda request: {}) as server:
        host = server.url.removeprefix("http://")
        async with executing(tmp_path / "x.db", definitions(server)) as rig:
            await say(rig, "Elsewhere.example:443", pb.BREAKER_MODE_CLOSED)
            await say(rig, host, pb.BREAKER_MODE_OPEN)
        async with executing(tmp_path / "x.db", definitions(server)) as rig:
            first, second = await listed(rig)
            assert (first.host, first.state) == (host, pb.BREAKER_STATE_OPEN)
            assert (first.set_by, first.set_at.seconds > 0) == ("admin", True)
            assert (second.host, second.mode) == ("elsewhere.example:443", pb.BREAKER_MODE_CLOSED)
            assert await listed(rig, host="Elsewhere.example:443") == [second]
            result = await rig.run("once")
            assert "opened by an operator" in result.reason
            assert server.asked == []
            assert json.loads(result.output)["error"].startswith("The circuit breaker")


@pytest.mark.parametrize("host", ["", "shop", "http://shop:80", "shop:0", "shop:65536", "a b:80"])
async def test_what_is_no_host_cannot_be_set(tmp_path: Path, host: str) -> None:
    async with executing(tmp_path / "x.db") as rig:
        with pytest.raises(InvalidRequest, match="HOST:PORT"):
            await say(rig, host, pb.BREAKER_MODE_OPEN)
        with pytest.raises(InvalidRequest, match="mode"):
            await say(rig, "shop:80", pb.BREAKER_MODE_UNSPECIFIED)
        with pytest.raises(InvalidRequest, match="limit"):
            await listed(rig, limit=1_001)
