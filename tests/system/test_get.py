"""`podium get` as its user types it: short words, several names, data, and live."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from services.yaml_documents import read_documents
from tests.system.running import HEEDING_CTRL_C, Suite, until

# Each command is a process of its own, which takes seconds on a machine that does much else.
pytestmark = pytest.mark.timeout(120)


def workflow(name: str, **more: Any) -> dict[str, Any]:
    tasks = [{"name": "x", "taskReferenceName": "x", "type": "NOOP"}]
    return {"name": name, "version": 1, "tasks": tasks, **more}


def test_a_kind_may_be_short_and_names_several(suite: Suite) -> None:
    suite.apply(workflow("one"), workflow("two"))

    as_json = suite.podium("get", "wf", "one", "two", "--output", "json")
    as_yaml = suite.podium("get", "workflows", "one", "two")
    missing = suite.podium("get", "wf", "one", "nobody", "two", "--output", "json")

    assert [each["name"] for each in json.loads(as_json.stdout)] == ["one", "two"]
    documents: list[Any] = [each.document for each in read_documents(as_yaml.stdout)]
    assert [each["name"] for each in documents] == ["one", "two"]
    assert missing.returncode == 1
    assert [each["name"] for each in json.loads(missing.stdout)] == ["one", "two"]
    assert "'nobody'" in missing.stderr


def test_a_list_is_text_or_data(suite: Suite) -> None:
    suite.apply(workflow("listed-one"))

    text = suite.podium("get", "wf")
    data = suite.podium("get", "wf", "--output", "json")

    (line,) = [each for each in text.stdout.splitlines() if "listed-one" in each]
    assert line.startswith("workflow listed-one v1  ")
    assert "listed-one" in [each["name"] for each in json.loads(data.stdout)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("wf", "a", "b", "--revision", "1"),
        ("wf", "a", "--watch", "--revision", "1"),
        ("flow", "--watch"),
        ("wf", "--output", "xml"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(suite: Suite, arguments: tuple[str, ...]) -> None:
    assert suite.podium("get", *arguments).returncode == 2


def test_a_watch_tells_each_change_over_a_restart_of_the_registry(own_suite: Suite) -> None:
    own_suite.apply(workflow("first"))
    command = [sys.executable, "-m", "tui", "get", "wf", "-w", "--home", str(own_suite.home)]
    out = own_suite.home.parent / "watched"
    with out.open("w") as written:
        watching = subprocess.Popen(
            [*HEEDING_CTRL_C, *command, "--output", "json"],
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: '"first"' in out.read_text(), 30, "what is there")
        own_suite.apply(workflow("second"))
        until(lambda: '"second"' in out.read_text(), 30, "a change")
        old = own_suite.kill("registry")
        until(lambda: own_suite.pids.get("registry", old) != old, 30, "another registry")
        own_suite.apply(workflow("first", description="other"))
        own_suite.podium("delete", "wf", "second")
        until(lambda: '"deleted": true' in out.read_text(), 30, "a removal")
    finally:
        watching.send_signal(signal.SIGINT)
        code = watching.wait(20)

    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(each["name"], each["deleted"]) for each in told] == [
        ("first", False),
        ("second", False),
        ("first", False),
        ("second", True),
    ]
    assert told[2]["document"]["description"] == "other"
    assert code == 130
