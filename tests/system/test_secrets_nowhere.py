"""Secrets are used everywhere they can be, and given back in every form: nowhere is one found."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.leaks import Leaks, marker
from tests.system.commands import printed
from tests.system.conftest import expose
from tests.system.echoing import Echoes, echoing, forms
from tests.system.running import Suite, post, suite_in
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, settled
from tui.suite import find
from tui.views.addresses import parse

# A whole suite is run, with all that there is to be seen of it.
pytestmark = pytest.mark.timeout(300)

MARKS = {name: marker() for name in (
    "HEADER", "QUERY", "PATH", "BODY", "BASIC", "FORM", "WORKER", "META", "PAIR", "HOOK", "URI",
    "INBOUND", "CHILD", "OLD",
)}  # fmt: skip
VALUES: dict[str, str] = {
    "HEADER": f'hdr-{MARKS["HEADER"]}/+=="h1&<v>',
    "QUERY": f"qry {MARKS['QUERY']}/x+w&=%é",
    "PATH": f"pth/{MARKS['PATH']} x+w?#%2F",
    "BODY": f'bdy "{MARKS["BODY"]}" \\x/\nsecond <line> 77',
    "BASIC": f"bsc-{MARKS['BASIC']}:/@pass",
    "FORM": f"frm {MARKS['FORM']}/x&w=1",
    "WORKER": f"wrk-{MARKS['WORKER']}/xw+77",
    "META": f"mta-{MARKS['META']}/xw+77",
    "PAIR": json.dumps({"user": "ann", "password": f'pwd-{MARKS["PAIR"]} "77"'}),
    "HOOK": "whsec_" + b64encode(MARKS["HOOK"].encode() * 2).decode(),
    "URI": f"hooks/{MARKS['URI']}/services",
    "INBOUND": f"inb-{MARKS['INBOUND']}",
    "CHILD": f"chd-{MARKS['CHILD']}/==",
    "OLD": f"old-{MARKS['OLD']}/==",
}
WORKER = """
import sys
from podium_worker import Task, TaskFailed, run, worker

@worker("leaking")
def leaking(task: Task):
    for each in (task.input["given"], *task.runtime_metadata.values()):
        task.log(f"has {each!r} {each.encode().hex()}")
    task.progress(1, seen=task.input["given"])
    if task.attempt == 0:
        raise TaskFailed(f"failed with {task.input['given']}", {"again": task.input["given"]})
    given = task.input["given"]
    return {"given": given, "meta": [*task.runtime_metadata.values()], given: 1}

