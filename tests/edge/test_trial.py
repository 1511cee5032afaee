"""A route is tried: the same answer as a caller gets, and what each stage did."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from podium.executor.v1 import executor_pb2 as executor_pb
from services import rpc
from services.edge.stages import STAGES
from services.edge.trial import cycle
from services.edge.trial.trials import KEY_METADATA, Trials
from services.errors import InvalidRequest, NotFound, PermissionDenied, TooLarge
from tests.edge import scripted
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, auth, put, remove, route, service
from tests.edge.registry import token
from tests.edge.suites import Suite

PASSED, ANSWERED, REFUSED = (
    pb.STAGE_OUTCOME_PASSED,
    pb.STAGE_OUTCOME_ANSWERED,
    pb.STAGE_OUTCOME_REFUSED,
)


async def tried(edge: Edge, path: str, key: str = KEY, **fields: Any) -> pb.TestRouteResponse:
    request = pb.TestRouteRequest(service_id="shop", path=path, **{"method": "POST"} | fields)
    return await Trials(edge.gateway, STAGES).test(request, key.encode())


def shop(edge: Edge, **fields: Any) -> None:
    put(edge.replica, service(route("POST", "/{id}", **fields), id="shop", path="/shop"))


def noted(response: pb.TestRouteResponse, name: str) -> tuple[pb.RouteStage, dict[str, Any]]:
    stage = next(each for each in response.stages if each.name == name)
    return stage, json.loads(stage.notes)


async def test_a_trial_tells_what_every_stage_found_out(edge: Edge) -> None:
    limit = {"name": "few", "limit": 5, "windowSeconds": 60}
    fields: dict[str, Any] = {"queryParameters": [{"name": "n", "type": "integer"}]}
    shop(edge, rateLimits=[limit], **fields)

    response = await tried(
        edge,
        "/{id}",
        path_parameters={"id": "a b"},
        query=[pb.QueryField(name="n", value="2")],
        body=b'{"x": 1}',
    )

    assert response.target == "/shop/a%20b?n=2"
    assert response.status == 200
    assert json.loads(response.body)["id"] == "a b"
    assert response.body_bytes == len(response.body)
    names = [each.name for each in response.stages]
    assert [name for name in names if name != "execution"] == [each.__name__ for each in STAGES]
    assert all(each.outcome == PASSED for each in response.stages if each.name != "run")
    assert noted(response, "route")[1]["pathParameters"] == {"id": "a b"}
    assert noted(response, "authenticate")[1]["principal"] == "key:partners/first"
    assert noted(response, "receive")[1] == {"bodyBytes": 8}
    assert noted(response, "count_request")[1]["headers"]["ratelimit"] == '"few";r=4;t=60'
    assert noted(response, "read_input")[1] == {"queryParameters": {"n": 2}}
    mapped = noted(response, "map_input")[1]["input"]
    assert (mapped["x"], mapped["n"], mapped["id"]) == (1, 2, "a b")
    step, execution = noted(response, "execution")
    assert (step.within, execution["status"]) == ("run", "COMPLETED")
    assert execution["executionId"] == response.execution_id
    run, notes = noted(response, "run")
    assert (run.outcome, notes["status"]) == (ANSWERED, 200)
    assert run.took.ToMicroseconds() >= step.took.ToMicroseconds() > 0
    assert response.took.ToMicroseconds() >= run.took.ToMicroseconds()


async def test_of_a_key_not_even_the_half_is_told_where_notes_are_cut(edge: Edge) -> None:
    shop(edge)
    begins = len(KEY) // 2
    for pad in (16384 - begins - 20, 16384 - begins - 10):
        body = json.dumps({"pad": "x" * pad, "key": KEY}).encode()
        response = await tried(edge, "/7", body=body)

        told = [noted(response, name)[1] for name in ("map_input", "execution")]
        assert response.status == 200
        assert not any(KEY[:6] in json.dumps(notes) for notes in told)
        assert "characters)" in json.dumps(told[0])


async def test_its_answer_is_that_of_a_call(edge: Edge) -> None:
    shop(edge)

    response = await tried(edge, "/7", body=b'{"x": 1}')
    answer = await edge.client.post("/shop/7", json={"x": 1})

    own = {"x-request-id", "podium-execution-id", "date", "content-length"}
    assert response.status == answer.status_code
    assert {each.name: each.value for each in response.headers if each.name not in own} == {
        name: value for name, value in answer.headers.items() if name not in own
    }
    starts = [await edge.executor.next() for _ in range(2)]
    inputs = [json.loads(each.start.input) for each in starts]
    for given in inputs:
        given["requestMetadata"].pop("requestId")
        given["requestMetadata"].pop("headers")
    assert inputs[0] == inputs[1]
    assert starts[0].start.principal == starts[1].start.principal


@pytest.mark.parametrize(
    ("key", "body", "last", "status", "problem"),
    [
        ("", b"", "authenticate", 401, "unauthenticated"),
        ("wrong", b"", "authenticate", 401, "unauthenticated"),
        (KEY, b'{"n": "x"}', "read_input", 422, "invalid-input"),
        (KEY, b"{", "read_input", 400, "malformed-body"),
    ],
)
async def test_the_stage_that_refuses_is_the_last(
    edge: Edge, key: str, body: bytes, last: str, status: int, problem: str
) -> None:
    shop(edge, inputSchema={"properties": {"n": {"type": "integer"}}})

    response = await tried(edge, "/7", key, body=body)

    assert response.status == status
    stage = response.stages[-1]
    notes = json.loads(stage.notes)
    assert (stage.name, stage.outcome) == (last, REFUSED)
    assert (notes["status"], notes["problem"]) == (status, problem)
    assert edge.executor.frames.empty()


async def test_paths_and_methods_without_a_route_are_refused_as_to_anybody(edge: Edge) -> None:
    shop(edge)

    nowhere = await tried(edge, "/7/nothing")
    otherwise = await tried(edge, "/{id}", method="get", path_parameters={"id": "7"})
    asked = await tried(edge, "/7", method="OPTIONS")

    assert (nowhere.status, nowhere.stages[-1].name) == (404, "route")
    assert (otherwise.status, otherwise.stages[-1].name) == (405, "route")
    assert (asked.status, asked.stages[-1].outcome) == (204, ANSWERED)


async def test_scripts_are_told_with_what_they_give_and_why_they_fail(edge: Edge) -> None:
    """It starts a script worker: takes half a second."""
    shop(edge, preRequestScript="({n: $.id})", postResponseScript="null.x")

    response = await tried(edge, "/7")

    before, given = noted(response, "preRequestScript")
    after, why = noted(response, "postResponseScript")
    assert (before.within, given["result"]) == ("map_input", {"n": "7"})
    assert given["input"]["id"] == why["input"]["n"] == "7"
    assert (after.within, after.outcome) == ("run", REFUSED)
    assert "null" in why["detail"]
    assert "faults" not in why
    assert response.status == 500
    # What its callers may not know is not in the answer.
    assert b"TypeError" not in response.body


async def test_every_fault_of_an_output_is_told_and_of_an_envelope_what_it_is(edge: Edge) -> None:
    schema = {"required": ["total"], "properties": {"ok": {"type": "string"}}}
    edge.executor.script = lambda frame: (scripted.result(frame),)
    shop(edge, outputSchema=schema)
    output = await tried(edge, "/7")
    shop(edge, postResponseScript="({statusCode: 999})", responseEnvelope=True)
    status = await tried(edge, "/7")
    shop(edge, postResponseScript="({headers: {'Content-Length': '1'}})", responseEnvelope=True)
    header = await tried(edge, "/7")

    faults = noted(output, "run")[1]["faults"]
    assert [each.split(":")[0] for each in sorted(faults)] == [
        '"total" is a required property', "/ok",
    ]  # fmt: skip
    assert "statusCode must be" in noted(status, "run")[1]["faults"][0]
    assert "'Content-Length'" in noted(header, "run")[1]["faults"][0]
    # They are not for its callers.
    for response, word in ((output, b"total"), (status, b"must be"), (header, b"Content-Length")):
        assert word not in response.body


async def test_why_a_key_does_not_hold_is_told_in_the_trial_alone(edge: Edge) -> None:
    shop(edge)
    config = auth("partners", "storefront", first=KEY, second=OTHER_KEY)
    config["apiKeys"][1]["expiresAt"] = "2020-01-31T00:00:00Z"
    put(edge.replica, config)

    reasons = {}
    for key in ("", "a wrong key", OTHER_KEY):
        response = await tried(edge, "/7", key)
        assert response.status == 401
        reasons[key] = noted(response, "authenticate")[1]["reason"]
        assert json.loads(response.body)["detail"].startswith("This needs a valid key")

    assert reasons == {
        "": "No key was sent.",
        "a wrong key": "The key is not one of auth 'partners'.",
        OTHER_KEY: "The key 'second' of auth 'partners' expired at 2020-01-31T00:00:00Z.",
    }


async def test_the_right_that_is_missing_is_named(edge: Edge) -> None:
    put(edge.replica, service(route("POST", "/{id}", "secret"), id="shop", path="/shop"))

    missing = await tried(edge, "/7")
    remove(edge.replica, "application", "storefront")
    without = await tried(edge, "/7")

    assert missing.status == without.status == 403
    assert noted(missing, "authorize")[1]["reason"] == (
        "The application 'storefront' has no EXECUTE on the workflow 'secret'."
    )
    assert noted(without, "authorize")[1]["reason"] == "There is no application 'storefront'."
    assert b"storefront" not in missing.body


async def test_an_execution_that_fails_is_told_with_its_reason(edge: Edge) -> None:
    shop(edge)
    failed: dict[str, Any] = {
        "status": executor_pb.EXECUTION_STATUS_FAILED,
        "reason": "No more pears.",
    }
    edge.executor.script = lambda frame: (scripted.result(frame, **failed),)

    response = await tried(edge, "/7")

    assert response.status == 502
    assert noted(response, "execution")[1]["reason"] == "No more pears."
    assert b"pears" not in response.body


async def test_a_key_is_told_nowhere(edge: Edge) -> None:
    shop(edge)
    body = json.dumps({"sent": KEY, "with": f"Bearer {KEY}!"}).encode()

    response = await tried(
        edge, "/7", body=body, query=[pb.QueryField(name="key", value=KEY)],
    )  # fmt: skip

    assert response.status == 200
    assert KEY.encode() not in response.SerializeToString()
    assert json.loads(response.body)["with"] == "Bearer ***!"


async def test_what_is_large_is_cut_off(edge: Edge) -> None:
    shop(edge)

    response = await tried(edge, "/7", body=json.dumps({"x": "x" * 2_000_000}).encode())

    assert response.body_bytes > 2_000_000
    assert len(response.body) == 1024 * 1024
    assert all(len(each.notes) < 20_000 for each in response.stages)


async def test_steps_behind_the_cache_are_told_too(edge: Edge) -> None:
    shop(edge, cacheConfig={})

    first, second = await tried(edge, "/7"), await tried(edge, "/7")

    step, execution = noted(first, "execution")
    assert (step.within, execution["input"]["id"]) == ("cached", "7")
    assert noted(first, "cached")[1]["status"] == 200
    assert [each.name for each in second.stages][-1] == "cached"
    assert noted(second, "cached")[1]["cache"] == "hit"


async def streaming(edge: Edge) -> tuple[asyncio.Task[pb.TestRouteResponse], executor_pb.Start]:
    """A trial whose answer goes on, and the start that it has asked for."""
    edge.executor.script = lambda frame: (scripted.accepted(frame),)
    events = pb.HeaderField(name="Accept", value="text/event-stream")
    trial = asyncio.create_task(tried(edge, "/7", headers=[events]))
    start = (await edge.executor.next()).start
    return trial, start


async def test_an_answer_that_goes_on_is_told_once_it_has_ended(edge: Edge) -> None:
    shop(edge)
    trial, start = await streaming(edge)
    ended = executor_pb.EXECUTION_STATUS_COMPLETED
    edge.executor.executions[start.execution_id] = executor_pb.Result(
        execution_id=start.execution_id, status=ended, answer=start.answer, output='{"n":1}'
    )

    edge.executor.changes.put_nowait(
        executor_pb.WatchExecutionResponse(
            resume=executor_pb.ResumeToken(epoch="e", revision=1),
            execution=executor_pb.ExecutionState(status=ended),
        )
    )
    response = await trial

    assert response.status == 200
    assert b"event: result" in response.body
    assert noted(response, "run")[0].outcome == ANSWERED


async def test_an_answer_that_does_not_end_is_told_as_far_as_it_came(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle, "LONGEST_STREAM_SECONDS", 0.05)
    shop(edge)
    trial, start = await streaming(edge)

    response = await asyncio.wait_for(trial, 20)

    assert (response.status, response.execution_id) == (200, start.execution_id)
    assert response.body.startswith(b"retry: ")
    assert edge.gateway.streams.open == 0


async def test_the_answer_to_head_has_no_body(edge: Edge) -> None:
    put(edge.replica, service(route("GET", "/{id}"), id="shop", path="/shop"))

    response = await tried(edge, "/7", method="head")

    assert (response.status, response.body, response.body_bytes) == (200, b"", 0)
    assert noted(response, "run")[0].outcome == ANSWERED


async def test_who_gives_up_an_answer_that_goes_on_has_left(edge: Edge) -> None:
    shop(edge)
    trial, _ = await streaming(edge)
    while not edge.executor.watched:  # noqa: ASYNC110
        await asyncio.sleep(0)

    trial.cancel()

    with pytest.raises(asyncio.CancelledError):
        await trial


async def test_a_body_beyond_the_limit_is_refused(edge: Edge) -> None:
    shop(edge)

    response = await tried(edge, "/7", body=b" " * (11 * 1024 * 1024))

    assert (response.status, response.stages[-1].name) == (413, "receive")


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/x" + "/y" * 40_000},
        {"path": "/{id}", "path_parameters": {"id": "ü" * 20_000}},
        {"path": "/x", "query": [pb.QueryField(name=f"a{n}", value="b") for n in range(20_000)]},
        {"path": "/x", "headers": [pb.HeaderField(name="x-a", value="b" * 70_000)]},
    ],
)
async def test_a_request_that_no_caller_can_send_is_refused(
    edge: Edge, fields: dict[str, Any]
) -> None:
    shop(edge)
    with pytest.raises(TooLarge, match="65,536 bytes at most"):
        await tried(edge, **fields)
    assert edge.executor.frames.empty()


async def test_more_secrets_than_can_be_hidden_are_refused(edge: Edge) -> None:
    shop(edge)
    cookies = "; ".join(f"a{n}=secret{n}" for n in range(400))
    with pytest.raises(InvalidRequest, match="secrets"):
        await tried(edge, "/x", headers=[pb.HeaderField(name="cookie", value=cookies)])
    assert edge.executor.frames.empty()


async def test_who_gives_up_a_trial_has_left_as_a_client_does(edge: Edge) -> None:
    shop(edge, onClientGone="TERMINATE")
    edge.executor.script = lambda frame: (scripted.accepted(frame),)
    trial = asyncio.create_task(tried(edge, "/7"))
    await edge.executor.next()

    trial.cancel()

    with pytest.raises(asyncio.CancelledError):
        await trial
    assert [type(request) for request, _ in edge.executor.told] == [
        executor_pb.TerminateExecutionRequest
    ]


async def test_it_is_asked_for_over_grpc_by_those_who_may(suite: Suite) -> None:
    request = pb.TestRouteRequest(service_id="orders", method="POST", path="/7/checkout")
    metadata = ((KEY_METADATA, KEY.encode()),)

    async def call(application: str, **fields: Any) -> pb.TestRouteResponse:
        asked = pb.TestRouteRequest()
        asked.CopyFrom(request)
        asked.MergeFrom(pb.TestRouteRequest(**fields))
        async with rpc.channel(suite.addresses["edge"], lambda: token(application)) as channel:
            with rpc.raising_ours():
                return await EdgeServiceStub(channel).TestRoute(asked, metadata=metadata)

    assert (await call("editors")).status == 200
    with pytest.raises(PermissionDenied):
        await call("storefront")
    with pytest.raises(NotFound, match="nothing"):
        await call("editors", service_id="nothing")
    with pytest.raises(InvalidRequest) as caught:
        await call("editors", path="/{orderId}/checkout")
    assert caught.value.metadata == {"missing": "orderId"}
