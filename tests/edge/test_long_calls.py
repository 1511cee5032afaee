"""Long calls: what a caller prefers, and how it cancels."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.edge.preferences import Preference, read_preference
from services.errors import Conflict
from tests.edge.conftest import Edge
from tests.edge.documents import OTHER_KEY, put, route, service
from tests.edge.scripted import accepted


def preferred(*values: bytes) -> Preference:
    return read_preference([(b"accept", b"*/*"), *((b"prefer", value) for value in values)])


@pytest.mark.parametrize(
    ("values", "preference"),
    [
        ((b"respond-async",), Preference(True)),
        ((b"Respond-Async",), Preference(True)),
        ((b"wait=10",), Preference(False, 10)),
        ((b'wait="10"',), Preference(False, 10)),
        ((b"respond-async, wait=10",), Preference(True, 10)),
        ((b"wait=10; foo=bar", b"respond-async"), Preference(True, 10)),
        ((b"wait=5, wait=9",), Preference(False, 5)),
        ((b"wait=x",), Preference()),
        ((b"wait=-1",), Preference()),
        ((b"wait",), Preference()),
        ((b"wait=99999999999999",), Preference()),
        ((b"return=minimal, handling=strict",), Preference()),
        ((b"",), Preference()),
        ((b"respond-async" + b" " * 2000,), Preference()),
        ((b"a" + b" " * 900 + b"!, wait=3",), Preference(False, 3)),
    ],
)
def test_a_preference_is_read_as_its_rfc_has_it(
    values: tuple[bytes, ...], preference: Preference
) -> None:
    assert preferred(*values) == preference


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_other_preference_is_none(values: list[bytes]) -> None:
    read = preferred(*values)

    assert 0.0 <= read.seconds(30.0) <= 30.0


@pytest.mark.parametrize(
    ("preference", "seconds"),
    [
        (Preference(), 30.0),
        (Preference(True), 0.0),
        (Preference(False, 5), 5.0),
        (Preference(True, 5), 5.0),
        (Preference(False, 300), 30.0),
        (Preference(False, 0), 0.0),
    ],
)
def test_nobody_waits_longer_than_the_route(preference: Preference, seconds: float) -> None:
    assert preference.seconds(30.0) == seconds


@pytest.mark.parametrize(
    ("preference", "told"),
    [
        (Preference(), b""),
        (Preference(True, 5), b"respond-async, wait=5"),
        (Preference(False, 100), b"wait=30"),
    ],
)
def test_what_is_applied_is_told_as_it_was_applied(preference: Preference, told: bytes) -> None:
    assert preference.applied(30.0) == told


async def test_who_prefers_no_wait_has_202_at_once(edge: Edge) -> None:
    edge.executor.script = lambda frame: [accepted(frame)]

    answer = await edge.client.post(
        "/api/orders/7/checkout", headers={"prefer": "respond-async, x"}
    )

    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"]


async def test_who_prefers_a_short_wait_has_202_after_it(edge: Edge) -> None:
    """It waits for as long as it says: takes a second."""
    edge.executor.script = lambda frame: [accepted(frame)]

    answer = await edge.client.post("/api/orders/7/checkout", headers={"prefer": "wait=1"})

    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"


async def test_a_result_within_the_wait_is_the_answer(edge: Edge) -> None:
    answer = await edge.client.post("/api/orders/7/checkout", headers={"prefer": "wait=20"})

    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=20"


async def test_an_asynchronous_route_needs_no_preference(edge: Edge) -> None:
    answer = await edge.client.put("/api/orders/7", headers={"prefer": "wait=20"})

    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


async def started(edge: Edge, path: str = "/api/orders/7", key: str = "") -> tuple[str, str]:
    """An execution that runs: its id and its location."""
    edge.executor.script = lambda frame: [accepted(frame)]
    answer = await edge.client.request(
        "POST" if path.startswith("/public") else "PUT",
        path,
        headers={"x-api-key": key} if key else {},
    )
    start = (await edge.executor.next()).start
    edge.executor.executions[start.execution_id] = pb.Result(
        execution_id=start.execution_id, status=pb.EXECUTION_STATUS_RUNNING, answer=start.answer
    )
    return start.execution_id, answer.headers["location"]


async def test_a_caller_cancels_by_deleting_the_location_and_may_say_it_again(edge: Edge) -> None:
    execution_id, location = await started(edge)

    first = await edge.client.delete(location)
    again = await edge.client.delete(location)
    told = await edge.client.get(location)

    assert (first.status_code, again.status_code, told.status_code) == (204, 204, 502)
    assert first.headers["podium-execution-id"] == execution_id
    assert [request.execution_id for request, _ in edge.executor.told] == [execution_id]


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "TIMED_OUT"])
async def test_what_has_ended_is_not_cancelled(edge: Edge, status: str) -> None:
    execution_id, location = await started(edge)
    value = pb.ExecutionStatus.Value(f"EXECUTION_STATUS_{status}")
    edge.executor.executions[execution_id].status = value

    answer = await edge.client.delete(location)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith(f"The execution has ended: {status}.")
    assert edge.executor.told == []


async def test_what_ends_meanwhile_is_not_cancelled_either(edge: Edge) -> None:
    execution_id, location = await started(edge)
    known = edge.executor.executions[execution_id]
    ended = pb.Result(
        execution_id=execution_id, status=pb.EXECUTION_STATUS_COMPLETED, answer=known.answer
    )
    # How it stands is asked twice: it ends after the first.
    edge.executor.shown = iter((known, ended))
    edge.executor.refusal = Conflict("Cannot terminate a COMPLETED workflow.")

    answer = await edge.client.delete(location)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The execution has ended: COMPLETED.")


async def test_nobody_else_cancels(edge: Edge) -> None:
    execution_id, location = await started(edge)
    bare = f"/-/executions/{execution_id}"

    for path, key in ((location, OTHER_KEY), (location, "wrong"), (bare, OTHER_KEY)):
        answer = await edge.client.delete(path, headers={"x-api-key": key})
        assert answer.status_code == 404
    assert (await edge.client.delete(f"/-/executions/{uuid4()}")).status_code == 404
    assert edge.executor.told == []


async def test_on_a_public_route_the_link_alone_cancels(edge: Edge) -> None:
    execution_id, location = await started(edge, "/public/later", "none")
    without = await edge.client.delete(f"/-/executions/{execution_id}")

    assert without.status_code == 404
    assert (await edge.client.delete(location, headers={"x-api-key": ""})).status_code == 204


async def test_a_page_may_cancel_where_it_may_call(edge: Edge) -> None:
    shop = "https://shop.example"
    later = route("PUT", "/later", workflowExecutionMode="ASYNCHRONOUS")
    cors = {"accessControlAllowOrigin": [shop]}
    put(edge.replica, service(later, id="shop", path="/shop", corsConfig=cors))
    _, location = await started(edge, "/shop/later")

    asked = await edge.client.options(
        location, headers={"origin": shop, "access-control-request-method": "DELETE"}
    )
    done = await edge.client.delete(location, headers={"origin": shop})

    assert asked.headers["access-control-allow-methods"] == "DELETE, GET"
    assert done.status_code == 204
    assert done.headers["access-control-allow-origin"] == shop
