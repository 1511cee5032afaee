"""A task definition's ``inputTemplate``: the same rules as for what the step itself gives."""

from __future__ import annotations

from services.executor.core.model import Json
from tests.executor.core.simulator import Simulator, task, workflow

SECRET = "${workflow.secrets.T}"


def post(**fields: Json) -> dict[str, Json]:
    return task("a", "HTTP", {"uri": "http://upstream/", "method": "POST", **fields})


def test_a_callers_text_in_a_fallback_is_no_reference() -> None:
    flow = workflow(
        post(headers={"X": SECRET}, body="${workflow.input.none}"),
        definitions={"a": {"name": "a", "inputTemplate": {"body": "${workflow.input.text}"}}},
    )
    request = Simulator(flow, {"text": SECRET}).begin().request("a")

    assert request.handoff == {"workflow.secrets.T"}
    assert (request.headers["X"], request.body) == (SECRET, f"${SECRET}")


def test_a_secret_in_a_fallback_is_handed_over() -> None:
    flow = workflow(
        post(body="${workflow.input.text}"),
        definitions={"a": {"name": "a", "inputTemplate": {"body": SECRET}}},
    )
    fell_back = Simulator(flow, {}).begin().request("a")
    overridden = Simulator(flow, {"text": SECRET}).begin().request("a")

    assert fell_back.handoff == {"workflow.secrets.T"}
    assert fell_back.body == SECRET
    assert overridden.body == f"${SECRET}"


def test_a_constant_fallback_takes_the_place_of_null() -> None:
    flow = workflow(
        post(body="${workflow.input.text}"),
        definitions={"a": {"name": "a", "inputTemplate": {"body": {"x": [1]}}}},
    )

    assert Simulator(flow, {}).begin().request("a").body == {"x": [1]}
