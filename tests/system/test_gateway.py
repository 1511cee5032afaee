"""The gateway's promises from outside: the feedback service of the examples, and what shapes it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.system.conftest import EXAMPLES, expose, needs
from tests.system.running import Suite, post

FEEDBACK = {"rating": 4, "comment": "Good service"}


@pytest.fixture(scope="module")
def feedback(suite: Suite) -> str:
    """The URL of the example's route."""
    suite.apply_text((EXAMPLES / "feedback.yaml").read_text())
    return f"{suite.gateway}/api/feedback/user-feedback/u-7"


def leave(suite: Suite, url: str, document: object, **headers: str) -> httpx.Response:
    return post(url, json=document, headers={**suite.caller("feedback-keys"), **headers})


def test_feedback_is_answered_at_once(suite: Suite, feedback: str) -> None:
    answer = leave(suite, feedback, FEEDBACK)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "message": 'Feedback received with rating 4 and comment: "Good service".'
    }
    assert answer.headers["ratelimit-policy"] == '"per-caller";q=100;w=60'


def test_feedback_that_breaks_its_schema_is_told_every_fault(suite: Suite, feedback: str) -> None:
    answer = leave(suite, feedback, {"rating": 9, "comment": ""})

    assert answer.status_code == 422
    assert sorted(each["pointer"] for each in answer.json()["errors"]) == ["/comment", "/rating"]


def test_a_page_of_another_origin_may_leave_feedback(suite: Suite, feedback: str) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = {"Access-Control-Request-Method": "POST"}

    preflight = httpx.options(feedback, headers=origin | asked)
    answer = leave(suite, feedback, FEEDBACK, **origin)

    assert preflight.status_code == 204
    for each in (preflight, answer):
        assert each.headers["access-control-allow-origin"] == "https://shop.example"


def test_the_service_describes_itself(suite: Suite, feedback: str) -> None:
    document = httpx.get(f"{suite.gateway}/feedback-service/openapi").json()

    validate(document)
    operation = document["paths"]["/api/feedback/user-feedback/{user-id}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["rating"]["maximum"] == 5
    assert feedback.startswith(suite.gateway)


def test_the_command_that_calls_a_route_is_printed_and_works(suite: Suite, feedback: str) -> None:
    needs("curl")
    listed = suite.podium("routes")
    named = ("feedback-service", "post", "/user-feedback/{user-id}")
    printed = suite.podium("routes", "curl", *named)
    unknown = suite.podium("routes", "curl", "feedback-service", "GET", "/")

    assert "POST   /api/feedback/user-feedback/{user-id}  →  Feedback v1" in listed.stdout
    assert printed.returncode == 0, printed.stderr
    command = printed.stdout.replace("KEY", suite.keys["feedback-keys"])
    called = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert "Feedback received with rating 1" in called.stdout
    assert unknown.returncode == 1
    assert feedback.removeprefix(suite.gateway).rpartition("/")[0] in unknown.stderr


def test_a_printed_command_is_pasted_as_it_is(suite: Suite) -> None:
    needs("curl")
    schema = {"properties": {"it's": {"enum": ['$HOME `x` "é"']}}, "required": ["it's"]}
    parameters = [{"name": "size", "required": True, "enum": ["a b&c é"]}]
    route = {"path": "/café/{id}", "inputSchema": schema, "queryParameters": parameters}
    output = {"outputParameters": {"given": "${workflow.input}"}}
    suite.apply(*expose("pasted", inline("1"), workflow=output, route=route))

    printed = suite.podium("routes", "curl", "pasted", "POST", "/café/{id}")
    command = printed.stdout.replace("KEY", suite.keys["pasted"])
    called = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)

    given = json.loads(called.stdout)["given"]
    assert given["it's"] == '$HOME `x` "é"'
    assert (given["size"], given["id"]) == ("a b&c é", "ID")


def inline(expression: str, **inputs: str) -> dict[str, Any]:
    return {
        "name": "x",
        "taskReferenceName": "x",
        "type": "INLINE",
        "inputParameters": {"evaluatorType": "javascript", "expression": expression, **inputs},
    }


def test_scripts_and_schemas_shape_a_route(suite: Suite) -> None:
    route = {
        "path": "/{id}",
        "queryParameters": [{"name": "times", "type": "integer", "default": 2}],
        "preRequestScript": "({n: $.items.length * $.times, id: $.id})",
        "postResponseScript": "({statusCode: 201, headers: {'X-N': $.n}, body: {total: $.n}})",
        "responseEnvelope": True,
        "outputSchema": {"properties": {"total": {"maximum": 10}}},
    }
    output = {"outputParameters": {"n": "${x.output.result}"}}
    task = inline("$.n", n="${workflow.input.n}")
    suite.apply(*expose("shaped", task, workflow=output, route=route))
    headers = suite.caller("shaped")

    def total(path: str, count: int) -> httpx.Response:
        items = list(range(count))
        return post(f"{suite.gateway}/shaped/{path}", json={"items": items}, headers=headers)

    made = total("7", 3)
    assert (made.status_code, made.json()) == (201, {"total": 6})
    assert made.headers["x-n"] == "6"
    assert total("7?times=3", 3).json() == {"total": 9}
    assert total("7?times=x", 3).status_code == 422
    assert total("7?times=9", 3).status_code == 502


def test_a_script_is_tried_without_a_call(suite: Suite) -> None:
    good = suite.podium("test-script", "$.items.length", "--payload", '{"items": [1, 2]}')
    bad = suite.podium("test-script", "1;\n$.a.b")

    assert (good.returncode, good.stdout.strip()) == (0, "2")
    assert bad.returncode == 1
    assert "line 2" in bad.stderr


def test_a_caller_says_how_long_it_waits_and_cancels(suite: Suite) -> None:
    wait = {"name": "x", "taskReferenceName": "x", "type": "WAIT"}
    suite.apply(*expose("cancelled", {**wait, "inputParameters": {"duration": "1 hour"}}))
    headers = suite.caller("cancelled")

    answer = post(
        f"{suite.gateway}/cancelled", json={}, headers={**headers, "Prefer": "respond-async"}
    )
    location = str(answer.url.join(answer.headers["Location"]))
    cancelled = httpx.delete(location, headers=headers)
    again = httpx.delete(location, headers=headers)
    shown = suite.podium("executions", "wf:cancelled", "--output", "json")

    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert (cancelled.status_code, again.status_code) == (204, 204)
    assert '"TERMINATED"' in shown.stdout
    assert httpx.get(location, headers=headers).status_code == 502
