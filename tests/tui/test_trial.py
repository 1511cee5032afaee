"""A trial of a route as an operator reads it."""

from __future__ import annotations

import json
from typing import Any

from podium.edge.v1 import edge_pb2 as pb
from tui.views.trial import fields, text

GATEWAY = "http://127.0.0.1:8080"


def stage(name: str, took: int = 1500, within: str = "", **notes: Any) -> pb.RouteStage:
    made = pb.RouteStage(
        name=name, within=within, outcome=pb.STAGE_OUTCOME_PASSED, notes=json.dumps(notes)
    )
    made.took.FromMicroseconds(took)
    return made


def response(status: int = 200, body: bytes = b'{"a":"\xc3\xbc"}', **more: Any) -> Any:
    stages = [
        stage("preflight"),
        stage("authenticate", principal="key:shop/first"),
        stage("authorize"),
        stage("run", executionId="e-1", status=200),
        stage("execution", within="run", output={"a": 1}),
        stage("some_new_stage"),
    ]
    made = pb.TestRouteResponse(
        status=status, body=body, target="/shop/7?n=1", stages=stages, **more
    )
    made.took.FromMicroseconds(12_345)
    if not made.body_bytes:
        made.body_bytes = len(body)
    return made


def test_each_stage_is_a_line_and_the_answer_follows() -> None:
    headers = [pb.HeaderField(name="content-type", value="application/json")]

    shown = text(response(headers=headers), "POST", GATEWAY).split("\n")

    assert shown == [
        "POST /shop/7?n=1",
        "  ✔ authentication           1.50 ms  principal key:shop/first",
        "  ✔ authorization            1.50 ms",
        "  ✔ answer                   1.50 ms  executionId e-1  status 200",
        '  ✔   execution              1.50 ms  output {"a":1}',
        "  ✔ some new stage           1.50 ms",
        "",
        "200 in 12.35 ms",
        "content-type: application/json",
        "",
        "{",
        '  "a": "ü"',
        "}",
    ]


def test_a_stage_that_refuses_is_marked() -> None:
    refused = stage("own_pages", problem="gone")
    refused.outcome = pb.STAGE_OUTCOME_REFUSED
    made = pb.TestRouteResponse(status=410, stages=[refused], target="/")

    assert "  ✘ own pages                1.50 ms  problem gone" in text(made, "GET", GATEWAY)


def test_every_fault_has_a_line_of_its_own() -> None:
    refused = stage("run", problem="output-invalid", faults=["/n: is wrong", "a is missing"])
    made = pb.TestRouteResponse(status=502, stages=[refused], target="/")

    lines = text(made, "GET", GATEWAY).split("\n")

    at = next(at for at, line in enumerate(lines) if line.endswith("problem output-invalid"))
    assert lines[at + 1 : at + 3] == ["      - /n: is wrong", "      - a is missing"]


def test_a_fault_makes_no_lines_of_its_own() -> None:
    refused = stage("run", faults=["/a\n  ✔ answer: \x1b[2J is wrong"])
    made = pb.TestRouteResponse(status=502, stages=[refused], target="/")

    assert "\n      - /a ✔ answer: \\x1b[2J is wrong\n" in text(made, "GET", GATEWAY)


def test_where_the_answer_will_be_is_told() -> None:
    headers = [pb.HeaderField(name="location", value="/-/executions/e-1")]

    shown = text(response(202, headers=headers), "POST", GATEWAY)

    assert shown.endswith(f"GET {GATEWAY}/-/executions/e-1 has the answer.")


def test_bodies_that_are_cut_off_or_no_json_are_shown_as_text() -> None:
    assert "… (99 bytes)" in text(response(body=b'{"a":', body_bytes=99), "GET", GATEWAY)
    assert text(response(body=b"pears \xff"), "GET", GATEWAY).endswith("pears �")


def test_notes_that_are_long_are_cut_off() -> None:
    made = pb.TestRouteResponse(status=200, stages=[stage("map_input", input="x" * 1000)])

    assert max(map(len, text(made, "GET", GATEWAY).split("\n"))) < 500


def test_as_json_it_has_everything() -> None:
    told = fields(response(execution_id="e-1"))

    assert (told["status"], told["tookMs"], told["executionId"]) == (200, 12.345, "e-1")
    assert told["body"] == {"a": "ü"}
    assert told["stages"][0] == {
        "name": "preflight",
        "within": None,
        "outcome": "PASSED",
        "tookMs": 1.5,
        "notes": {},
    }
    assert told["stages"][4]["within"] == "run"
