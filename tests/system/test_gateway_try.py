"""`podium test-route` from outside: a real call, its stages, and how the command ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import expose
from tests.system.running import Suite

# Each of them starts some commands, which takes long where much else is done.
pytestmark = pytest.mark.timeout(90)
Done = subprocess.CompletedProcess[str]

TASK = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "INLINE",
    "inputParameters": {
        "evaluatorType": "javascript",
        "expression": "$.n * 2",
        "n": "${workflow.input.n}",
    },
}
WAIT = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "WAIT",
    "inputParameters": {"duration": "1 hour"},
}
SCHEMA = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture(scope="module")
def key(suite: Suite) -> str:
    """That of the service ``tried``, whose route doubles a number and one more."""
    route = {
        "path": "/{id}/double",
        "inputSchema": SCHEMA,
        "preRequestScript": "({n: $.n + 1})",
        "queryParameters": [{"name": "unit"}],
    }
    output = {"outputParameters": {"twice": "${x.output.result}"}}
    suite.apply(*expose("tried", TASK, workflow=output, route=route))
    return suite.keys["tried"]


def tried(suite: Suite, path: str, *more: str, body: str = '{"n": 3}') -> Done:
    return suite.podium("test-route", "tried", "post", path, "--body", body, *more)


def test_a_route_is_called_and_its_stages_are_shown(suite: Suite, key: str) -> None:
    fields = ("--path", "id=a b", "--query", "unit=m", "--key", key)

    shown = tried(suite, "/{id}/double", *fields)
    told = tried(suite, "/tried/7/double", "--key", key, "--output", "json")

    assert shown.returncode == 0, shown.stderr
    assert "POST /tried/a%20b/double?unit=m" in shown.stdout
    assert "principal key:tried/default" in shown.stdout
    assert '"twice": 8' in shown.stdout
    assert key not in shown.stdout
    answer = json.loads(told.stdout)
    steps = {each["name"]: each for each in answer["stages"]}
    assert (told.returncode, answer["status"], answer["body"]) == (0, 200, {"twice": 8})
    assert steps["preRequestScript"]["notes"]["result"] == {"n": 4}
    assert steps["execution"]["notes"]["status"] == "COMPLETED"
    assert answer["executionId"] in suite.podium("executions", "wf:tried").stdout


def test_what_is_refused_is_shown_at_its_stage(suite: Suite, key: str) -> None:
    broken = tried(suite, "/7/double", "--key", key, body='{"n": "x"}')
    stranger = tried(suite, "/7/double")
    missing = tried(suite, "/{id}/double", "--key", key)
    unknown = suite.podium("test-route", "no-such-service", "POST", "/")

    codes = [each.returncode for each in (broken, stranger, missing, unknown)]
    assert codes == [1, 1, 2, 1]
    assert "✘ query and schema" in broken.stdout
    assert "/n" in broken.stdout
    assert "✘ authentication" in stranger.stdout
    assert "--path id=…" in missing.stderr
    assert "no-such-service" in unknown.stderr


def test_a_route_that_breaks_is_in_the_log_by_request_id_and_in_the_trial(suite: Suite) -> None:
    schema = {"required": ["total"], "properties": {"twice": {"type": "string"}}}
    output = {"outputParameters": {"twice": "${x.output.result}"}}
    suite.apply(*expose("tried-broken", TASK, workflow=output, route={"outputSchema": schema}))

    answer = httpx.post(
        f"{suite.gateway}/tried-broken", json={"n": 3}, headers=suite.caller("tried-broken")
    )
    shown = suite.podium(
        "test-route", "tried-broken", "POST", "/", "--body", '{"n": 3}',
        "--key", suite.keys["tried-broken"],
    )  # fmt: skip

    told = answer.json()
    assert (answer.status_code, "errors" in told) == (502, False)
    log = [json.loads(each) for each in suite.log.read_text().splitlines() if each[:1] == "{"]
    (line,) = (each for each in log if each.get("request_id") == told["requestId"])
    assert (line["level"], line["execution_id"]) == ("warning", told["executionId"])
    assert "POST /tried-broken of service tried-broken: output-invalid" in line["message"]
    assert all(fault in line["message"] for fault in ("/twice: ", '"total" is a required'))
    assert all(fault in shown.stdout for fault in ("      - /twice: ", '- "total" is a required'))


def test_one_that_goes_on_says_where_its_answer_will_be(suite: Suite) -> None:
    suite.apply(*expose("tried-long", WAIT))

    done = suite.podium(
        "test-route", "tried-long", "POST", "/", "--header", "Prefer=respond-async",
        "--key", suite.keys["tried-long"],
    )  # fmt: skip
    line = next(line for line in done.stdout.split("\n") if line.startswith("It goes on: "))
    location = line.removeprefix("It goes on: GET ").split(" ")[0]
    cancelled = httpx.delete(location, headers=suite.caller("tried-long"))

    assert done.returncode == 0, done.stdout
    assert cancelled.status_code == 204


def test_what_is_no_command_line_is_told(suite: Suite) -> None:
    no_pair = suite.podium("test-route", "x", "POST", "/", "--path", "id")
    twice = suite.podium("test-route", "x", "POST", "/", "--path", "id=1", "--path", "id=2")
    no_file = suite.podium("test-route", "x", "POST", "/", "--body", "@/no/such/file")

    assert [each.returncode for each in (no_pair, twice, no_file)] == [2, 2, 2]
    assert "NAME=VALUE" in no_pair.stderr
    assert "twice" in twice.stderr
    assert "/no/such/file" in no_file.stderr


def test_a_call_that_was_kept_in_a_file_is_sent(suite: Suite, key: str, tmp_path: Path) -> None:
    case = {
        "service": "tried", "method": "POST", "path": "/tried/{id}/double",
        "parameters": {"id": "7"}, "query": [["unit", "m"]], "body": {"n": 3},
    }  # fmt: skip
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))

    sent = suite.podium("test-route", "--case", str(path), "--key", key, "--output", "yaml")
    other = suite.podium(
        "test-route", "--case", str(path), "--key", key, "--query", "unit=k", "--body", '{"n": 4}'
    )
    broken = suite.podium("test-route", "--case", __file__)
    nameless = suite.podium("test-route", "--key", key)

    assert sent.returncode == 0, sent.stderr
    assert "twice: 8" in sent.stdout
    assert "POST /tried/7/double?unit=k" in other.stdout
    assert '"twice": 10' in other.stdout
    assert [broken.returncode, nameless.returncode] == [2, 2]
    assert "no JSON" in broken.stderr


def test_the_document_of_a_service_is_printed_whole_or_of_a_route(suite: Suite, key: str) -> None:
    whole = suite.podium("routes", "openapi", "tried", "--output", "json")
    part = suite.podium("routes", "openapi", "tried", "post", "/{id}/double")
    unknown = suite.podium("routes", "openapi", "no-such-service")
    half = suite.podium("routes", "openapi", "tried", "POST")

    assert list(json.loads(whole.stdout)["paths"]) == [
        "/tried/{id}/double",
        "/-/executions/{executionId}",
    ]
    assert "openapi: 3.1.0" in part.stdout
    assert "\n  /-/" not in part.stdout
    assert (unknown.returncode, half.returncode) == (1, 1), (unknown, half)
    assert "no service 'no-such-service'" in unknown.stderr
    assert "its method and its path" in half.stderr
