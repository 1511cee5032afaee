"""The gateway's figures from outside: by command, for Prometheus, and after a kill."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.system.conftest import expose
from tests.system.running import Suite, post, until

ECHO = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "INLINE",
    "inputParameters": {"evaluatorType": "javascript", "expression": "1"},
}
FAILING = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "TERMINATE",
    "inputParameters": {"terminationStatus": "FAILED"},
}
# Runs a command that heeds Ctrl-C, also where what runs these tests was started to ignore it.
HEEDING_INTERRUPTS = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])",
)


def measured(suite: Suite, *arguments: str) -> dict[str, Any]:
    done = suite.podium("metrics", *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def statuses(report: dict[str, Any]) -> dict[tuple[int, str | None], int]:
    return {(each["status"], each["problem"]): each["count"] for each in report["answers"]}


def test_what_was_answered_is_told_by_route_and_key(suite: Suite) -> None:
    limits = {"rateLimits": [{"name": "few", "limit": 3, "windowSeconds": 3600}]}
    suite.apply(*expose("measured", ECHO, route={"path": "/{id}", **limits}))
    suite.apply(*expose("measured-failing", FAILING))
    url, key = f"{suite.gateway}/measured/7", suite.caller("measured")
    for _ in range(3):
        assert post(url, headers=key).status_code == 200
    assert post(url, headers=key).status_code == 429
    assert httpx.post(url, headers={"X-API-Key": "wrong"}).status_code == 401
    failing = post(f"{suite.gateway}/measured-failing", headers=suite.caller("measured-failing"))
    assert failing.status_code == 502

    report = measured(suite, "measured", "post", "/{id}", "--by", "key")
    assert statuses(report) == {
        (200, None): 3,
        (429, "quota-exceeded"): 1,
        (401, "unauthenticated"): 1,
    }
    assert report["limited"] == 1
    assert report["executions"]["successRatio"] == 1.0
    assert report["latencyMs"]["p50"] <= report["latencyMs"]["p99"]
    assert {row["key"]: row["requests"] for row in report["rows"]} == {
        "key:measured/default": 4,
        "": 1,
    }
    assert measured(suite, "measured", "--key", "key:measured/default")["requests"] == 4
    assert measured(suite, "measured-failing")["executions"]["successRatio"] == 0.0
    minutes = measured(suite, "measured", "--by", "minute", "--since", "10m")["rows"]
    assert sum(row["requests"] for row in minutes) == 5

    told = suite.podium("metrics", "measured", "POST", "/measured/{id}", "--by", "route")
    assert "429 quota-exceeded 1" in told.stdout
    assert "POST /measured/{id}" in told.stdout
    assert suite.podium("metrics", "measured", "POST").returncode == 2
    assert suite.podium("metrics", "--since", "25h").returncode == 2


def test_prometheus_scrapes_with_the_suites_key(suite: Suite) -> None:
    suite.apply(*expose("scraped", ECHO, route={"path": "/{id}"}))
    for path in ("1", "2", "no/such/thing"):
        post(f"{suite.gateway}/scraped/{path}", headers=suite.caller("scraped"))
    credentials = json.loads((suite.home / "credentials.json").read_text())
    auth = httpx.BasicAuth(credentials["keyId"], credentials["keySecret"])

    scraped = httpx.get(f"{suite.management}/metrics", auth=auth)

    assert scraped.status_code == 200, scraped.text
    requests = [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(scraped.text)
        for sample in family.samples
        if sample.name == "podium_gateway_requests_total"
    ]
    labels = {"service": "scraped", "method": "POST", "route": "/scraped/{id}", "status": "200"}
    assert (labels, 2.0) in requests
    assert all("such" not in each["route"] for each, _ in requests)
    assert httpx.get(f"{suite.management}/metrics").status_code == 401
    assert httpx.get(f"{suite.gateway}/metrics").status_code == 404
    wrong = base64.b64encode(b"nobody:nothing").decode()
    refused = httpx.get(f"{suite.management}/metrics", headers={"Authorization": f"Basic {wrong}"})
    assert refused.status_code == 401


def test_who_watches_sees_it_change(suite: Suite) -> None:
    suite.apply(*expose("watched", ECHO))
    command = [sys.executable, "-m", "tui", "metrics", "watched", "--watch", "--output", "json"]
    watching = subprocess.Popen(
        [*HEEDING_INTERRUPTS, *command, "--home", str(suite.home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    try:
        assert json.loads(watching.stdout.readline())["requests"] == 0
        post(f"{suite.gateway}/watched", headers=suite.caller("watched"))
        while json.loads(watching.stdout.readline())["requests"] != 1:
            pass
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(20)
        watching.stdout.close()
    assert watching.returncode == 130


def used(suite: Suite, name: str) -> str | None:
    done = suite.podium("keys", name, "--output", "json")
    assert done.returncode == 0, done.stderr
    [key] = json.loads(done.stdout)
    last: str | None = key["lastUsedAt"]
    return last


@pytest.mark.timeout(120)
def test_figures_and_uses_outlive_a_stop_and_a_kill_costs_a_minute_at_most(
    own_suite: Suite,
) -> None:
    suite = own_suite
    suite.apply(*expose("kept", ECHO))
    assert used(suite, "kept") is None
    url, key = f"{suite.gateway}/kept", suite.caller("kept")
    assert post(url, headers=key).status_code == 200
    at = used(suite, "kept")
    assert at is not None
    assert "LAST USED" in suite.podium("keys", "kept").stdout

    suite.stop()
    assert suite.start().startswith("ready")
    assert measured(suite, "kept")["requests"] == 1
    assert used(suite, "kept") == at

    killed = suite.kill("edge")
    until(lambda: suite.pids.get("edge", killed) != killed, 30, "the edge is back")
    assert measured(suite, "kept")["requests"] == 1
    assert used(suite, "kept") == at
    assert post(url, headers=key).status_code == 200
    assert measured(suite, "kept")["requests"] == 2


def test_metrics_name_what_is_wrong(suite: Suite) -> None:
    for route in ((), ("GET", "/x")):
        unknown = suite.podium("metrics", "no-such-service", *route, "--output", "json")
        assert (unknown.returncode, unknown.stdout) == (1, "")
        assert "there is no service 'no-such-service' here" in unknown.stderr
    refused = suite.podium("metrics", "--by", "nothing")
    assert refused.returncode == 2
    assert "minute" in refused.stderr
