"""Answers to tried calls as an operator reads them, and the calls that are kept."""

from __future__ import annotations

import json
from typing import Any

from podium.edge.v1 import edge_pb2 as pb
from tui.live.trying import KnownKeys, Trial, Trials
from tui.views.answers import facts, marked, problem_of, script_run, stage_rows, verdict
from tui.views.route_call import RouteCall


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Any:
    made = pb.TestRouteResponse(
        status=status,
        body=body,
        body_bytes=len(body),
        headers=[
            pb.HeaderField(name=name.replace("_", "-"), value=value)
            for name, value in headers.items()
        ],
    )
    made.took.FromMicroseconds(12_340)
    return made


def stage(name: str, refused: bool = False, within: str = "", **notes: Any) -> pb.RouteStage:
    outcome = pb.STAGE_OUTCOME_REFUSED if refused else pb.STAGE_OUTCOME_PASSED
    return pb.RouteStage(name=name, within=within, outcome=outcome, notes=json.dumps(notes))


def test_a_verdict_is_glyph_status_words_time_and_size() -> None:
    assert verdict(response()) == ("✔ 200 OK · 12.3 ms · 2 bytes", "success")
    assert verdict(response(202)).text.startswith("◷ 202 Accepted")
    assert verdict(response(799)) == ("✘ 799  · 12.3 ms · 2 bytes", "error")


def test_a_problem_is_told_with_its_type_and_first_errors() -> None:
    problem = {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "T", "detail": "Too many.",
        "errors": [{"pointer": "/a", "detail": "is required"}, {"detail": "b"}, "c", "d"],
    }  # fmt: skip
    answer = response(
        429, json.dumps(problem).encode(), content_type="application/problem+json", retry_after="7"
    )

    assert verdict(answer).text.startswith("✘ 429 Too Many Requests · quota-exceeded · ")
    assert [line.text for line in facts(answer)] == [
        "Too many.", "/a: is required; b; c", "again in 7 s",
    ]  # fmt: skip


def test_a_body_that_only_claims_to_be_a_problem_is_none() -> None:
    for body in (b"", b"[1]", b"{", b"\xff"):
        assert problem_of(response(500, body, content_type="application/problem+json")) == {}


def test_the_cache_and_limits_are_told_in_words() -> None:
    headers: dict[str, Any] = {
        "cache_status": "podium; hit; ttl=588", "age": "12", "etag": '"x"',
        "ratelimit": '"burst";r=2;t=600',
        "ratelimit_policy": '"burst";q=3;w=600, "day";q=9;w=86400, '
        '"concurrent";q=2;qu="concurrent-requests"',
    }  # fmt: skip

    told = facts(response(**headers))[0].text

    assert told.split(" · ") == [
        "cache HIT, 12 s old, 588 s left", "burst: 2 of 3 left for 600 s", "day: 9 in 86400 s",
        "concurrent: 2 at once", 'ETag "x"',
    ]  # fmt: skip


def test_stages_are_rows_in_their_order_without_those_that_passed_by() -> None:
    answer = response()
    answer.stages.extend(
        [stage("preflight"), stage("route", workflow="w"),
         stage("run", refused=True, faults=["one"]), stage("execution", within="run")]
    )  # fmt: skip

    rows = list(stage_rows(answer).values())

    assert [(row.glyph, row.title, row.notes) for row in rows] == [
        ("✔", "route", "workflow w"), ("✘", "answer", "one"), ("✔", "└ execution", ""),
    ]  # fmt: skip
    assert [row.id for row in rows] == sorted(row.id for row in rows)


def test_a_script_says_what_it_was_given_and_gave_or_where_it_failed() -> None:
    answer = response()
    answer.stages.append(stage("preRequestScript", input={"a": 1}, result=2))
    answer.stages.append(
        stage("postResponseScript", refused=True, input=1, detail="It threw (line 3) (line 2).")
    )

    pre, post = (script_run(answer, name) for name in ("preRequestScript", "postResponseScript"))

    assert pre is not None
    assert (pre.given, pre.result, pre.fault) == ({"a": 1}, 2, "")
    assert post is not None
    assert (post.given, post.line) == (1, 2)
    assert script_run(response(), "preRequestScript") is None
    assert marked("a\nb", "Why.", 2).split("\n") == ["✘ Why.", "", "  1  a", "▶ 2  b"]


def trial(body: str = "") -> Trial:
    return Trial(RouteCall("s", "POST", "/", body=body), 0.0)


def test_of_a_route_the_last_calls_are_kept() -> None:
    trials = Trials(most=2)
    kept = [trial("a"), trial("b"), trial("c")]
    for each in kept:
        trials.add("r", each)

    assert trials.of("r") == kept[1:]
    assert trials.of("other") == []


def test_calls_that_are_large_take_the_place_of_older_ones_but_the_last_stays() -> None:
    trials = Trials(most_bytes=100)
    trials.add("old", trial("x" * 60))
    trials.add("new", trial("x" * 60))
    assert (len(trials.of("old")), len(trials.of("new"))) == (0, 1)

    trials.add("new", trial("x" * 500))

    assert [each.size for each in trials.of("new")] == [500]


def test_a_key_that_is_known_stands_in_no_representation() -> None:
    keys = KnownKeys()
    keys.learn("partners", "secret-key")

    assert keys.of("partners") == "secret-key"
    assert keys.of("others") == ""
    assert "secret-key" not in repr(keys)
