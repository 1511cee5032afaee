"""The answer to a tried call as an operator reads it: in words, by stages, with its scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from podium.edge.v1 import edge_pb2 as pb
from tui.views.trial import milliseconds, notes_text, stage_title
from tui.views.visible import in_one_line

Json = Any

PRE, POST = "preRequestScript", "postResponseScript"
LINE = re.compile(r"\(line ([0-9]{1,9})\)\.?\Z")
_MOST_FAULTS = 3
_QUOTA = re.compile(r'"((?:[^"\\]|\\.)*)"((?:;[a-z]+=(?:"[^"]*"|[^;,\s]+))*)')
_PASSED_BY = ("preflight", "own_pages", "documentation", "tools", "resume")


class Told(NamedTuple):
    """A line and its tone."""

    text: str
    tone: str


class StageRow(NamedTuple):
    """A stage, or a step within one, as a row of a list.

    Attributes:
        took: In milliseconds.
    """

    id: str
    glyph: str
    tone: str
    title: str
    took: float
    notes: str
    document: Mapping[str, Json]


class ScriptRun(NamedTuple):
    """What a script was given and gave; ``fault`` says why it gave nothing, on ``line``."""

    given: Json
    result: Json
    fault: str
    line: int
    took: float


def headers_of(response: pb.TestRouteResponse) -> dict[str, str]:
    """By their names in lower case; of several of one name the last."""
    return {each.name: each.value for each in response.headers}


def verdict(response: pb.TestRouteResponse) -> Told:
    """Status and problem in words, time and size."""
    status = response.status
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    problem = problem_of(response)
    glyph, tone = ("✔", "success") if status < 300 else ("↷", "primary")
    if status >= 400:
        glyph, tone = "✘", "error"
    if status == 202:
        glyph, tone = "◷", "primary"
    kind = f" · {problem['type'].rpartition(':')[2].rpartition('#')[2]}" if problem else ""
    took = f"{milliseconds(response.took):,.1f} ms"
    return Told(f"{glyph} {status} {phrase}{kind} · {took} · {_size(response)}", tone)


def _size(response: pb.TestRouteResponse) -> str:
    if len(response.body) < response.body_bytes:
        return f"{response.body_bytes:,} bytes, the first {len(response.body):,} shown"
    return f"{response.body_bytes:,} bytes"


def problem_of(response: pb.TestRouteResponse) -> dict[str, str]:
    """Type, title, detail and what else a problem's body says, as text; empty: it is none."""
    kind = headers_of(response).get("content-type", "")
    if not kind.startswith("application/problem+json"):
        return {}
    try:
        body = json.loads(response.body)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    told = {name: str(body.get(name, "")) for name in ("type", "title", "detail")}
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        told["errors"] = "; ".join(map(_error, errors[:_MOST_FAULTS]))
    return told


def _error(error: Json) -> str:
    if not isinstance(error, dict):
        return str(error)
    where = error.get("pointer") or error.get("parameter") or ""
    return f"{where}: {error.get('detail', '')}" if where else str(error.get("detail", ""))


def facts(response: pb.TestRouteResponse) -> list[Told]:
    """A line for each thing that the headers say beside the answer."""
    headers = headers_of(response)
    lines: list[Told] = []
    if problem := problem_of(response):
        lines.append(Told(in_one_line(problem["detail"] or problem["title"]), "error"))
        if "errors" in problem:
            lines.append(Told(in_one_line(problem["errors"]), "error"))
    parts = [*_cache(headers), *_limits(headers)]
    if tag := headers.get("etag"):
        parts.append(f"ETag {tag}")
    if wait := headers.get("retry-after"):
        parts.append(f"again in {wait} s")
    if parts:
        lines.append(Told(in_one_line(" · ".join(parts)), "muted"))
    return lines


