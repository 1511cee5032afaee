"""Events of routes that await tasks: their end, for those who were cut off before it."""

from __future__ import annotations

from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.sse import Parser, events
from tests.edge.test_events import asking, change, end, opened, polled, rest, say, task


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED"])
async def test_who_comes_back_after_an_awaited_task_has_ended_misses_nothing(
    edge: Edge, status: str
) -> None:
    awaiting = route("POST", "/charge", waitUntilTasks="charge", exposeDetails=True)
    put(edge.replica, service(awaiting, id="o", path="/o"))
    async with opened(edge, "/o/charge") as answer:
        start = await asking(edge)
        parser = Parser()
        say(edge, change(1, "RUNNING", task("charge")))
        await anext(events(answer.aiter_lines(), parser))
    ended: dict[str, Any] = {"awaited_ref": "charge", "awaited_status": pb.TASK_STATUS_COMPLETED}
    end(edge, start, "RUNNING", output="1", **ended)
    say(edge, None, change(2, status, polled(1, 20)), change(3, "RUNNING", polled(2, 40)))
    say(edge, change(4, "RUNNING", task("charge", "COMPLETED")))
    again = {"last-event-id": parser.last_id}
    async with opened(edge, answer.headers["location"], "GET", **again) as answer:
        told = await rest(answer)

    assert [event.data.get("progress") for event in told[:-1]] == [20, 40, 40]
    assert told[-2].data["tasks"][0]["status"] == "COMPLETED"
    assert told[-1].name == "result"


async def test_an_attempt_that_a_pause_has_held_back_is_the_end_once_it_goes_on(edge: Edge) -> None:
    awaiting = route("POST", "/charge", waitUntilTasks="charge")
    put(edge.replica, service(awaiting, id="o", path="/o"))
    async with opened(edge, "/o/charge") as answer:
        start = await asking(edge)
        parser = Parser()
        told = events(answer.aiter_lines(), parser)
        say(edge, change(1, "PAUSED", task("charge", "FAILED")))
        await anext(told)
    ended: dict[str, Any] = {"awaited_ref": "charge", "awaited_status": pb.TASK_STATUS_FAILED}
    end(edge, start, "RUNNING", **ended)
    say(edge, None, change(2, "RUNNING"))
    again = {"last-event-id": parser.last_id}
    async with opened(edge, answer.headers["location"], "GET", **again) as answer:
        last = await rest(answer)

    assert [event.name for event in last] == ["progress", "error"]
    assert last[-1].data["status"] == 502
