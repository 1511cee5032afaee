"""The log of the three services from outside: merged, followed over restarts, without secrets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import expose, http, parsed
from tests.system.running import HEEDING_CTRL_C, Suite, post, suite_in, until


def entries(suite: Suite, *arguments: str) -> list[dict[str, str]]:
    shown = suite.podium("log", "--output", "json", *arguments)
    assert shown.returncode == 0, shown.stderr
    return [parsed(line) for line in shown.stdout.splitlines()]


def test_a_broken_route_is_found_by_its_request_s_id(suite: Suite) -> None:
    noop = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    suite.apply(*expose("logged", noop, route={"postResponseScript": "nothing.there"}))
    answer = post(f"{suite.gateway}/logged", headers=suite.caller("logged"), json={})
    request_id = answer.headers["x-request-id"]

    (first, *_) = entries(suite, "--request", request_id, "--level", "warn")
    assert first["service"] == "edge"
    assert first["request_id"] == request_id
    shown = suite.podium("log", "--request", request_id, "--limit", "1")
    assert shown.stdout.count("\n") == 1
    assert request_id in shown.stdout
    assert entries(suite, "--request", request_id, "--service", "registry") == []
    assert entries(suite, "no such text anywhere") == []


def test_whoever_follows_hears_of_a_service_that_was_started_again(own_suite: Suite) -> None:
    command = [sys.executable, "-m", "tui", "log", "--follow", "--home", str(own_suite.home)]
    out = own_suite.home.parent / "followed"
    with out.open("w") as written:
        following = subprocess.Popen(
            [*HEEDING_CTRL_C, *command], stdout=written, stderr=subprocess.STDOUT
        )
    try:
        # What the edge says of a registry that is away, and then is back.
        own_suite.kill("registry")
        until(lambda: "The registry is followed" in out.read_text(), 30, "the edge's entry")
        old = own_suite.kill("edge")
        until(lambda: own_suite.pids.get("edge", old) != old, 30, "the edge is back")
        before = len(out.read_text())
        own_suite.kill("registry")
        until(lambda: "edge " in out.read_text()[before:], 30, "an entry of the edge that is new")
        assert following.poll() is None
    finally:
        following.send_signal(signal.SIGINT)
        following.wait(10)


def test_no_key_or_token_that_a_request_carries_is_ever_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: str
) -> None:
    monkeypatch.setenv("PODIUM_LOG_LEVEL", "debug")
    with suite_in(tmp_path) as suite:
        secret = {"kind": "secret", "name": "upstream", "value": "s3cret-of-upstream"}
        call = http("c", f"{upstream}/status/500", headers={"X-Up": "${workflow.secrets.upstream}"})
        suite.apply(secret, *expose("quiet", call))
        url, key = f"{suite.gateway}/quiet", suite.keys["quiet"]
        httpx.post(url, headers={"x-api-key": key}, json={}, timeout=30)
        httpx.post(url, headers={"x-api-key": "wr0ng-key"}, json={})
        httpx.post(f"{url}?api_key=k3y-in-query", headers={"authorization": "Bearer t0ken"})
        httpx.post(f"{suite.gateway}/-/callbacks/c4llback-token")
        httpx.get(f"{suite.management}/api/workflow/x", headers={"x-authorization": "m4nage-token"})
        token = parsed((suite.home / "token.json").read_text())["token"]
        credentials = parsed((suite.home / "credentials.json").read_text())

        shown = suite.podium("log", "--limit", "10000", "--output", "json").stdout
        assert "was answered 401" in shown
        written = shown + suite.log.read_text()
        secrets = [key, "wr0ng-key", "k3y-in-query", "t0ken", "c4llback-token", "m4nage-token"]
        secrets += [token, "s3cret-of-upstream"]
        secrets += [value for name, value in credentials.items() if "ecret" in name]
        assert [each for each in secrets if each in written] == []


def test_a_service_that_is_away_is_told_and_the_others_are_shown(sturdy_suite: Suite) -> None:
    # Stopped, it cannot answer, and nobody starts it again.
    pid = sturdy_suite.pids["executor"]
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = sturdy_suite.podium("log")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert shown.returncode == 1
    assert re.search(r"the executor at \S+ cannot be reached", shown.stderr)
