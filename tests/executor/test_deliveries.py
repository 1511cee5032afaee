"""An end reaches whom it was promised to, whatever the receiver and the process do."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Receiver, WebhookVerificationError

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor.deliveries import Terms
from services.executor.upkeep import Upkeep
from services.rpc import raising_ours
from tests.executor.rig import (
    ADMIN,
    Rig,
    Upstream,
    executing,
    put,
    replica_of,
    secret,
    step,
    upstream,
    workflow,
)

KEY, NEW_KEY = "whsec_" + "b3dl" * 10, "whsec_" + "bmV3" * 10
SOON = Terms(delays=(timedelta(milliseconds=30), timedelta(milliseconds=30)))
LATER = Terms(delays=(timedelta(hours=1),))
DONE = workflow("done", step("x", "NOOP"), outputParameters={"n": 1})
WAITING = workflow("waiting", step("x", "WAIT", duration="1 hour"))
FAILING = workflow("failing", step("x", "TERMINATE", terminationStatus="FAILED"))


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


Answers = list[int | web.Response]


class Hook:
    """A receiver: what came, and what it answers, the last for ever."""

    def __init__(self, *answers: int | web.Response) -> None:
        self.answers: Answers = list(answers or (204,))
        self.got: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.got.append((await request.text(), dict(request.headers)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=answer) if isinstance(answer, int) else answer

    def told(self, number: int = 0, key: str = KEY) -> dict[str, Any]:
        """What came, verified as a receiver does."""
        body, headers = self.got[number]
        verified: dict[str, Any] = Receiver(key).verify(body, headers)
        return verified

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers in self.got]


def webhook(remote: Upstream | str, **more: Any) -> dict[str, Any]:
    url = remote if isinstance(remote, str) else f"{remote.url}/hook?token=t0p"
    fields = {"secret_name": "KEY", "location": "/-/executions/x?t=y", **more}
    return {"completion_webhook": pb.CompletionWebhook(url=url, **fields)}


async def delivery_of(rig: Rig, execution_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((await rig.get(execution_id)).document)
    told: dict[str, Any] = document["completionWebhook"]
    return told


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while True:
            answer = holds()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.01)


async def stands(rig: Rig, execution_id: str, status: str, attempts: int = 1) -> dict[str, Any]:
    """How it stands, once it stands so."""

    async def so() -> bool:
        now = await delivery_of(rig, execution_id)
        return (now["status"], now["attempts"]) == (status, attempts)

    await until(so)
    return await delivery_of(rig, execution_id)


async def test_an_end_is_told_signed_and_noted(tmp_path: Path) -> None:
    hook = Hook()
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)]) as rig,
    ):
        result = await rig.run("done", **webhook(remote, with_output=True))
        delivered = await stands(rig, result.execution_id, "DELIVERED")
        message = (await rig.get(result.execution_id)).completion_webhook

    told = hook.told()
    assert told["type"] == "execution.completed"
    assert told["data"] == {
        "executionId": result.execution_id,
        "workflow": "done",
        "status": "COMPLETED",
        "location": "http://gateway.example/-/executions/x?t=y",
        "output": {"n": 1},
    }
    assert hook.got[0][1]["Content-Type"] == "application/json"
    assert delivered["url"] == f"{remote.url}/hook"
    assert delivered["lastStatusCode"] == 204
    assert delivered["deliveredAt"] > 0
    assert "nextAttemptAt" not in delivered
    assert message.status == pb.WEBHOOK_STATUS_DELIVERED
    assert message.HasField("delivered_at")
    assert len(hook.got) == 1


async def test_an_execution_without_one_shows_none(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [DONE]) as rig:
        answer = await rig.get((await rig.run("done")).execution_id)

    assert not answer.HasField("completion_webhook")
    assert "completionWebhook" not in json.loads(answer.document)


async def test_a_receiver_that_fails_is_asked_again_under_the_same_id(tmp_path: Path) -> None:
    hook = Hook(500, web.Response(status=302, headers={"Location": "/other"}), 200)
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=SOON) as rig,
    ):
        result = await rig.run("done", **webhook(remote))
        await stands(rig, result.execution_id, "DELIVERED", attempts=3)

    assert len(set(hook.ids)) == 1
    assert [path for path, _ in remote.asked] == ["/hook"] * 3
    assert hook.told(0) == hook.told(2)


async def test_it_is_given_up_after_the_last_attempt_or_at_once_where_nobody_is(
    tmp_path: Path,
) -> None:
    never, gone = Hook(500), Hook(410)
    async with (
        upstream(hook=never, gone=gone) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=SOON) as rig,
    ):
        first = await rig.run("done", **webhook(remote))
        second = await rig.run("done", **webhook(f"{remote.url}/gone"))
        given_up = await stands(rig, first.execution_id, "GIVEN_UP", attempts=3)
        at_once = await stands(rig, second.execution_id, "GIVEN_UP", attempts=1)

    assert given_up["lastError"] == "The receiver answered 500."
    assert at_once["lastStatusCode"] == 410
    assert (len(never.got), len(gone.got)) == (3, 1)
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT DISTINCT body FROM webhooks").fetchall() == [("",)]


async def test_a_large_or_endless_answer_is_an_answer(tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        # Until the other side has had enough of it.
        while True:
            await response.write(b"x" * 65536)

    async with (
        upstream(hook=endless) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)]) as rig,
    ):
        result = await rig.run("done", **webhook(remote))
        delivered = await stands(rig, result.execution_id, "DELIVERED")

    assert delivered["lastStatusCode"] == 200


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest", "egress policy"),
        ("http://[::ffff:169.254.169.254]/", "egress policy"),
        ("http://10.0.0.1/", "egress policy"),
        ("http://127.0.0.1:1/", "refused the connection"),
        ("http://hook.invalid/", "There is no host"),
    ],
)
async def test_what_may_not_or_cannot_be_called_is_told(
    tmp_path: Path, url: str, reason: str
) -> None:
    async with executing(
        tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=Terms(delays=())
    ) as rig:
        result = await rig.run("done", **webhook(url))
        given_up = await stands(rig, result.execution_id, "GIVEN_UP")

    assert reason in given_up["lastError"]
    assert "lastStatusCode" not in given_up


async def test_a_secret_that_cannot_sign_is_waited_for_and_never_stored(tmp_path: Path) -> None:
    hook = Hook()
    replica = replica_of(DONE)
    patient = Terms(delays=(timedelta(milliseconds=20),) * 1000)
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", replica, terms=patient) as rig,
    ):
        result = await rig.run("done", **webhook(remote))

        async def says(text: str) -> bool:
            return text in str((await delivery_of(rig, result.execution_id)).get("lastError"))

        await until(lambda: says("There is no secret 'KEY'"))
        put(replica, secret("KEY", "s3cr3t-word"))
        await until(lambda: says("The secret 'KEY' cannot sign: its key 1 does not begin with"))
        assert not hook.got
        put(replica, secret("KEY", f"{NEW_KEY} {KEY}"))
        await until(lambda: len(hook.got) == 1)

    assert hook.told(key=KEY) == hook.told(key=NEW_KEY)
    with pytest.raises(WebhookVerificationError):
        hook.told(key="whsec_" + "A" * 32)
    stored = contents(tmp_path)
    assert b"s3cr3t" not in stored
    assert b"bmV3bmV3" not in stored


async def test_every_end_is_told_and_another_end_anew(tmp_path: Path) -> None:
    hook = Hook()
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [WAITING, FAILING, secret("KEY", KEY)]) as rig,
    ):
        ended = await rig.begin("waiting", **webhook(remote))
        assert (await delivery_of(rig, ended)) == {
            "url": f"{remote.url}/hook", "status": "PENDING", "attempts": 0
        }  # fmt: skip
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=ended, reason="Enough."), metadata=ADMIN
        )
        await stands(rig, ended, "DELIVERED")
        again = pb.RestartExecutionRequest(execution_id=ended)
        await rig.stub.RestartExecution(again, metadata=ADMIN)
        assert (await delivery_of(rig, ended))["status"] == "PENDING"
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=ended), metadata=ADMIN
        )
        await until(lambda: len(hook.got) == 2)
        failed = await rig.begin("failing", **webhook(remote))
        await until(lambda: len(hook.got) == 3)

    kinds = [hook.told(n)["type"] for n in range(3)]
    assert kinds == ["execution.terminated"] * 2 + ["execution.failed"]
    assert len(set(hook.ids)) == 3
    assert hook.told(2)["data"]["executionId"] == failed
    assert "reason" not in hook.told(0)["data"]


async def test_what_was_not_told_yet_is_not_told_of_an_execution_that_runs_again(
    tmp_path: Path,
) -> None:
    hook = Hook(500, 204)
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [WAITING, secret("KEY", KEY)], terms=LATER) as rig,
    ):
        execution_id = await rig.begin("waiting", **webhook(remote))
        end = pb.TerminateExecutionRequest(execution_id=execution_id)
        await rig.stub.TerminateExecution(end, metadata=ADMIN)
        await stands(rig, execution_id, "PENDING", attempts=1)
        again = pb.RestartExecutionRequest(execution_id=execution_id)
        await rig.stub.RestartExecution(again, metadata=ADMIN)
        withdrawn = await delivery_of(rig, execution_id)
        await rig.stub.TerminateExecution(end, metadata=ADMIN)
        await stands(rig, execution_id, "DELIVERED", attempts=1)

    assert withdrawn["attempts"] == 0
    assert "nextAttemptAt" not in withdrawn
    assert len(set(hook.ids)) == 2


async def test_a_process_that_died_left_the_schedule_where_it_was(tmp_path: Path) -> None:
    hook = Hook(500, 500, 204)
    definitions = [DONE, secret("KEY", KEY)]
    async with upstream(hook=hook) as remote:
        async with executing(tmp_path / "x.db", definitions, terms=LATER) as rig:
            later = (await rig.run("done", **webhook(remote))).execution_id
            await stands(rig, later, "PENDING", attempts=1)
        with sqlite3.connect(tmp_path / "x.db") as db:
            db.execute("UPDATE webhooks SET next_at = 0")
        db.close()
        async with executing(tmp_path / "x.db", definitions, terms=SOON) as rig:
            await stands(rig, later, "DELIVERED", attempts=3)

    assert len(set(hook.ids)) == 1


async def test_a_delivery_under_way_when_the_process_ends_is_made_again(tmp_path: Path) -> None:
    arrived, hook = asyncio.Event(), Hook()
    definitions = [DONE, secret("KEY", KEY)]

    async def hang(request: web.Request) -> web.Response:
        hook.got.append((await request.text(), dict(request.headers)))
        if arrived.is_set():
            return web.Response()
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with upstream(hook=hang) as remote:
        async with executing(tmp_path / "x.db", definitions) as rig:
            execution_id = (await rig.run("done", **webhook(remote))).execution_id
            await asyncio.wait_for(arrived.wait(), 10)
        async with executing(tmp_path / "x.db", definitions) as rig:
            await stands(rig, execution_id, "DELIVERED", attempts=1)

    assert len(hook.got) == 2
    assert hook.ids[0] == hook.ids[1]


# Two hundred executions.
async def test_a_receiver_that_says_nothing_holds_up_no_other_and_little_is_held(
    tmp_path: Path,
) -> None:
    release, hook, waiting = asyncio.Event(), Hook(), 0
    few = Terms(per_receiver=2, in_all=4, held_per_receiver=6, held=12, ahead=10)

    async def dead(_: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        await release.wait()
        return web.Response()

    async with (
        upstream(hook=dead) as silent,
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=few) as rig,
    ):
        told = [(await rig.run("done", **webhook(silent))).execution_id for _ in range(100)]
        await until(lambda: waiting == 2)
        other = (await rig.run("done", **webhook(remote))).execution_id
        await stands(rig, other, "DELIVERED")

        deliveries = rig.runtime.deliveries
        assert waiting == 2
        assert len(deliveries) == 2
        assert len(deliveries.timers) <= few.held_per_receiver
        release.set()
        for each in told:
            await stands(rig, each, "DELIVERED")
    assert waiting == 100


async def test_more_than_is_held_of_many_receivers_are_told_in_the_end(tmp_path: Path) -> None:
    release, ids = asyncio.Event(), list[str]()
    few = Terms(per_receiver=1, in_all=2, held_per_receiver=2, held=3, ahead=5)

    async def slow(request: web.Request) -> web.Response:
        await release.wait()
        ids.append(request.headers["webhook-id"])
        return web.Response()

    async with (
        upstream(hook=slow) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=few) as rig,
    ):
        port = remote.url.rpartition(":")[2]
        hosts = ("127.0.0.1", "localhost", "127.1", "127.0.1", "0x7f.1")
        for number in range(60):
            url = f"http://{hosts[number % len(hosts)]}:{port}/hook"
            await rig.begin("done", **webhook(url))
        assert len(rig.runtime.deliveries.timers) <= few.held
        release.set()
        await until(lambda: len(ids) == 60)

    assert len(set(ids)) == 60


async def test_only_the_edge_may_say_whom_to_tell(tmp_path: Path) -> None:
    hook = Hook()
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)]) as rig,
    ):
        asked = pb.Start(workflow_name="done", **webhook(remote))
        request = pb.StartExecutionRequest(start=asked)
        begun = await rig.stub.StartExecution(request, metadata=ADMIN)
        with pytest.raises(InvalidRequest, match="url is longer"), raising_ours():
            await rig.run("done", **webhook("http://" + "x" * 3000))
        answer = await rig.get(begun.execution_id)

    assert not answer.HasField("completion_webhook")
    assert not hook.got


async def test_it_goes_with_its_execution(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [DONE, secret("KEY", KEY)], terms=LATER) as rig:
        execution_id = (await rig.run("done", **webhook("http://127.0.0.1:1/"))).execution_id
        await stands(rig, execution_id, "PENDING", attempts=1)
        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT count(*) FROM webhooks").fetchone() == (0,)
