"""What bad input gets: an error that names the fault, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import httpx
import pytest

from tests.system.conftest import expose, http, parsed, poll
from tests.system.running import Suite, podium, post

TEN_FAULTS = {
    "name": "broken",
    "version": 0,
    "schemaVersion": 1,
    "timeoutPolicy": "SOMETIMES",
    "failureWorkflow": "nowhere",
    "tasks": [
        {"name": "a", "taskReferenceName": "a", "type": "HTPP", "inputParameters": {}},
        {"name": "b", "taskReferenceName": "b", "type": "KAFKA_PUBLISH"},
        {"name": "c", "taskReferenceName": "c", "type": "HTTP", "inputParameters": {}},
        {
            "name": "d",
            "taskReferenceName": "c",
            "type": "HTTP",
            "inputParameters": {"uri": "http://x/${nobody.output.x}", "method": "FETCH"},
        },
        {
            "name": "e",
            "taskReferenceName": "e",
            "type": "HTTP_POLL",
            "inputParameters": {"uri": "http://x", "method": "GET", "pollingStrategy": "RANDOM"},
        },
        {
            "name": "f",
            "taskReferenceName": "f",
            "type": "INLINE",
            "inputParameters": {"expression": "(function ( {"},
        },
        {
            "name": "g",
            "taskReferenceName": "g",
            "type": "HTTP",
            "inputParameters": {"uri": "http://x/${workflow.secrets.NOT_THERE}", "method": "GET"},
        },
    ],
}
FAULTY_SERVICE = {
    "kind": "service",
    "id": "faulty",
    "path": "/faulty",
    "enabled": "perhaps",
    "authConfigId": "nobody",
    "routes": [
        {"httpMethod": "GET", "path": "/a", "mappedWorkflow": {"name": "nowhere"}},
        {
            "httpMethod": "GET",
            "path": "/b",
            "mappedWorkflow": {"name": "beside-broken"},
            "waitUntilTasks": "nope",
        },
    ],
}


def test_a_definition_with_ten_faults_tells_all_ten_and_puts_nothing(suite: Suite) -> None:
    good = {"name": "beside-broken", "version": 1, "tasks": [http("x", "http://127.0.0.1/")]}
    documents = (good, TEN_FAULTS, FAULTY_SERVICE)

    done = suite.podium("apply", "-", text="\n---\n".join(map(json.dumps, documents)))

    assert done.returncode == 1
    for path in (
        "version",
        "schemaVersion",
        "timeoutPolicy",
        "tasks[0].type",
        "tasks[1].type",
        "tasks[2].inputParameters.uri",
        "tasks[3].taskReferenceName",
        "tasks[3].inputParameters.uri",
        "tasks[3].inputParameters.method",
        "tasks[4].inputParameters.terminationCondition",
        "tasks[4].inputParameters.pollingStrategy",
        "tasks[5].inputParameters.expression",
        "tasks[6].inputParameters.uri",
        "failureWorkflow",
        "enabled",
        "authConfigId",
        "routes[0].mappedWorkflow.name",
        "routes[1].waitUntilTasks",
    ):
        assert f"{path}: " in done.stderr, f"{path} is not in\n{done.stderr}"
    assert "did you mean" in done.stderr
    assert suite.podium("get", "workflow", "beside-broken").returncode == 1


def test_a_single_fault_is_told_once(suite: Suite) -> None:
    done = suite.podium("apply", "-", text='{"name": "few", "version": 1, "tasks": []}')

    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert first.startswith("-:1: tasks: ")
    assert last == "podium: nothing was put."


def test_faults_can_be_had_as_json(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("\nname: few\nversion: 0\ntasks: []\n")

    refused = suite.podium("apply", "--output", "json", str(file))
    file.write_text("name: few\nname: again\n")
    unread = suite.podium("apply", "--output", "json", str(file))

    assert refused.returncode == unread.returncode == 1
    told = parsed(refused.stdout)["faults"]
    assert {(each["origin"], each["path"]) for each in told} == {
        (f"{file}:3", "version"),
        (f"{file}:4", "tasks"),
    }
    detail = "the key 'name' is given twice"
    assert parsed(unread.stdout) == {
        "faults": [{"origin": f"{file}:2", "path": "", "detail": detail}]
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": holds no document"),
        (b"# nothing yet\n---\n", ": holds no document"),
        (b"\x89PNG\x00\xff", ":1: is no UTF-8 text"),
        (b"name: x\nversion: \xff\n", ":2: is no UTF-8 text"),
    ],
)
def test_a_file_without_documents_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(content)

    done = podium("apply", "--home", str(tmp_path), str(file))

    assert done.returncode == 1
    assert done.stderr == f"{file}{says}\npodium: nothing was put.\n"


def test_a_dry_run_checks_and_puts_nothing(suite: Suite) -> None:
    documents = expose("dry", http("x", "http://127.0.0.1/"))
    text = "\n---\n".join(json.dumps(document) for document in documents)

    done = suite.podium("apply", "--dry-run", "-", text=text)

    assert done.returncode == 0, done.stderr
    assert "created (dry run)" in done.stdout
    assert suite.podium("get", "workflow", "dry").returncode == 1


def test_what_is_not_there_is_named(suite: Suite) -> None:
    for command in (
        ("get", "workflow", "nope"),
        ("delete", "workflow", "nope"),
        ("run", "nope"),
        ("watch", "00000000-0000-4000-8000-000000000000"),
        ("pause", "00000000-0000-4000-8000-000000000000"),
    ):
        done = suite.podium(*command)
        assert done.returncode == 1, command
        assert command[-1] in done.stderr, command
        assert done.stderr.count("\n") == 1, done.stderr


def test_an_unknown_kind_is_wrong_usage_that_names_the_kinds(suite: Suite) -> None:
    for command in (("get", "flow"), ("get", "flow", "x"), ("delete", "flow", "x")):
        done = suite.podium(*command)
        assert done.returncode == 2, command
        assert "There is no kind 'flow': it is one of workflow, task, schema" in done.stderr
        assert ("nouns: executions, " in done.stderr) == (command[0] == "get")


def test_a_list_that_is_cut_says_that_there_are_more(suite: Suite) -> None:
    suite.apply(
        {
            "name": "listed",
            "version": 1,
            "tasks": [{"name": "x", "taskReferenceName": "x", "type": "NOOP"}],
        }
    )
    for _ in range(2):
        assert suite.podium("run", "listed", "--wait", "20").returncode == 0

    for output in ("text", "json"):
        cut = suite.podium("executions", "wf:listed", "--limit", "1", "--output", output)
        whole = suite.podium("executions", "wf:listed", "--limit", "2", "--output", output)

        none = suite.podium("executions", "wf:nowhere", "--output", output)

        assert cut.stderr == "more: 1 of 2; --limit 2 shows more\n"
        assert whole.stderr == ""
        assert none.stderr == "none found\n"
        assert cut.returncode == whole.returncode == none.returncode == 0


def status_into(file: TextIO, suite: Suite) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", "status", "--home", str(suite.home)],
        stdout=file,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def test_output_that_nobody_reads_ends_a_command_without_a_word(suite: Suite) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "w") as pipe:
        done = status_into(pipe, suite)

    # As the shell says it of what SIGPIPE ends.
    assert (done.returncode, done.stderr) == (141, "")


def test_output_that_cannot_be_written_is_a_sentence(suite: Suite) -> None:
    with Path("/dev/full").open("w") as full:
        done = status_into(full, suite)

    assert done.returncode != 0
    assert "podium: The output cannot be written: No space left on device.\n" in done.stderr


def test_a_route_that_is_not_there_is_404_and_a_wrong_method_405(suite: Suite) -> None:
    suite.apply(*expose("only-post", http("x", "http://127.0.0.1/")))

    missing = httpx.get(f"{suite.gateway}/nowhere")
    wrong = httpx.get(f"{suite.gateway}/only-post")

    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]


def test_a_definition_in_use_is_not_deleted_and_its_users_are_named(suite: Suite) -> None:
    used = expose("in-use", http("x", "http://127.0.0.1/"))
    used[0]["failureWorkflow"] = "In-Case"
    suite.apply({**used[0], "name": "In-Case", "failureWorkflow": ""}, *used)

    refused = suite.podium("delete", "workflow", "in-use")
    assert refused.returncode == 1
    assert "service 'in-use'" in refused.stderr
    assert "Workflow 'In-Case' is used" in suite.podium("delete", "workflow", "In-Case").stderr

    assert suite.podium("delete", "service", "in-use").returncode == 0
    assert suite.podium("delete", "auth", "in-use").returncode == 0
    assert suite.podium("delete", "application", "in-use").returncode == 0
    assert suite.podium("delete", "workflow", "in-use").returncode == 0
    assert post(f"{suite.gateway}/in-use").status_code == 404


def test_a_version_that_is_deleted_is_named(suite: Suite) -> None:
    tasks = [http("x", "http://127.0.0.1/")]
    suite.apply(*({"name": "two", "version": version, "tasks": tasks} for version in (1, 2)))

    one = suite.podium("delete", "workflow", "two", "--version", "1")
    rest = suite.podium("delete", "workflow", "two")

    assert one.stdout == "workflow two v1  deleted\n"
    assert rest.stdout == "workflow two  deleted\n"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("500", "500"),
        ("large", "larger than"),
        ("away", "refused"),
    ],
)
def test_an_upstream_that_fails_is_502_with_the_execution_that_says_why(
    suite: Suite, upstream: str, fault: str, says: str
) -> None:
    url = f"{upstream}/faults/{fault}" if fault != "away" else f"http://127.0.0.1:{closed_port()}/"
    suite.apply(*expose(f"fails-{fault}", http("call", url)))

    answer = post(
        f"{suite.gateway}/fails-{fault}",
        json={},
        headers=suite.caller(f"fails-{fault}"),
        timeout=30,
    )

    assert answer.status_code == 502
    assert url not in answer.text
    shown = suite.podium("watch", answer.headers["Podium-Execution-Id"], "--output", "json")
    assert shown.returncode == 1
    execution = parsed(shown.stdout)
    assert execution["status"] == "FAILED"
    assert says in execution["reasonForIncompletion"]


def test_one_that_hangs_fails_when_its_read_time_is_up(suite: Suite, upstream: str) -> None:
    task = http("call", f"{upstream}/faults/hang")
    task["inputParameters"]["readTimeOut"] = 300
    suite.apply(*expose("hangs", task))

    answer = post(f"{suite.gateway}/hangs", json={}, headers=suite.caller("hangs"))

    assert answer.status_code == 502


def test_html_with_a_200_is_text_for_the_condition(suite: Suite, upstream: str) -> None:
    condition = "$.output.response.body.indexOf('all is well') > 0"
    suite.apply(*expose("html", poll("poll", f"{upstream}/faults/html", condition)))

    answer = post(f"{suite.gateway}/html", json={}, headers=suite.caller("html"))

    assert answer.status_code == 200
    assert "<h1>" in answer.json()["body"]


def test_poll_errors_are_tolerated_three_in_a_row(suite: Suite, upstream: str) -> None:
    done = "$.output.body.status === 'COMPLETED'"
    suite.apply(*expose("flaky", poll("poll", f"{upstream}/faults/flaky-3", done)))
    suite.apply(*expose("too-flaky", poll("poll", f"{upstream}/faults/flaky-9", done)))
    keys = {"flaky": "flaky", "too-flaky": "too-flaky"}

    flaky = suite.podium("run", keys["flaky"], "--wait", "20")
    too_flaky = suite.podium("run", keys["too-flaky"], "--wait", "20")

    assert flaky.returncode == 0, flaky.stdout
    assert too_flaky.returncode == 1
    assert "500" in too_flaky.stdout


@pytest.mark.parametrize(
    ("name", "condition", "says"),
    [
        ("throws", "(function(){ throw new Error('no idea'); })();", "no idea"),
        ("loops", "(function(){ while (true) {} })();", "ran longer than 1 s"),
        (
            "grows",
            "(function(){ var a = []; for (;;) a.push(Array(1e6).fill(7)); })();",
            # On a machine that does much else its time is up before its memory is.
            r"used more than 256 MB of memory|ran longer than 1 s",
        ),
        ("odd", "'perhaps'", "perhaps"),
    ],
)
def test_a_condition_that_goes_wrong_fails_its_task_and_harms_nobody(
    suite: Suite, upstream: str, name: str, condition: str, says: str
) -> None:
    suite.apply(*expose(f"cond-{name}", poll("poll", f"{upstream}/items/1", condition)))
    # A function runs in a script worker, as the others do.
    fine = "(function(){ return $.output.response.statusCode === 200; })();"
    suite.apply(*expose("cond-good", poll("poll", f"{upstream}/items/1", fine)))

    bad = suite.podium("run", f"cond-{name}", "--wait", "20")
    good = suite.podium("run", "cond-good", "--wait", "20")

    assert bad.returncode == 1
    assert "FAILED" in bad.stdout
    assert re.search(says, bad.stdout)
    assert good.returncode == 0, good.stdout
