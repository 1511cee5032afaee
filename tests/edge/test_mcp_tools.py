"""Tools as values: names and schemas from routes, requests from arguments, results from answers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given, strategies as st

from services.edge.call import Answer
from services.edge.mcp.arguments import request_of
from services.edge.mcp.reporting import Reporter
from services.edge.mcp.results import result_of
from services.edge.mcp.tools import PENDING, Schemas, Tool, tools_of
from services.edge.problems import Problem
from services.edge.progress import Mark, Step, Update
from services.edge.routes import joined
from services.edge.trie import path_segments
from services.json_schema import compiled
from tests.edge.documents import route, service

OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def tool(document: dict[str, Any], **schemas: Any) -> Tool:
    """The tool of one route."""
    told: Schemas = tuple(
        (document["httpMethod"], joined("/api/orders", document["path"]), part, json.dumps(schema))
        for part, schema in schemas.items()
    )
    (only,) = tools_of(json.dumps(service(document)), told).values()
    return only


def test_names_are_of_a_length_and_no_two_the_same() -> None:
    long = "/" + "x" * 80
    routes = [route("POST", path) for path in ("/a-b", "/a_b", "/{a}/b", long, long + "y", "/")]
    names = list(tools_of(json.dumps(service(*routes)), ()))

    assert names[:3] == ["POST_a_b", "POST_a_b_2", "POST_a_b_3"]
    assert names[-1] == "POST"
    assert len(set(names)) == len(names)
    assert max(map(len, names)) == 64


@pytest.mark.parametrize(
    "schema",
    [
        True,
        False,
        {},
        {"type": "array"},
        {"type": ["object", "null"]},
        {"$ref": "#/$defs/a", "$defs": {"a": OBJECT}},
        {**OBJECT, "oneOf": [{}, {}]},
        {**OBJECT, "minProperties": 1},
    ],
)
def test_a_schema_that_says_more_than_fields_is_of_the_argument_body(schema: Any) -> None:
    posted = tool(route("POST", "/{id}"), input=schema)
    got = tool(route("GET", "/{id}"), input=schema)

    assert posted.input_schema["required"] == ["body", "id"]
    assert request_of(posted, {"id": "1", "body": [1]}).body == b"[1]"
    assert request_of(posted, {"id": "1"}).body is None
    assert got.input_schema["required"] == ["id"]


def test_the_argument_body_takes_no_name_that_another_has() -> None:
    declared = [{"name": "body_", "type": "string"}]
    made = tool(route("POST", "/{body}", queryParameters=declared), input={"type": "array"})

    assert made.input_schema["properties"]["body__"] == {"type": "array"}
    assert made.input_schema["required"] == ["body__", "body"]
    asked = request_of(made, {"body": "1", "body_": "2", "body__": [3]})
    assert (asked.raw_path, asked.query, asked.body) == (b"/api/orders/1", b"body_=2", b"[3]")


def test_of_two_with_one_name_the_later_wins_and_both_get_it() -> None:
    declared = [{"name": "n", "type": "string"}]
    made = tool(route("POST", "/{id}", queryParameters=declared), input=OBJECT)
    path = tool(route("POST", "/{n}"), input=OBJECT)

    assert made.input_schema["properties"]["n"] == {"type": "string"}
    assert made.input_schema["required"] == ["id"]
    asked = request_of(made, {"id": "1", "n": 5, "more": None})
    assert (asked.query, asked.body) == (b"n=5", b'{"n":5,"more":null}')
    asked = request_of(path, {"n": 5})
    assert (asked.raw_path, asked.body) == (b"/api/orders/5", b'{"n":5}')


def test_the_draft_of_a_schema_is_said_at_the_root() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    made = tool(route("POST", "/"), input={"type": "array", "$schema": draft})

    assert made.input_schema["$schema"] == draft
    assert "$schema" not in made.input_schema["properties"]["body"]


TREE = {
    "$id": "https://schemas.example/tree",
    "type": "object",
    "properties": {"n": {"type": "integer"}, "below": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("reference", ["#", "tree", "https://schemas.example/tree"])
def test_what_a_schema_refers_to_in_itself_is_as_it_was(reference: str) -> None:
    below = {"type": "array", "items": {"$ref": reference}}
    schema = {**TREE, "properties": {**TREE["properties"], "below": below}}  # type: ignore[dict-item]
    validator = compiled(tool(route("POST", "/{id}"), input=schema).input_schema)

    assert validator.is_valid({"id": "7", "n": 1, "below": [{"n": 2, "below": []}]})
    assert not validator.is_valid({"n": 1, "below": []})
    assert not validator.is_valid({"id": "7", "n": 1, "below": [{"id": "8", "n": 2}]})


def test_a_field_that_goes_elsewhere_too_may_be_referred_to() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "m": {"$ref": "#/properties/n"}},
        "$defs": {"body": True},
    }
    made = tool(route("POST", "/{n}"), input=schema).input_schema

    assert compiled(made).is_valid({"n": "5", "m": 5})
    assert not compiled(made).is_valid({"n": "5", "m": "5"})
    assert made["$defs"]["body"] is True


def test_a_schema_that_refers_to_its_definitions_alone_is_told_once() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": OBJECT}}

    assert tool(route("POST", "/{id}"), input=schema).input_schema["$defs"] == {"a": OBJECT}


def test_only_objects_are_structured() -> None:
    waiting = route("POST", "/", workflowExecutionMode="ASYNCHRONOUS")

    assert tool(route("POST", "/"), output={"type": "array"}).output_schema is None
    assert tool(waiting, output=OBJECT).output_schema == PENDING


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [({}, "/id"), ({"id": None}, "/id"), ({"id": ""}, "/id"), ({"id": {}}, "/id")],
)
def test_a_path_needs_its_parameters(arguments: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        request_of(tool(route("POST", "/{id}")), arguments)

    assert [at for at, _ in caught.value.errors] == [pointer]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(TEXT, st.dictionaries(TEXT.filter(lambda name: name != "id"), TEXT, max_size=4))
def test_path_and_query_are_read_as_they_were_given(value: str, query: dict[str, str]) -> None:
    asked = request_of(tool(route("GET", "/{id}")), {"id": value, **query})
    *_, last = asked.raw_path.split(b"/")

    assert unquote_to_bytes(last).decode() == value
    assert dict(parse_qsl(asked.query.decode(), keep_blank_values=True)) == query
    if "\0" not in value:
        assert path_segments(asked.raw_path)[-1] == value


@given(st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT, max_size=4))
def test_what_is_nowhere_else_is_in_the_body(arguments: dict[str, Any]) -> None:
    asked = request_of(tool(route("POST", "/fixed")), arguments)

    assert json.loads(asked.body or b"") == arguments


def test_a_lone_surrogate_is_refused_or_escaped() -> None:
    with pytest.raises(Problem):
        request_of(tool(route("POST", "/{id}")), {"id": "\ud800"})
    assert request_of(tool(route("POST", "/x")), {"a": "\ud800"}).body == b'{"a":"\\ud800"}'


def test_an_answer_of_a_script_with_an_error_is_one() -> None:
    plain = tool(route("POST", "/"))
    told = result_of(Answer(404, b'{"why":"gone"}', ((b"content-type", b"text/json"),)), plain)

    assert told.is_error
    assert told.text == '{"why":"gone"}'
    assert not result_of(Answer(204), plain).is_error


def test_a_fault_is_told_by_its_argument() -> None:
    body = json.dumps(
        {
            "title": "t", "status": 422, "detail": "d",
            "errors": [{"pointer": "", "detail": "is wrong"}, {"pointer": "/a", "detail": "is b"}],
        }
    ).encode()  # fmt: skip
    told = result_of(Answer(422, body, (PROBLEM,)), tool(route("POST", "/")))

    assert told.text == "t (422): d\nis wrong\n/a: is b"


PROBLEM = (b"content-type", b"application/problem+json")
ELSEWHERE = (b"location", b"/caf\xe9")


@pytest.mark.parametrize(
    ("answer", "text", "is_error"),
    [
        (Answer(202, b'{"a":1}', (ELSEWHERE,)), '{"a":1}', False),
        (Answer(202, b"later", (ELSEWHERE,)), "later", False),
        (Answer(302, b"null", (ELSEWHERE,)), "It is elsewhere (302): /café", True),
        (Answer(304), "It is elsewhere (304): ", True),
        (Answer(404, b'{"title":"x"}', (PROBLEM,)), '{"title":"x"}', True),
        (Answer(404, b"[1]", (PROBLEM,)), "[1]", True),
        (Answer(404, b"no json", (PROBLEM,)), "no json", True),
        (
            Answer(400, b'{"title":"x","status":400,"detail":"y","errors":["z"]}', (PROBLEM,)),
            '{"title":"x","status":400,"detail":"y","errors":["z"]}',
            True,
        ),
    ],
)
def test_an_answer_that_a_script_has_made_is_told_whatever_it_is(
    answer: Answer, text: str, is_error: bool
) -> None:
    told = result_of(answer, tool(route("POST", "/")))

    assert (told.text, told.is_error) == (text, is_error)


def update(progress: float | None, status: str = "RUNNING", *steps: Step) -> Update:
    return Update(Mark("e", 1), status, progress, steps)


def test_progress_grows_and_repeats_nothing() -> None:
    reporter = Reporter()
    given = [None, None, 20.0, 20.0, 10.0, 60.0, 250.0]
    told = [reporter.report(update(number), exposed=False) for number in given]
    values = [each.value for each in told if each is not None]

    assert [each is None for each in told] == [False, True, False, True, False, False, False]
    assert values == sorted(set(values))
    assert told[2] is not None
    assert (told[2].value, told[2].total, told[2].sentence) == (20.0, 100.0, "RUNNING, 20")


def test_an_edge_imports_the_sdk_only_when_it_is_asked_for() -> None:
    """A process of its own: takes a second."""
    script = "import sys, services.edge.serving; print('mcp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
