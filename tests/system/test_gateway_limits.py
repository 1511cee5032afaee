"""Limits and kept answers as an operator sees them, over a restart of the gateway."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.system.conftest import expose, parsed
from tests.system.running import Suite, post, until

HOLD = {"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}
NOOP = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}


def limits(suite: Suite, service: str) -> list[dict[str, Any]]:
    shown = suite.podium("limits", service, "--output", "json")
    assert shown.returncode == 0, shown.stderr
    found: list[dict[str, Any]] = parsed(shown.stdout)
    return found


def test_a_caller_who_has_used_a_limit_up_is_let_in_again(suite: Suite) -> None:
    limit = {"name": "hourly", "key": "${principal}", "limit": 1, "windowSeconds": 3600}
    suite.apply(*expose("hourly", NOOP, route={"rateLimits": [limit]}))
    url, caller = f"{suite.gateway}/hourly", suite.caller("hourly")
    assert post(url, json={}, headers=caller).status_code == 200
    assert post(url, json={}, headers=caller).status_code == 429
    ((state,), (key,)) = (limits(suite, "hourly"), limits(suite, "hourly")[0]["keys"])

    assert (state["refused"], key["used"], key["limit"]) == (1, 1, 1)
    assert key["key"].startswith("key:hourly/")
    assert "1/1" in suite.podium("limits", "list", "hourly").stdout
    done = suite.podium("limits", "reset", "--id", key["id"])
    assert done.stdout == "1 reset\n", done.stderr
    assert post(url, json={}, headers=caller).status_code == 200
    assert suite.podium("limits", "nope").returncode == 1
    assert suite.podium("limits", "reset").returncode == 2


def test_whoever_holds_a_slot_is_known_after_the_gateway_was_killed(sturdy_suite: Suite) -> None:
    config = {"concurrentExecLimit": 1, "rateLimitKey": "${body.n}", "onFull": "QUEUE"}
    sturdy_suite.apply(*expose("held-slot", HOLD, route={"rateLimitConfig": config}))
    url, caller = f"{sturdy_suite.gateway}/held-slot", sturdy_suite.caller("held-slot")

    def busiest() -> dict[str, Any]:
        (state,) = limits(sturdy_suite, "held-slot")
        return state["keys"][0] if state["keys"] else {}

    def call() -> None:
        try:
            httpx.post(url, json={"n": 7}, headers=caller, timeout=60)
        except httpx.HTTPError:
            return

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(call)
        until(lambda: busiest().get("waiting") == 1, 20, "one waits for the other")
        before = busiest()
        old = sturdy_suite.kill("edge")
        until(lambda: sturdy_suite.pids.get("edge", old) != old, 30, "the gateway is back")
    until(lambda: busiest().get("waiting") == 0, 20, "nobody waits any more")

    assert (before["key"], before["used"]) == ("7", 1)
    after = busiest()
    assert (after["key"], after["executionIds"]) == (None, before["executionIds"])


def test_kept_answers_are_listed_and_shown(suite: Suite) -> None:
    suite.apply(*expose("kept-answers", NOOP, route={"cacheConfig": {"key": "${body.n}"}}))
    url, caller = f"{suite.gateway}/kept-answers", suite.caller("kept-answers")
    answer = post(url, json={"n": 7}, headers=caller)
    (entry,) = parsed(suite.podium("cache", "entries", "kept-answers", "--output", "json").stdout)

    assert (entry["key"], entry["status"], entry["hits"]) == ("7", 200, 0)
    assert "POST /kept-answers" in suite.podium("cache", "entries", "kept-answers").stdout
    whole = parsed(suite.podium("cache", "entry", entry["id"], "--output", "json").stdout)
    assert whole["body"] == answer.text
    assert answer.text in suite.podium("cache", "entry", entry["id"]).stdout
    suite.podium("cache", "purge", "kept-answers", "--key", entry["key"])
    assert suite.podium("cache", "entry", entry["id"]).returncode == 1