run(leaking, worker_id="leaks")
"""


def step(ref: str, kind: str, **given: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": given,
            "optional": True}  # fmt: skip


def secret(name: str) -> str:
    return f"${{workflow.secrets.{name}}}"


def calling(url: str) -> list[dict[str, Any]]:
    """Tasks that hand out every secret in each way."""
    host = url.removeprefix("http://")
    everywhere = {
        "method": "POST",
        "headers": {"X-Token": secret("HEADER"), "Authorization": f"Bearer {secret('HEADER')}"},
        "body": {"text": f"is {secret('BODY')}", "password": secret("PAIR.password")},
    }
    path = f"{secret('PATH')}/end?token={secret('QUERY')}&more=1"
    form = {"contentType": "application/x-www-form-urlencoded", "body": {"f": secret("FORM")}}
    sent = {"method": "POST", "uri": f"{url}/echo"}
    got = {"method": "GET"}
    polls = {"pollingInterval": 1, "terminationCondition": "$.output.response.body.done"}
    inner = step("inner", "SUB_WORKFLOW", all="${all.output}", why="${error.reasonForIncompletion}")
    return [
        *(
            step(kind, "HTTP", uri=f"{url}/{kind}/{path}", **everywhere)
            for kind in ("all", "text", "error", "broken")
        ),
        step("basic", "HTTP", uri=f"http://ann:{secret('BASIC')}@{host}/echo", **got),
        step("form", "HTTP", **sent, **form),
        step("whole", "HTTP", **sent, body=secret("PAIR")),
        step("redirect", "HTTP", uri=f"{url}/redirect/x?q={secret('QUERY')}", **got),
        step("uri", "HTTP", uri=secret("URI"), **got),
        step("nobody", "HTTP", uri=f"http://{secret('INBOUND')}.invalid/", **got),
        step("old", "HTTP", **sent, body=secret("OLD")),
        step("polled", "HTTP_POLL", uri=f"{url}/echo/{path}", **polls, **everywhere),
        step("worked", "SIMPLE", given=secret("WORKER")) | {"name": "leaking"},
        step("script", "INLINE", evaluatorType="javascript", expression="JSON.stringify($.all)",
             all="${all.output}"),
        inner | {"subWorkflowParam": {"name": "leaks-child"}},
    ]  # fmt: skip


def documents(url: str) -> Iterator[dict[str, Any]]:
    for name, value in VALUES.items():
        whole = f"{url}/echo/{value}" if name == "URI" else value
        yield {"kind": "secret", "name": name, "value": whole}
    yield {"kind": "task", "name": "leaking", "retryCount": 2, "retryDelaySeconds": 0,
           "runtimeMetadata": ["META"], "responseTimeoutSeconds": 60}  # fmt: skip
    child = step("child", "HTTP", uri=f"{url}/echo", method="GET", headers={"X-C": secret("CHILD")})
    told = {"all": "${workflow.input.all}", "child": "${child.output}"}
    yield {"name": "leaks-child", "version": 1, "tasks": [child], "outputParameters": told}
    yield {"kind": "webhook", "name": "leaks",
           "verifier": {"type": "HMAC", "header": "X-Sum", "secretName": "INBOUND"}}  # fmt: skip
    begun = {"name": "leaks-child", "input": {"all": "${body}", "text": secret("CHILD")}}
    yield {"kind": "event", "name": "leaks", "event": "webhook:leaks",
           "actions": [{"action": "start_workflow", "start_workflow": begun}]}  # fmt: skip
    yield {"kind": "schedule", "name": "leaks", "cronExpression": "*/5 * * * * *",
           "overlapPolicy": "SKIP", "startWorkflowRequest": begun}  # fmt: skip
    refs = ("all", "text", "worked", "polled", "inner", "script", "old")
    *others, service = expose(
        "leaks",
        *calling(url),
        workflow={"outputParameters": {ref: f"${{{ref}.output}}" for ref in refs}},
        route={
            "timeoutInSeconds": 120,
            "exposeDetails": True,
            "cacheConfig": {"key": "${body.n}", "ttlInSecond": 300},
        },
    )
    service["routes"].append({
        "httpMethod": "PUT", "path": "/", "mappedWorkflow": {"name": "leaks-child"},
        "workflowExecutionMode": "ASYNCHRONOUS",
        "completionWebhook": {"url": f"{url}/text", "secretName": "HOOK"},
    })  # fmt: skip
    for each in others:
        if each.get("kind") == "application":
            child_too = {"target": {"type": "workflow", "id": "leaks-child"}, "access": ["EXECUTE"]}
            each["permissions"].append(child_too)
        yield each
    yield service


@pytest.fixture(scope="module")
def echoes() -> Iterator[Echoes]:
    with echoing() as running:
        yield running


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory, echoes: Echoes) -> Iterator[Suite]:
    """A suite that logs all there is, with a worker, whose executions have used every secret."""
    folder = tmp_path_factory.mktemp("leaks")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODIUM_LOG_LEVEL", "debug")
        environment.setenv("PODIUM_LOG_FORMAT", "json")
        with suite_in(folder) as suite:
            suite.apply(*documents(echoes.url))
            (folder / "worker.py").write_text(WORKER)
            worker = subprocess.Popen(
                [sys.executable, str(folder / "worker.py")],
                env={**os.environ, "PODIUM_HOME": str(suite.home)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                yield suite
            finally:
                worker.kill()
                worker.wait()


def called(suite: Suite, leaks: Leaks) -> list[str]:
    """Call it in each way; the ids of executions."""
    url, headers = f"{suite.gateway}/leaks/", suite.caller("leaks")
    answer = post(url, json={"n": 1}, headers=headers, timeout=150)
    assert answer.status_code == 200, answer.text[:2000]
    leaks.look("answer", answer.content + str(answer.headers).encode())
    again = post(url, json={"n": 1}, headers=headers, timeout=150)
    leaks.look("kept answer", again.content + str(again.headers).encode())
    with httpx.stream(
        "POST", url, json={"n": 2}, headers={**headers, "Accept": "text/event-stream"}, timeout=150
    ) as streamed:
        leaks.look("events", b"".join(streamed.iter_bytes()))
    begun = httpx.put(url, json={"n": 3}, headers=headers, timeout=60)
    assert begun.status_code == 202, begun.text
    body = json.dumps({"type": "x"}).encode()
    for key in (VALUES["INBOUND"], "wrong"):
        signed = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        received = post(
            f"{suite.gateway}/-/webhooks/leaks", content=body, headers={"X-Sum": signed}
        )
        leaks.look("webhook", received.content)
    listed = suite.podium("executions", "--output", "json", "--limit", "50")
    return [each["workflowId"] for each in json.loads(listed.stdout)]


def commands(ids: list[str], folder: Path) -> list[tuple[str, ...]]:
    """Whatever an operator may look at."""
    of_each = [(*words, id_) for id_ in ids[:2] for words in (("watch",), ("events",))]
    return [
        *of_each,
        *(("watch", id_, "--output", "json") for id_ in ids[:6]),
        ("executions", "status:failed"), ("executions", *MARKS.values()), ("tasks",),
        ("tasks", "--output", "json"), ("audit", "--output", "json"), ("log", "--output", "json"),
        ("get", "secret"), ("get", "secret", "HEADER", "--output", "json"), ("secrets",),
        ("secrets", "keys"), ("history", "secret", "OLD"), ("breakers",), ("cache",), ("limits",),
        ("cache", "entries", "leaks", "--output", "json"), ("routes", "openapi", "leaks"),
        ("metrics", "--output", "json"), ("engine", "--output", "json"), ("event-runs",),
        ("schedules", "runs", "leaks"), ("queues",), ("workers",), ("pulse",), ("status",),
        ("export", str(folder / "exported")), ("backup", str(folder / "backup.tar")),
        ("run", "leaks-child", "--wait", "20", "--output", "json"),
    ]  # fmt: skip


def looked_at(suite: Suite, leaks: Leaks, ids: list[str], folder: Path) -> None:
    faulty = {"kind": "secret", "name": "HEADER", "value": [VALUES["HEADER"]], "other": 1}
    broken = f"kind: secret\nname: X\nvalue: '{VALUES['HEADER']}\n  x: ["
    asked = [*commands(ids, folder), ("apply", "--dry-run", "-"), ("apply", "-")]
    texts = {len(asked) - 2: json.dumps(faulty), len(asked) - 1: broken}
    told = printed(suite.home, asked, texts)
    for words, shown in zip([*asked, ("beside",)], told, strict=True):
        leaks.look(" ".join(words), shown)
    # What shows nothing hides everything.
    silent = [words for words, shown in zip(asked, told, strict=False) if not shown]
    crashed = [shown for shown in told if "Traceback" in shown]
    assert (silent, crashed) == ([], [])
    key = json.loads((suite.home / "credentials.json").read_text())
    metrics = httpx.get(f"{suite.management}/metrics", auth=(key["keyId"], key["keySecret"]))
    leaks.look("metrics", metrics.content)
    leaks.look("log", suite.log.read_bytes())


async def on_screen(suite: Suite, leaks: Leaks, ids: list[str]) -> None:
    """Look at what the console shows."""
    places = ["secrets", "executions", "audit", "log", "cache", "tasks-runs", "breakers"]
    places += [f"executions/{id_}/{tab}" for id_ in ids[:2] for tab in ("timeline", "json", "io")]
    there: Any = SimpleNamespace(suite=find(suite.home, {}))
    async with console_on(there, "secrets", size=(200, 60)) as pilot:
        for place in places:
            console: Any = pilot.app
            await console.go(parse(place))
            await settled()
            leaks.look(f"console {place}", screen_text(pilot.app))


async def test_no_secret_is_found_anywhere(leaky: Suite, echoes: Echoes, tmp_path: Path) -> None:
    leaks = Leaks(MARKS)
    # Another value now: what has the old one may still tell it.
    done = leaky.podium("secrets", "set", "OLD", text=f"new-{VALUES['OLD']}")
    assert done.returncode == 0, done.stderr
    leaks.look("secrets set", done.stdout + done.stderr)
    ids = called(leaky, leaks)
    assert len(ids) > 3
    looked_at(leaky, leaks, ids, tmp_path)
    await on_screen(leaky, leaks, ids)

    seen = "\n".join(echoes.seen)
    unused = {"WORKER", "META", "HOOK", "INBOUND", "OLD"}
    assert [name for name, each in MARKS.items() if each not in seen and name not in unused] == []
    assert leaks.look_in_files(tmp_path) > 3
    files = sorted(path.name for path in leaky.home.iterdir())
    assert "executor.db" in files
    leaks.look_in_files(leaky.home)
    assert sorted(set(leaks.found)) == []


def test_the_scan_finds_what_there_is(tmp_path: Path) -> None:
    for name, value in VALUES.items():
        for form in forms(value):
            leaks = Leaks({name: MARKS[name]})
            (tmp_path / "x").write_text(f"before {form} after")
            leaks.look_in_files(tmp_path)
            assert leaks.found or name == "HOOK", form
