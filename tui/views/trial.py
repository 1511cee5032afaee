"""A trial of a route as an operator reads it: a line for each stage, then the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.duration_pb2 import Duration

from podium.edge.v1 import edge_pb2 as pb
from tui.views.visible import in_one_line, visible

Json = Any

_MARKS: Mapping[pb.StageOutcome.ValueType, str] = {
    pb.STAGE_OUTCOME_PASSED: "✔",
    pb.STAGE_OUTCOME_ANSWERED: "✔",
    pb.STAGE_OUTCOME_REFUSED: "✘",
}
# One that is not listed has its own name.
_TITLES: Mapping[str, str] = {
    "identify": "request",
    "authenticate": "authentication",
    "authorize": "authorization",
    "know_again": "idempotency",
    "receive": "body",
    "count_request": "rate limits",
    "read_input": "query and schema",
    "cached": "cache",
    "map_input": "input",
    "run": "answer",
}
# What they pass on is for others than routes.
_ELSEWHERE = ("preflight", "own_pages", "documentation")
_WIDTH = 18
_LONGEST_NOTES = 400


def milliseconds(duration: Duration) -> float:
    """To the microsecond."""
    return duration.ToMicroseconds() / 1000


def text(response: pb.TestRouteResponse, method: str, gateway: str) -> str:
    """Many lines.

    Args:
        method: That was asked for.
        gateway: A URL without a path.
    """
    headers = {each.name: each.value for each in response.headers}
    lines = [f"{method} {response.target}", *_stage_lines(response), ""]
    lines.append(f"{response.status} in {milliseconds(response.took):.2f} ms")
    lines += [f"{each.name}: {each.value}" for each in response.headers]
    if response.body:
        lines += ["", _body_text(response)]
    if response.status == 202 and "location" in headers:
        lines += ["", f"It goes on: GET {gateway}{headers['location']} has the answer."]
    return visible("\n".join(lines))


def _stage_lines(response: pb.TestRouteResponse) -> Iterator[str]:
    for stage in response.stages:
        passed = stage.outcome == pb.STAGE_OUTCOME_PASSED
        if passed and stage.name in _ELSEWHERE and stage.notes == "{}":
            continue
        title = stage_title(stage.name)
        indented = f"  {title}" if stage.within else title
        took = f"{milliseconds(stage.took):9.2f} ms"
        line = f"  {_MARKS.get(stage.outcome, '?')} {indented:<{_WIDTH + 2}}{took}  "
        notes = json.loads(stage.notes)
        faults = notes.pop("faults", ())
        yield (line + notes_text(notes)).rstrip()
        yield from (f"      - {in_one_line(str(fault))}" for fault in faults)


def stage_title(name: str) -> str:
    """What a stage is called."""
    return _TITLES.get(name, name.replace("_", " "))


def notes_text(notes: Mapping[str, Json]) -> str:
    """The notes of a stage in one line, cut off where they are long."""
    told = "  ".join(f"{name} {_compact(value)}" for name, value in notes.items())
    return told if len(told) <= _LONGEST_NOTES else f"{told[:_LONGEST_NOTES]}…"


def _compact(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _body_text(response: pb.TestRouteResponse) -> str:
    body = response.body.decode("utf-8", "replace")
    if len(response.body) < response.body_bytes:
        return f"{body}\n… ({response.body_bytes} bytes)"
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def fields(response: pb.TestRouteResponse) -> dict[str, Json]:
    """For JSON."""
    return {
        "target": response.target,
        "status": response.status,
        "tookMs": milliseconds(response.took),
        "executionId": response.execution_id or None,
        "headers": [[each.name, each.value] for each in response.headers],
        "body": _body(response),
        "bodyBytes": response.body_bytes,
        "stages": [_stage(stage) for stage in response.stages],
    }


def _body(response: pb.TestRouteResponse) -> Json:
    """A value where it is JSON, else text."""
    body = response.body.decode("utf-8", "replace")
    try:
        return json.loads(body)
    except ValueError:
        return body


def _stage(stage: pb.RouteStage) -> dict[str, Json]:
    return {
        "name": stage.name,
        "within": stage.within or None,
        "outcome": pb.StageOutcome.Name(stage.outcome).removeprefix("STAGE_OUTCOME_"),
        "tookMs": milliseconds(stage.took),
        "notes": json.loads(stage.notes),
    }
