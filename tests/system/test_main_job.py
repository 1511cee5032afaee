"""The main job from outside: routes with curl's eyes, the management API, the commands."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tests.system.conftest import example, expose, http, parsed, poll
from tests.system.running import Suite, job_server_running, post, until

DONE = "(function(){ return $.output.response.body.status === 'COMPLETED'; })();"


def started(upstream: str, **more: object) -> dict[str, object]:
    body = {"seconds": "${workflow.input.seconds}", "owner": "${workflow.workflowId}", **more}
    return http("start", f"{upstream}/jobs", "POST", body=body)


def polled(upstream: str) -> list[dict[str, object]]:
    status = f"{upstream}/jobs/${{start.output.response.body.jobId}}"
    return [started(upstream), poll("poll", status, DONE)]


RESULT = {
    "outputParameters": {"job": "${poll.output.body.result.job}", "polls": "${poll.pollCount}"}
}


@pytest.fixture(scope="module")
def polling(suite: Suite, upstream: str) -> str:
    """A key for ``POST /polling``."""
    suite.apply(*expose("polling", *polled(upstream), workflow=RESULT))
    return suite.keys["polling"]


def test_a_call_starts_a_job_polls_it_and_answers_with_its_result(
    suite: Suite, polling: str
) -> None:
    answer = post(f"{suite.gateway}/polling", json={"seconds": 0.5}, headers={"X-API-Key": polling})

    assert answer.status_code == 200, answer.text
    assert answer.json()["polls"] >= 2
    assert answer.json()["job"]
    assert answer.headers["Podium-Execution-Id"]
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"X-API-Key": key},
        lambda key: {"Authorization": f"Bearer {key}"},
    ],
)
def test_a_key_comes_by_either_header(suite: Suite, polling: str, headers: object) -> None:
    assert callable(headers)
    answer = post(f"{suite.gateway}/polling", json={"seconds": 0}, headers=headers(polling))

    assert answer.status_code == 200


def test_a_key_comes_as_basic_password(suite: Suite, polling: str) -> None:
    answer = post(f"{suite.gateway}/polling", json={"seconds": 0}, auth=("", polling))

    assert answer.status_code == 200


def test_without_a_key_nothing_runs(suite: Suite, polling: str) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}):
        answer = post(f"{suite.gateway}/polling", json={}, headers=headers)

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "WWW-Authenticate" in answer.headers
        assert polling not in answer.text


def test_the_job_server_calls_back_and_the_route_answers_with_what_it_brought(
    suite: Suite, upstream: str
) -> None:
    task = started(upstream, callbackUrl="${task.callbackUrl}")
    output = {"outputParameters": {"job": "${start.output.result.job}"}}
    suite.apply(*expose("called-back", {**task, "asyncComplete": True}, workflow=output))

    answer = post(
        f"{suite.gateway}/called-back", json={"seconds": 0.3}, headers=suite.caller("called-back")
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["job"]


@pytest.fixture(scope="module")
def by_hand(suite: Suite, upstream: str) -> str:
    """A key for ``POST /by-hand``, whose task waits for a person."""
    output = {"outputParameters": {"all": "${start.output.all}"}}
    task = {**started(upstream), "asyncComplete": True}
    suite.apply(*expose("by-hand", task, workflow=output))
    return suite.keys["by-hand"]


def token(suite: Suite) -> str:
    credentials = parsed((suite.home / "credentials.json").read_text())
    answer = post(f"{suite.management}/api/token", json=credentials)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def waiting_execution(suite: Suite, workflow: str, answers: list[httpx.Response]) -> str:
    """The id of the newest execution of ``workflow``, once there is one that runs."""
    found: list[str] = []

    def look() -> bool:
        assert not answers, f"it was answered too soon: {answers[0].text}"
        listed = suite.podium("executions", "status:running", f"wf:{workflow}", "--output", "json")
        found[:] = [each["workflowId"] for each in parsed(listed.stdout)]
        return bool(found)

    until(look, 25, f"an execution of {workflow}")
    return found[0]


def test_somebody_with_a_token_completes_the_task(suite: Suite, by_hand: str) -> None:
    answers: list[httpx.Response] = []
    caller = threading.Thread(
        target=lambda: answers.append(
            post(
                f"{suite.gateway}/by-hand",
                json={"seconds": 0},
                headers={"X-API-Key": by_hand},
                timeout=30,
            )
        )
    )
    caller.start()
    execution_id = waiting_execution(suite, "by-hand", answers)
    url = f"{suite.management}/api/tasks/{execution_id}/start/COMPLETED"
    headers = {"X-Authorization": token(suite)}

    assert post(url, json={"all": "well"}).status_code == 401
    first = post(url, json={"all": "well"}, headers=headers)
    caller.join()

    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/plain")
    assert answers[0].status_code == 200
    assert answers[0].json() == {"all": "well"}
    again = post(url, json={}, headers=headers)
    assert (again.status_code, again.text) == (200, first.text)
    other = post(url.replace("COMPLETED", "FAILED"), json={}, headers=headers)
    assert other.status_code == 409
    unknown = post(url.replace("/start/", "/nope/"), json={}, headers=headers)
    assert unknown.status_code == 404
    assert post(url, json=[1], headers=headers).status_code == 400
    odd = post(url.replace("COMPLETED", "DONE"), json={}, headers=headers)
    assert odd.status_code == 400


def test_the_command_completes_a_task_too(suite: Suite, by_hand: str) -> None:
    started_run = suite.podium("run", "by-hand", "--input", '{"seconds": 0}')
    execution_id = started_run.stdout.strip()

    done = suite.podium("complete-task", execution_id, "start", "--result", '{"all": "done"}')
    watched = suite.podium("watch", execution_id, "--output", "json")

    assert done.returncode == 0, done.stderr
    assert watched.returncode == 0, watched.stderr
    assert parsed(watched.stdout)["output"] == {"all": "done"}
    assert by_hand


def test_a_call_that_takes_too_long_is_202_and_its_location_leads_to_the_result(
    suite: Suite, upstream: str
) -> None:
    suite.apply(*expose("slow", *polled(upstream), workflow=RESULT, route={"timeoutInSeconds": 1}))
    headers = suite.caller("slow")

    answer = post(f"{suite.gateway}/slow", json={"seconds": 2}, headers=headers)

    assert answer.status_code == 202
    assert answer.json()["status"] == "RUNNING"
    location = str(answer.url.join(answer.headers["Location"]))
    assert httpx.get(location).status_code in (401, 404)
    assert httpx.get(location, headers=headers).status_code == 202
    until(lambda: httpx.get(location, headers=headers).status_code != 202, 10, "the result")
    last = httpx.get(location, headers=headers)
    assert last.status_code == 200
    assert last.json()["job"]


def test_an_asynchronous_route_answers_at_once(suite: Suite, upstream: str) -> None:
    mode = {"workflowExecutionMode": "ASYNCHRONOUS"}
    suite.apply(*expose("at-once", *polled(upstream), workflow=RESULT, route=mode))
    headers = suite.caller("at-once")

    answer = post(f"{suite.gateway}/at-once", json={"seconds": 0.2}, headers=headers)

    assert answer.status_code == 202
    location = str(answer.url.join(answer.headers["Location"]))
    until(lambda: httpx.get(location, headers=headers).status_code == 200, 10, "the result")


def test_the_answer_may_be_that_of_a_task_on_the_way(suite: Suite, upstream: str) -> None:
    route = {"waitUntilTasks": "start"}
    suite.apply(*expose("half-way", *polled(upstream), route=route))

    begin = time.monotonic()
    answer = post(
        f"{suite.gateway}/half-way", json={"seconds": 20}, headers=suite.caller("half-way")
    )

    assert answer.status_code == 200
    assert answer.json()["response"]["statusCode"] == 202
    assert time.monotonic() - begin < 15, "it did not wait for the job"


def test_the_tutorial_runs_as_it_is_pasted(suite: Suite) -> None:
    # 5 s and more: its polling interval is its author's.
    with job_server_running() as jobs:
        applied = suite.podium("apply", "-", text=example("tutorial.json", jobs))
        assert applied.returncode == 0, applied.stderr
        assert applied.stderr == ""
        run = suite.podium("run", "LongRunningAPIWorkflow", "--wait", "30", "--output", "json")

    execution = parsed(run.stdout)
    assert run.returncode == 0, run.stderr
    assert execution["status"] == "COMPLETED"
    assert [task["pollCount"] for task in execution["tasks"]][1] == 2
