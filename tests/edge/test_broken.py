"""Routes that break by themselves: in the log, by the ids that callers have, and not too often."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.broken import BrokenRoutes
from services.edge.call import Call
from services.edge.problems import Problem
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.scripted import accepted, result

LOGGER = "services.edge.broken"
SCHEMA = {
    "properties": {"card": {"maxLength": 3}, "n": {"type": "integer"}},
    "required": ["total"],
}
OUTPUT = '{"card":"4111-1111","n":"x"}'


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("WARNING", LOGGER)
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in log.records if each.name == LOGGER]


def broken(edge: Edge, **fields: Any) -> None:
    put(edge.replica, service(route("POST", "/{id}", **fields), id="shop", path="/shop"))
    edge.executor.script = lambda frame: [accepted(frame), result(frame, OUTPUT)]


async def test_every_fault_of_an_output_is_told_by_route_and_ids_and_no_value(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    broken(edge, outputSchema=SCHEMA)

    answer = await edge.client.post("/shop/7")

    assert answer.status_code == 502
    (line,), (record,) = lines(log), log.records
    assert line.startswith("POST /shop/{id} of service shop: output-invalid. ")
    assert "/card: " in line
    assert "/n: " in line
    assert '"total" is a required property' in line
    assert "4111" not in line
    assert record.__dict__["request_id"] == answer.headers["x-request-id"]
    assert record.__dict__["execution_id"] == answer.headers["podium-execution-id"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"preRequestScript": "\n$.a.b"}, "preRequestScript threw TypeError (line 2)"),
        ({"postResponseScript": "throw new Error($.card)"}, "postResponseScript threw Error (line"),
        ({"postResponseScript": "throw $.card"}, "threw what is no error of JavaScript's own"),
        ({"postResponseScript": "("}, "is not valid JavaScript"),
        (
            {"postResponseScript": "({status: $.card})", "responseEnvelope": True},
            "gave no envelope: it has statusCode, headers and body, and no 'status'",
        ),
    ],
)
async def test_a_script_or_an_envelope_is_told_without_what_it_saw(
    edge: Edge, log: pytest.LogCaptureFixture, fields: dict[str, Any], told: str
) -> None:
    broken(edge, **fields)

    answer = await edge.client.post("/shop/7")

    assert answer.status_code == 500
    (line,) = lines(log)
    assert line.startswith("POST /shop/{id} of service shop: script-failed. ")
    assert told in line
    assert "4111" not in line


async def test_a_later_answer_is_told_by_the_route_that_has_begun_it(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    broken(edge, outputSchema=SCHEMA, workflowExecutionMode="ASYNCHRONOUS")
    begun = await edge.client.post("/shop/7")
    start = (await edge.executor.next()).start
    edge.executor.executions[start.execution_id] = pb.Result(
        execution_id=start.execution_id,
        status=pb.EXECUTION_STATUS_COMPLETED,
        answer=start.answer,
        output=OUTPUT,
    )

    later = await edge.client.get(begun.headers["location"])

    assert later.status_code == 502
    (line,), (record,) = lines(log), log.records
    assert line.startswith("POST /shop/{id} of service shop: output-invalid. ")
    assert record.__dict__["request_id"] == later.headers["x-request-id"]
    assert record.__dict__["execution_id"] == start.execution_id


async def test_what_was_left_out_is_counted_in_the_next_line_and_then_forgotten(
    log: pytest.LogCaptureFixture,
) -> None:
    routes, call = BrokenRoutes(seconds=0.01), called()
    problem = Problem("output-invalid", inside=(("/n", "this value is wrong"),))
    for number in range(4):
        call.request_id = f"request-{number}"
        routes.tell(call, problem)

    assert len(lines(log)) == 1
    async with asyncio.timeout(5):
        while routes.waiting:  # noqa: ASYNC110 - that nothing more is told tells nobody of itself
            await asyncio.sleep(0.005)

    first, second = lines(log)
    assert "left out" not in first
    assert second.endswith(" 2 more of this route are left out.")
    assert [each.__dict__["request_id"] for each in log.records] == ["request-0", "request-3"]


async def test_a_line_has_a_limit(log: pytest.LogCaptureFixture) -> None:
    faults = tuple((f"/{'x' * 500}/{number}", "y" * 500) for number in range(100))

    BrokenRoutes().tell(called(), Problem("output-invalid", inside=faults))
    (line,) = lines(log)

    assert len(line) < 8000
    assert line.endswith("; and 80 more.")


async def test_what_is_the_workflows_is_not_told(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    broken(edge)
    failed = pb.EXECUTION_STATUS_FAILED
    edge.executor.script = lambda frame: [accepted(frame), result(frame, status=failed)]

    assert (await edge.client.post("/shop/7")).status_code == 502
    assert lines(log) == []


def called() -> Call:
    """A call whose answer is of a route's."""
    call = Call("POST", b"/shop/7", b"", [], {}, None, None)  # type: ignore[arg-type]
    call.answers_for = ("shop", "POST /shop/{id}")
    return call
