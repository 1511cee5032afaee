"""Commands that follow something, from outside: over a crash, and into pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.system.running import Suite, until
from tui.cli.ending import READER_GONE

PODIUM = (sys.executable, "-m", "tui")
WAITING = {
    "name": "followed",
    "version": 1,
    "tasks": [{"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}],
}


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_events_are_followed_over_a_crash_each_once_until_the_end(sturdy_suite: Suite) -> None:
    sturdy_suite.apply(WAITING)
    id_ = sturdy_suite.podium("run", "followed").stdout.strip()
    with subprocess.Popen(
        [*PODIUM, "events", id_, "-f", "--output", "json", "--home", str(sturdy_suite.home)],
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        killed = sturdy_suite.kill("executor")
        until(lambda: sturdy_suite.pids.get("executor", killed) != killed, 20, "another executor")
        done = sturdy_suite.podium("complete-task", id_, "hold", "--output", "json")
        followed = events(first + following.stdout.read())

    assert done.returncode == 0, done.stderr
    assert [each["number"] for each in followed] == list(range(1, len(followed) + 1))
    assert followed[-1]["to"] == "COMPLETED"
    assert followed == events(sturdy_suite.podium("events", id_, "--output", "json").stdout)
    resumed = sturdy_suite.podium("events", id_, "--from", "3", "--output", "json")
    assert events(resumed.stdout) == followed[2:]


def test_who_leaves_a_pipe_ends_what_follows_also_where_nothing_comes(suite: Suite) -> None:
    following = subprocess.Popen(
        [*PODIUM, "audit", "--follow", "--home", str(suite.home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert following.stderr is not None
    # An entry: its number first.
    assert following.stdout.readline().split()[0].isdecimal()
    following.stdout.close()

    assert following.wait(20) == 141
    assert following.stderr.read() == ""
    following.stderr.close()


def test_the_audit_log_is_asked_by_the_grammar_of_all_lists(suite: Suite) -> None:
    suite.apply({**WAITING, "name": "audited"})

    shown = suite.podium("audit", "kind:workflow name:audited", "--output", "json")

    (entry,) = events(shown.stdout)
    assert (entry["action"], entry["principal"]) == ("create", "application:admin")
    assert suite.podium("audit", "nobody:x").returncode == 2
    nothing = suite.podium("audit", "name:never-there")
    assert (nothing.stdout, nothing.stderr) == ("", "podium: No entry matches.\n")


def test_the_log_is_asked_by_the_grammar_of_all_lists(suite: Suite) -> None:
    shown = suite.podium("log", "--query", "NOT level:debug service:edge,registry", "--limit", "3")
    none = suite.podium("log", "--query", "service:nobody")

    assert shown.returncode == none.returncode == 0
    assert 1 <= len(shown.stdout.splitlines()) <= 3
    assert all(" edge " in each or " registry " in each for each in shown.stdout.splitlines())
    assert (none.stdout, none.stderr) == ("", "podium: No entry matches.\n")
    assert suite.podium("log", "--query", "nothing:x").returncode == 2


def test_the_engine_is_told_once_with_what_was(suite: Suite) -> None:
    once = suite.podium("engine", "--history", "10m", "--output", "json")
    shown = json.loads(once.stdout)

    assert set(shown["executions"]) >= {"RUNNING", "FAILED"}
    assert shown["last"]["seconds"] >= 0
    assert isinstance(shown["history"], list)
    assert suite.podium("engine", "--history", "10m", "--watch").returncode == 2


@pytest.mark.parametrize("command", ["engine", "pulse"])
def test_figures_go_on_until_their_reader_leaves(suite: Suite, command: str) -> None:
    words = [*PODIUM, command, "--watch", "--output", "json", "--home", str(suite.home)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        told = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.stdout.close()

        assert watching.wait(20) == READER_GONE
    assert told[0].keys() == told[1].keys()


def test_who_watches_is_told_the_parent_and_what_was_started(suite: Suite) -> None:
    ends = {"name": "ends", "taskReferenceName": "ends", "type": "NOOP"}
    part = {
        "name": "part", "taskReferenceName": "part", "type": "SUB_WORKFLOW",
        "subWorkflowParam": {"name": "part-of-kin"},
    }  # fmt: skip
    suite.apply(
        {"kind": "workflow", "name": "part-of-kin", "version": 1, "tasks": [ends]},
        {"kind": "workflow", "name": "kin", "version": 1, "tasks": [part]},
    )
    id_ = suite.podium("run", "kin").stdout.strip()

    above = suite.podium("watch", id_).stdout
    child = above.partition("part started ")[2].split()[0]

    assert f"parent {id_}" in suite.podium("watch", child).stdout.splitlines()
    assert "parent" not in above
