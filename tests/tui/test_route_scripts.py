"""Scripts taken out of a service and put back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.edge.v1 import edge_pb2 as pb
from tui.views.answers import POST, PRE
from tui.views.route_scripts import RouteGone, compared, scripts_of, seed, with_scripts

SERVICE: dict[str, Any] = {
    "id": "shop",
    "routes": [
        {"httpMethod": "GET", "path": "/"},
        {"httpMethod": "POST", "path": "/", PRE: "a", "description": "d"},
    ],
}


def test_scripts_are_put_where_they_were_and_nothing_else_changes() -> None:
    changed = with_scripts(SERVICE, "POST", "/", {PRE: "b", POST: "c"})

    assert changed["routes"][0] is SERVICE["routes"][0]
    assert changed["routes"][1] == {**SERVICE["routes"][1], PRE: "b", POST: "c"}
    assert scripts_of(changed, "POST", "/") == {PRE: "b", POST: "c"}
    assert with_scripts(changed, "POST", "/", scripts_of(SERVICE, "POST", "/")) == SERVICE


def test_an_empty_script_is_taken_out() -> None:
    changed = with_scripts(SERVICE, "POST", "/", {PRE: " \n", POST: ""})

    assert changed["routes"][1] == {"httpMethod": "POST", "path": "/", "description": "d"}


def test_a_route_that_is_gone_is_told() -> None:
    with pytest.raises(RouteGone, match="no route PUT /"):
        with_scripts(SERVICE, "PUT", "/", {})
    with pytest.raises(RouteGone):
        scripts_of({}, "GET", "/")


def test_scripts_are_compared_by_their_names() -> None:
    assert compared({PRE: "a\nb", POST: ""}) == f"// {PRE}\na\nb"


def response(*stages: tuple[str, dict[str, Any]]) -> pb.TestRouteResponse:
    return pb.TestRouteResponse(
        stages=[
            pb.RouteStage(
                name=name, notes=json.dumps(notes), outcome=pb.STAGE_OUTCOME_PASSED
            )
            for name, notes in stages
        ]
    )  # fmt: skip


def test_a_payload_is_what_the_script_was_given() -> None:
    answer = response((PRE, {"input": {"a": 1}}), (POST, {"input": [2]}))

    assert json.loads(seed(answer, PRE)) == {"a": 1}
    assert json.loads(seed(answer, POST)) == [2]


def test_without_that_script_it_is_the_input_or_the_output() -> None:
    answer = response(("map_input", {"input": {"a": 1}}), ("execution", {"output": {"b": 2}}))

    assert json.loads(seed(answer, PRE)) == {"a": 1}
    assert json.loads(seed(answer, POST)) == {"b": 2}


def test_what_is_not_known_or_cut_off_is_no_payload() -> None:
    cut = response((PRE, {"input": "{… (99999 characters)"}))

    assert (seed(cut, PRE), seed(None, PRE), seed(response(), POST)) == ("", "", "")
