"""Completion webhooks from outside: a real receiver verifies them, fails, comes back, goes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.system.conftest import expose
from tests.system.running import Suite, post, suite_in

KEY, NEW_KEY = "whsec_" + "b3dl" * 10, "whsec_" + "bmV3" * 10
SECRET = {"kind": "secret", "name": "WEBHOOK_KEY", "value": KEY}
DONE = {"name": "x", "taskReferenceName": "x", "type": "NOOP"}
FAIL = {
    "name": "x",
    "taskReferenceName": "x",
    "type": "TERMINATE",
    "inputParameters": {"terminationStatus": "FAILED", "terminationReason": "No stock."},
}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that tries again soon, thrice, and that tests may kill."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODIUM_WEBHOOK_DELAYS_SECONDS", "0.1,0.1,0.1")
        with suite_in(tmp_path_factory.mktemp("hooks")) as suite:
            suite.apply(SECRET)
            yield suite


class Receiver:
    """What it was told, and how it answers: ``answer`` gives the status, given how many came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.got: list[tuple[str, dict[str, str]]] = []
        self.answer: Callable[[int], int] = lambda _: 204

    def take(self, body: str, headers: dict[str, str]) -> int:
        self.got.append((body, headers))
        return self.answer(len(self.got))

    def told(self, number: int = -1, key: str = KEY) -> dict[str, Any]:
        body, headers = self.got[number]
        verified: dict[str, Any] = Webhook(key).verify(body, headers)
        return verified

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(hook.take(body, headers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks?token=t0ken")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    limit = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.02)
    return answer


def hooked(name: str, task: dict[str, Any], webhook: dict[str, Any], **route: Any) -> list[Any]:
    told = {"secretName": "WEBHOOK_KEY", **webhook}
    given = {"workflowExecutionMode": "ASYNCHRONOUS", "completionWebhook": told, **route}
    output = {"outputParameters": {"n": "${workflow.input.n}"}}
    return expose(name, task, route=given, workflow=output)


def call(suite: Suite, name: str, **fields: Any) -> httpx.Response:
    answer = post(f"{suite.gateway}/{name}", json={"n": 7, **fields}, headers=suite.caller(name))
    assert answer.status_code == 202, answer.text
    return answer


def shown(suite: Suite, execution_id: str) -> dict[str, Any]:
    """How the telling stands, by `podium watch`."""
    done = suite.podium("watch", execution_id, "--output", "json")
    told: dict[str, Any] = json.loads(done.stdout)["completionWebhook"]
    return told


def test_the_end_is_told_and_leads_to_the_answer(hooks: Suite, receiver: Receiver) -> None:
    hooks.apply(*hooked("told", DONE, {"url": receiver.url}))

    answer = call(hooks, "told")
    until(lambda: receiver.got)
    told = receiver.told()
    execution_id = answer.json()["executionId"]
    delivered = until(lambda: (s := shown(hooks, execution_id))["status"] == "DELIVERED" and s)
    watched = hooks.podium("watch", execution_id)

    assert told["type"] == "execution.completed"
    data = told["data"]
    assert data["location"] == hooks.gateway + answer.headers["location"]
    assert {**data, "location": ""} == {
        "executionId": execution_id,
        "workflow": "told",
        "status": "COMPLETED",
        "location": "",
        "output": {"n": 7},
    }
    fetched = httpx.get(data["location"], headers=hooks.caller("told"))
    assert (fetched.status_code, fetched.json()) == (200, {"n": 7})
    assert delivered["url"] == receiver.url.partition("?")[0]
    assert delivered["lastStatusCode"] == 204
    assert f"webhook {delivered['url']}  DELIVERED  attempt 1  204" in watched.stdout
    assert "t0ken" not in watched.stdout + hooks.log.read_text()


def test_a_receiver_that_fails_is_told_again_and_one_that_is_gone_is_not(
    hooks: Suite, receiver: Receiver
) -> None:
    hooks.apply(*hooked("again", FAIL, {"url": receiver.url}))
    receiver.answer = lambda count: 503 if count < 3 else 200
    with receiving() as gone, receiving() as broken:
        gone.answer, broken.answer = lambda _: 410, lambda _: 500
        hooks.apply(*hooked("gone", DONE, {"url": gone.url}))
        hooks.apply(*hooked("broken", DONE, {"url": broken.url}))
        never = call(hooks, "gone").json()["executionId"]
        vain = call(hooks, "broken").json()["executionId"]
        call(hooks, "again")

        until(lambda: len(receiver.got) == 3)
        given_up = until(lambda: (s := shown(hooks, vain))["status"] == "GIVEN_UP" and s)
        until(lambda: shown(hooks, never)["status"] == "GIVEN_UP")

    assert len(set(receiver.ids)) == 1
    assert receiver.told(0) == receiver.told(2)
    assert receiver.told()["type"] == "execution.failed"
    assert "reason" not in receiver.told()["data"]
    assert len(gone.got) == 1
    assert (given_up["attempts"], len(broken.got)) == (4, 4)
    assert given_up["lastError"] == "The receiver answered 500."


def test_a_delivery_survives_the_death_of_the_executor(hooks: Suite, receiver: Receiver) -> None:
    hooks.apply(*hooked("killed", DONE, {"url": receiver.url}))
    died = threading.Event()

    def late(count: int) -> int:
        # The first answer comes when nobody is there to hear it.
        if count == 1:
            died.wait(20)
        return 204

    receiver.answer = late
    execution_id = call(hooks, "killed").json()["executionId"]
    until(lambda: receiver.got)
    pid = hooks.kill("executor")
    until(lambda: hooks.pids.get("executor", pid) != pid)
    died.set()

    until(lambda: len(receiver.got) == 2)
    until(lambda: shown(hooks, execution_id)["status"] == "DELIVERED")
    assert receiver.ids[0] == receiver.ids[1]
    assert receiver.told(0) == receiver.told(1)


def test_a_key_is_changed_without_a_gap(hooks: Suite, receiver: Receiver) -> None:
    secret = {"kind": "secret", "name": "ROTATED"}
    hooks.apply(
        {**secret, "value": KEY},
        *hooked("rotated", DONE, {"url": receiver.url, "secretName": "ROTATED"}),
    )
    for value in (KEY, f"{NEW_KEY} {KEY}", NEW_KEY):
        hooks.apply({**secret, "value": value})
        before = len(receiver.got)
        call(hooks, "rotated")
        until(lambda before=before: len(receiver.got) > before)  # type: ignore[misc]

    assert receiver.told(1, KEY) == receiver.told(1, NEW_KEY)
    assert receiver.told(2, NEW_KEY)
    for number, key in ((0, NEW_KEY), (2, KEY)):
        with pytest.raises(WebhookVerificationError):
            receiver.told(number, key)
    refused = hooks.podium("delete", "secret", "ROTATED")
    assert refused.returncode == 1
    assert "service 'rotated'" in refused.stderr
    for name in ("executor.db", "executor.db-wal", "edge.db"):
        assert NEW_KEY.encode() not in (hooks.home / name).read_bytes()


def test_a_caller_says_who_is_told_but_not_whom_nobody_may_call(
    hooks: Suite, receiver: Receiver
) -> None:
    hooks.apply(*hooked("callers", DONE, {"callerUrl": True}))
    url = f"{hooks.gateway}/callers"
    headers = hooks.caller("callers")

    bad = post(url, json={"callbackUrl": "http://me:too@127.0.0.1/"}, headers=headers)
    metadata = call(hooks, "callers", callbackUrl="http://169.254.169.254/latest/meta-data")
    call(hooks, "callers", callbackUrl=receiver.url)
    nobody = call(hooks, "callers")
    until(lambda: receiver.got)
    refused = until(lambda: (s := shown(hooks, metadata.json()["executionId"]))["attempts"] and s)
    untold = hooks.podium("watch", nobody.json()["executionId"], "--output", "json")

    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/callbackUrl")
    assert "egress policy does not allow it" in refused["lastError"]
    assert (refused["status"], refused["attempts"]) == ("GIVEN_UP", 1)
    assert "lastStatusCode" not in refused
    assert "completionWebhook" not in json.loads(untold.stdout)
    assert receiver.told()["data"]["output"] == {"n": 7}


def test_what_cannot_be_told_is_refused_when_it_is_put(hooks: Suite) -> None:
    webhook = {"url": "https://partner.example/", "secretName": "NOBODYS"}
    documents = hooked("refused", DONE, webhook, workflowExecutionMode="SYNCHRONOUS")

    put = hooks.podium(
        "apply", "-", text="\n---\n".join(json.dumps(document) for document in documents)
    )

    assert put.returncode == 1
    assert "needs workflowExecutionMode: ASYNCHRONOUS" in put.stderr
    documents = hooked("refused", DONE, webhook)
    unknown = hooks.podium(
        "apply", "-", text="\n---\n".join(json.dumps(document) for document in documents)
    )
    assert unknown.returncode == 1
    assert "there is no secret 'NOBODYS'" in unknown.stderr
