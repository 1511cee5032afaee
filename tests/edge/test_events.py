"""Server-sent events of a route's execution: what is told, to whom, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.edge.accepts import prefers_events
from services.edge.cycle import Cycle
from services.edge.places import Place, read_place
from services.errors import NotFound, Unavailable
from tests.edge.conftest import Edge
from tests.edge.documents import OTHER_KEY, STRANGERS_KEY, application, auth, put, route, service
from tests.edge.scripted import accepted, error
from tests.edge.sse import Event, Parser, all_events, events

STREAM = {"accept": "text/event-stream"}
ROUTE = "/api/orders/7/checkout"


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("text/event-stream, */*", True),
        ("text/event-stream;q=0.9, */*;q=0.1", True),
        ("text/event-stream, application/json;q=0.9", True),
        ("application/json, text/event-stream", False),
        ("application/json;q=0.5, text/event-stream;q=0.4", False),
        ("text/event-stream;q=0.2, */*", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=x", False),
        ("application/*, text/event-stream", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_events_are_for_those_who_prefer_them_to_json(accept: str, preferred: bool) -> None:
    assert prefers_events([(b"host", b"x"), (b"accept", accept.encode())]) is preferred


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_accept_can_be_read(values: list[bytes]) -> None:
    assert prefers_events([(b"accept", b"text/event-stream," + each) for each in values]) in (
        True,
        False,
    )


PLACES = st.builds(
    Place,
    execution_id=st.uuids().map(str),
    link=st.sampled_from(("", "b3Blbg.c2lnbmF0dXJl-_")),
    epoch=st.sampled_from(("", "0123456789abcdef")),
    revision=st.integers(0, 10**18 - 1),
    status=st.sampled_from(("", "RUNNING", "TIMED_OUT")),
    progress=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(PLACES, st.sampled_from(("", "over", "ended")))
def test_a_place_is_read_as_it_was_written(place: Place, last: str) -> None:
    if last:
        place = replace(place, over=last == "over", ended=last == "ended")

    assert read_place(str(place).encode()) == place


@given(st.binary(max_size=120))
def test_any_other_id_is_none_of_ours(text: bytes) -> None:
    assert read_place(text) is None


def change(
    revision: int, status: str = "RUNNING", *tasks: pb.TaskState, **fields: Any
) -> pb.WatchExecutionResponse:
    return pb.WatchExecutionResponse(
        resume=pb.ResumeToken(epoch="e1", revision=revision),
        execution=pb.ExecutionState(status=pb.ExecutionStatus.Value(f"EXECUTION_STATUS_{status}")),
        tasks=tasks,
        **fields,
    )


def task(ref: str = "job", status: str = "IN_PROGRESS", **fields: Any) -> pb.TaskState:
    return pb.TaskState(
        ref=ref, kind="HTTP_POLL", status=pb.TaskStatus.Value(f"TASK_STATUS_{status}"), **fields
    )


def polled(number: int, progress: float) -> pb.TaskState:
    return task(poll_count=number, last_poll=pb.Poll(number=number, progress=progress))


def say(edge: Edge, *changes: pb.WatchExecutionResponse | Exception | None) -> None:
    for each in changes:
        edge.executor.changes.put_nowait(each)


async def asking(edge: Edge, path: str = ROUTE, **headers: str) -> pb.Start:
    """Waits for the start, and says that it is stored."""
    start = (await edge.executor.next()).start
    edge.executor.executions[start.execution_id] = pb.Result(
        execution_id=start.execution_id, status=pb.EXECUTION_STATUS_RUNNING, answer=start.answer
    )
    return start


def end(edge: Edge, start: pb.Start, status: str = "COMPLETED", **fields: Any) -> None:
    value = pb.ExecutionStatus.Value(f"EXECUTION_STATUS_{status}")
    result = pb.Result(execution_id=start.execution_id, status=value, answer=start.answer, **fields)
    edge.executor.executions[start.execution_id] = result


Opened = AbstractAsyncContextManager[httpx.Response]


def opened(edge: Edge, path: str = ROUTE, method: str = "POST", **headers: str) -> Opened:
    edge.executor.script = lambda frame: [accepted(frame)]
    return edge.client.stream(method, path, headers=STREAM | headers)


def starts(edge: Edge) -> list[str]:
    """The executions that were asked for and not looked at."""
    frames = [edge.executor.frames.get_nowait() for _ in range(edge.executor.frames.qsize())]
    return [frame.start.execution_id for frame in frames if frame.HasField("start")]


async def rest(answer: httpx.Response) -> list[Event]:
    return list(all_events((await answer.aread()).decode()))


async def test_progress_is_told_and_then_the_result(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        parser = Parser()
        told = events(answer.aiter_lines(), parser)
        say(edge, change(1), change(2, "RUNNING", polled(1, 20)))
        first, second = await anext(told), await anext(told)
        end(edge, start, output='{"total": 12345678901234567890}')
        say(edge, change(3, "COMPLETED"))
        last = [event async for event in told]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["podium-execution-id"] == start.execution_id
    assert answer.headers["location"].startswith(f"/-/executions/{start.execution_id}?t=")
    assert parser.retry == 2000
    assert first.data == {"executionId": start.execution_id, "status": "RUNNING"}
    assert second.data["progress"] == 20
    assert [event.name for event in last] == ["progress", "result"]
    assert last[0].data["status"] == "COMPLETED"
    assert last[1].data == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"total": 12345678901234567890},
    }


async def test_strangers_see_no_tasks_and_nothing_twice(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        say(edge, change(1, "RUNNING", task()), change(2, "RUNNING", task(reason="secret")))
        say(edge, change(3, "RUNNING", polled(1, 20)), change(4, "RUNNING", polled(2, 20)))
        end(edge, start)
        say(edge, change(5, "COMPLETED", task(status="COMPLETED")))
        told = await rest(answer)

    assert [event.data.get("progress") for event in told[:-1]] == [None, 20, 20]
    assert [event.data["status"] for event in told[:-1]] == ["RUNNING", "RUNNING", "COMPLETED"]
    assert "secret" not in "".join(event.text for event in told)
    assert not any("tasks" in event.data for event in told)


async def test_where_details_are_exposed_the_tasks_are_told(edge: Edge) -> None:
    put(edge.replica, service(route("POST", "/open", exposeDetails=True), id="o", path="/o"))
    async with opened(edge, "/o/open") as answer:
        start = await asking(edge)
        say(edge, change(1), change(2, "RUNNING", polled(1, 12.5)))
        end(edge, start, "FAILED", reason="No stock.")
        failed = task(status="FAILED", reason="No stock.", attempt=2, iteration=3)
        say(edge, change(3, "FAILED", failed))
        told = await rest(answer)

    assert [event.name for event in told] == ["progress", "progress", "progress", "error"]
    assert told[1].data["tasks"] == [
        {
            "ref": "job",
            "kind": "HTTP_POLL",
            "status": "IN_PROGRESS",
            "attempt": 0,
            "poll": 1,
            "progress": 12.5,
        }
    ]
    assert told[2].data["tasks"][0]["reason"] == "No stock."
    assert told[2].data["tasks"][0]["iteration"] == 3
    assert told[3].data["detail"] == "No stock."


async def test_a_failure_is_an_error_and_the_last(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        end(edge, start, "FAILED", reason="secret")
        say(edge, change(1, "FAILED"))
        told = await rest(answer)

    assert [event.name for event in told] == ["progress", "error"]
    assert told[1].data["status"] == 502
    assert told[1].data["type"] == "urn:podium:problem:execution-failed"
    assert told[1].data["executionId"] == start.execution_id
    assert "secret" not in told[1].text


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (ROUTE, {"x-api-key": "wrong"}, 401),
        ("/api/orders/nowhere/at/all", {}, 404),
        (ROUTE, {"content-type": "text/plain"}, 415),
    ],
)
async def test_a_mistake_before_the_start_is_an_ordinary_problem(
    edge: Edge, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await edge.client.post(path, headers=STREAM | headers, content="{}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert edge.executor.frames.empty()


async def test_what_the_executor_refuses_is_an_ordinary_problem_and_gives_room_back(
    edge: Edge,
) -> None:
    edge.executor.script = lambda frame: [error(frame, "OVERLOADED")]

    for _ in range(3):
        answer = await edge.client.post(ROUTE, headers=STREAM)

        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"


async def test_beyond_the_most_streams_there_is_503_and_no_execution(edge: Edge) -> None:
    other = {"x-api-key": OTHER_KEY}
    async with opened(edge), opened(edge):
        await asking(edge)
        await asking(edge)
        refused = await edge.client.post(ROUTE, headers=STREAM)
        # One caller leaves room to others, until there is none.
        async with opened(edge, **other):
            await asking(edge)
            full = await edge.client.post(ROUTE, headers=STREAM | other)
        whole = await edge.client.post(ROUTE, headers={"prefer": "respond-async"})

    assert (refused.status_code, full.status_code) == (503, 503)
    assert "2 calls already" in refused.json()["detail"]
    assert "2 calls already" not in full.json()["detail"]
    assert whole.status_code == 202
    assert (await edge.executor.next()).start.execution_id == whole.json()["executionId"]


async def test_who_was_cut_off_goes_on_at_the_location(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        parser = Parser()
        told = events(answer.aiter_lines(), parser)
        say(edge, change(1), change(2, "RUNNING", polled(1, 20)))
        await anext(told)
        await anext(told)
    # One of them takes what is said next, but has gone.
    say(edge, None)
    end(edge, start)
    say(edge, change(3, "RUNNING", polled(2, 20)), change(4, "RUNNING", polled(3, 60)))
    say(edge, change(5, "COMPLETED"))
    location = answer.headers["location"]
    again = {"last-event-id": parser.last_id}
    async with opened(edge, location, "GET", **again) as answer:
        told_again = await rest(answer)
    after = await edge.client.get(location, headers=STREAM | {"last-event-id": told_again[-1].id})

    assert edge.executor.watched[-1].resume == pb.ResumeToken(epoch="e1", revision=2)
    assert [event.data.get("progress") for event in told_again[:-1]] == [60, 60]
    assert told_again[-1].name == "result"
    assert after.status_code == 204


async def test_the_same_call_with_the_last_id_is_no_second_execution(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        parser = Parser()
        say(edge, change(1))
        await anext(events(answer.aiter_lines(), parser))
    say(edge, None)
    end(edge, start)
    say(edge, change(2, "COMPLETED"))
    async with opened(edge, **{"last-event-id": parser.last_id}) as answer:
        told = await rest(answer)
    after = await edge.client.post(ROUTE, headers=STREAM | {"last-event-id": told[-1].id})

    assert [event.name for event in told] == ["progress", "result"]
    assert answer.headers["podium-execution-id"] == start.execution_id
    assert after.status_code == 204
    assert starts(edge) == []


async def test_an_id_of_somebody_else_is_404_and_one_that_is_none_starts(edge: Edge) -> None:
    async with opened(edge):
        start = await asking(edge)
        theirs = {"x-api-key": OTHER_KEY, "last-event-id": str(Place(start.execution_id))}
        refused = await edge.client.post(ROUTE, headers=STREAM | theirs)
        async with opened(edge, **{"last-event-id": "7"}) as another:
            began = await asking(edge)

    assert refused.status_code == 404
    assert another.headers["podium-execution-id"] == began.execution_id


async def test_only_the_answer_is_left_to_whoever_has_seen_the_end(edge: Edge) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        end(edge, start)
        say(edge, change(1, "COMPLETED"))
        told = await rest(answer)
    before = {"last-event-id": told[0].id}
    async with opened(edge, answer.headers["location"], "GET", **before) as answer:
        again = await rest(answer)

    assert [event.name for event in again] == ["result"]
    assert len(edge.executor.watched) == 1


async def test_an_awaited_task_is_the_end(edge: Edge) -> None:
    awaiting = route("POST", "/charge", waitUntilTasks="charge")
    put(edge.replica, service(awaiting, id="o", path="/o"))
    async with opened(edge, "/o/charge") as answer:
        start = await asking(edge)
        say(edge, change(1, "RUNNING", task("charge")))
        end(
            edge,
            start,
            "RUNNING",
            output='"paid"',
            awaited_ref="charge",
            awaited_status=pb.TASK_STATUS_COMPLETED,
        )
        say(edge, change(2, "RUNNING", task("charge", "COMPLETED")))
        told = await rest(answer)

    assert list(edge.executor.attached[-1].await_refs) == ["charge"]
    assert told[-1].data["body"] == "paid"


Breaks = Callable[[], Exception | None]


@pytest.mark.parametrize("broken", [lambda: Unavailable("Killed."), lambda: None])
async def test_a_watch_that_breaks_is_taken_up_where_it_was(edge: Edge, broken: Breaks) -> None:
    async with opened(edge) as answer:
        start = await asking(edge)
        say(edge, change(1), change(2, "RUNNING", polled(1, 20)), broken())
        end(edge, start)
        say(edge, change(3, "COMPLETED"))
        told = await rest(answer)

    assert [event.name for event in told] == ["progress", "progress", "progress", "result"]
    assert edge.executor.watched[-1].resume.revision == 2


async def test_an_execution_that_is_lost_is_an_error(edge: Edge) -> None:
    async with opened(edge) as answer:
        await asking(edge)
        say(edge, NotFound("There is no such execution."))
        told = await rest(answer)

    assert [(event.name, event.data["status"]) for event in told] == [("error", 404)]


async def test_an_asynchronous_route_streams_too(edge: Edge) -> None:
    async with opened(edge, "/api/orders/7", "PUT") as answer:
        start = await asking(edge)
        end(edge, start)
        say(edge, change(1, "COMPLETED"))
        told = await rest(answer)

    assert told[-1].data["status"] == 200


async def test_a_client_that_leaves_ends_its_execution_where_the_route_says_so(
    edge: Edge,
) -> None:
    ending = route("POST", "/now", onClientGone="TERMINATE")
    put(edge.replica, service(ending, id="o", path="/o"))
    async with opened(edge, "/o/now") as answer:
        start = await asking(edge)
        say(edge, change(1))
        await anext(events(answer.aiter_lines(), Parser()))
    async with opened(edge) as answer:
        other = await asking(edge)
        say(edge, None, change(1))
        await anext(events(answer.aiter_lines(), Parser()))
    while not edge.executor.told:
        await edge.client.get("/-/health")

    assert start.execution_id != other.execution_id
    assert [request.execution_id for request, _ in edge.executor.told] == [start.execution_id]


async def test_a_body_that_is_no_json_is_text(edge: Edge) -> None:
    script = (
        "({statusCode: 201, headers: {'Content-Type': 'text/plain', a: ['1', '2']}, body: 'x\\ny'})"
    )
    enveloped = route("POST", "/text", postResponseScript=script, responseEnvelope=True)
    put(edge.replica, service(enveloped, id="o", path="/o"))
    async with opened(edge, "/o/text") as answer:
        start = await asking(edge)
        end(edge, start)
        say(edge, change(1, "COMPLETED"))
        told = await rest(answer)

    assert json.loads(told[-1].text) == {
        "status": 201,
        "headers": {"content-type": "text/plain", "a": "1, 2"},
        "body": "x\ny",
    }


async def test_head_is_answered_as_it_was_without_events(edge: Edge) -> None:
    put(edge.replica, service(route("GET", "/state"), id="o", path="/o"))
    answer = await edge.client.head("/o/state", headers=STREAM)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def _end_key(edge: Edge) -> None:
    put(edge.replica, auth("partners", "storefront", other=STRANGERS_KEY))


def _pause(edge: Edge) -> None:
    put(edge.replica, application("storefront", ("workflow", "*")) | {"enabled": False})


def _take_grant(edge: Edge) -> None:
    put(edge.replica, application("storefront", ("workflow", "another")))


@pytest.mark.parametrize("loss", [_end_key, _pause, _take_grant])
@pytest.mark.parametrize("at_location", [False, True])
async def test_a_stream_ends_with_the_right_to_it(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, loss: Callable[[Edge], None], at_location: bool
) -> None:
    monkeypatch.setattr(Cycle, "look_seconds", 0.01)
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(opened(edge))
        await asking(edge)
        if at_location:
            location = answer.headers["location"]
            await answer.aclose()
            opening = edge.client.stream("GET", location, headers=STREAM)
            answer = await stack.enter_async_context(opening)
        say(edge, change(1))
        told = events(answer.aiter_lines(), Parser())
        assert (await anext(told)).data["status"] == "RUNNING"

        loss(edge)

        assert [event async for event in told] == []