def _cache(headers: Mapping[str, str]) -> Iterator[str]:
    state = headers.get("cache-status", "")
    if not state:
        return
    hit = "; hit" in state
    age = f", {headers['age']} s old" if "age" in headers else ""
    left = re.search(r"ttl=(-?\d+)", state)
    why = re.search(r"fwd=([a-z-]+)", state)
    yield (
        f"cache HIT{age}" + (f", {left[1]} s left" if left else "")
        if hit
        else f"cache MISS{f' ({why[1]})' if why else ''}"
    )


def _limits(headers: Mapping[str, str]) -> Iterator[str]:
    """What is left of each limit, and what it is."""
    policies = dict(_quotas(headers.get("ratelimit-policy", "")))
    left = dict(_quotas(headers.get("ratelimit", "")))
    for name, policy in policies.items():
        now = left.get(name)
        most = policy.get("q", "?")
        if policy.get("qu") == '"concurrent-requests"':
            yield f"{name}: {most} at once"
        elif now is None:
            yield f"{name}: {most} in {policy.get('w', '?')} s"
        else:
            yield f"{name}: {now.get('r', '?')} of {most} left for {now.get('t', '?')} s"


def _quotas(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    for found in _QUOTA.finditer(header):
        fields = (each.partition("=") for each in found[2].split(";") if each)
        yield found[1], {name: value for name, _, value in fields}


def stage_rows(response: pb.TestRouteResponse) -> dict[str, StageRow]:
    """Rows in the order of the stages; those that could have nothing to say are left out."""
    rows = {}
    for number, stage in enumerate(response.stages):
        passed = stage.outcome == pb.STAGE_OUTCOME_PASSED
        if passed and stage.name in _PASSED_BY and stage.notes == "{}":
            continue
        id_ = f"{number:03} {stage.name}"
        rows[id_] = _row(id_, stage)
    return rows


def _row(id_: str, stage: pb.RouteStage) -> StageRow:
    refused = stage.outcome == pb.STAGE_OUTCOME_REFUSED
    notes = json.loads(stage.notes)
    shown = {name: value for name, value in notes.items() if name != "faults"}
    told = [notes_text(shown), *map(str, notes.get("faults", ()))]
    return StageRow(
        id_,
        "✘" if refused else "✔",
        "error" if refused else "success",
        ("└ " if stage.within else "") + stage_title(stage.name),
        milliseconds(stage.took),
        "  ".join(filter(None, told)),
        notes,
    )


def script_run(response: pb.TestRouteResponse, field: str) -> ScriptRun | None:
    """What the script of that field did; None: it was not run."""
    for stage in response.stages:
        if stage.name == field:
            notes = json.loads(stage.notes)
            refused = stage.outcome == pb.STAGE_OUTCOME_REFUSED
            fault = str(notes.get("detail", "")) if refused else ""
            line = LINE.search(fault)
            return ScriptRun(
                notes.get("input"), notes.get("result"), fault, int(line[1]) if line else 0,
                milliseconds(stage.took),
            )  # fmt: skip
    return None


def marked(script: str, fault: str, line: int) -> str:
    """A script with numbers, and a sign at the line of its fault, which stands above it."""
    lines = script.split("\n")
    width = len(str(len(lines)))
    numbered = (
        f"{'▶' if number == line else ' '} {number:>{width}}  {text}"
        for number, text in enumerate(lines, 1)
    )
    return "\n".join([f"✘ {in_one_line(fault)}", "", *numbered])


def raw(request_line: str, sent: Mapping[str, str], body: str, response: Any) -> str:
    """Request and answer as they would be read on the wire."""
    lines = [request_line, *(f"{name}: {value}" for name, value in sent.items()), "", body, ""]
    lines += [f"HTTP/1.1 {response.status}"]
    lines += [f"{each.name}: {each.value}" for each in response.headers]
    lines += ["", response.body.decode("utf-8", "replace")]
    if len(response.body) < response.body_bytes:
        lines.append(f"… ({response.body_bytes:,} bytes)")
    return "\n".join(lines)
