"""Webhooks in a whole executor: taken in once, told to those who wait and to handlers."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import event_runs_pb2, executor_pb2, webhooks_pb2 as pb
from services.errors import InvalidRequest, NotFound, PermissionDenied, Unauthenticated
from services.executor.eventing.waits import _MATCHING, _PATH_SETS, path_sets
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, replica_of, secret, step, workflow

OPEN = {"kind": "webhook", "name": "shop", "verifier": {"type": "NONE"}, "idHeader": "x-id"}
SHARED = {
    "kind": "webhook",
    "name": "shared",
    "verifier": {"type": "HEADER", "secretName": "TOKEN", "header": "X-Token"},
}


def waiting(name: str = "waits", **matches: Any) -> dict[str, Any]:
    wanted = {f"$.{path}": value for path, value in matches.items()}
    return workflow(name, step("wait", "WAIT_FOR_WEBHOOK", webhook="shop", matches=wanted))


async def send(
    rig: Rig, body: Any, name: str = "shop", headers: Mapping[str, str] | None = None
) -> pb.ReceiveWebhookResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = pb.ReceiveWebhookRequest(
        name=name, headers=headers or {}, body=data, request_id=new_id()
    )
    return await rig.stub.ReceiveWebhook(request)


async def handled(rig: Rig) -> None:
    """Nothing that was told is left to be handled."""
    left = "SELECT count(*) FROM event_messages WHERE done_at IS NULL"
    async with asyncio.timeout(60):
        while await rig.store.readers.read(lambda db: db.execute(left).fetchone()[0]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def status(rig: Rig, execution_id: str) -> str:
    return str(json.loads((await rig.get(execution_id)).document)["status"])


async def test_who_waits_for_what_was_told_goes_on_and_nobody_else(tmp_path: Path) -> None:
    flow = waiting("waits", **{"order.id": "${workflow.input.id}", "kind": "paid"})
    documents = [OPEN, flow, waiting("any"), waiting("other", kind="sent")]
    async with executing(tmp_path / "executor.db", documents) as rig:
        meant = await rig.begin("waits", input={"id": 7})
        others = [await rig.begin("waits", input={"id": 8}), await rig.begin("other")]
        anything = await rig.begin("any")
        await send(rig, {"order": {"id": 7.0}, "kind": "paid", "more": [1]})
        result = await rig.ended(meant)
        await rig.ended(anything)
        await handled(rig)
        standing = [await status(rig, each) for each in others]

    assert json.loads(result.output) == {"order": {"id": 7.0}, "kind": "paid", "more": [1]}
    assert standing == ["RUNNING", "RUNNING"]


async def test_a_delivery_that_comes_again_is_taken_once(tmp_path: Path) -> None:
    loop = {**step("loop", "DO_WHILE"), "loopCondition": "$.loop['iteration'] < 3",
            "loopOver": [step("wait", "WAIT_FOR_WEBHOOK", webhook="shop")]}  # fmt: skip
    documents = [OPEN, workflow("waits", loop)]
    async with executing(tmp_path / "executor.db", documents, scripts=1) as rig:
        execution_id = await rig.begin("waits")
        first = await send(rig, {}, headers={"x-id": "1"})
        await handled(rig)
        again = await send(rig, {}, headers={"x-id": "1"})
        await handled(rig)
        tasks = json.loads((await rig.get(execution_id)).document)["tasks"]

    assert (first.known, again.known) == (False, True)
    assert first.message_id == again.message_id
    standing = {task["referenceTaskName"]: task["status"] for task in tasks}
    assert (standing["wait__1"], standing["wait__2"]) == ("COMPLETED", "IN_PROGRESS")


async def test_after_a_crash_those_that_were_meant_go_on_and_none_that_waits_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "executor.db"
    steps = [step(f"wait{n}", "WAIT_FOR_WEBHOOK", webhook="shop") for n in (1, 2)]
    flow = workflow("waits", *steps)
    replica = replica_of(OPEN, flow)
    async with executing(path, replica) as rig:
        execution_id = await rig.begin("waits")
        await send(rig, {"n": 1})
        await handled(rig)
    with sqlite3.connect(path) as db:
        # As if it had died once the task was ended, before that was noted.
        db.execute("UPDATE event_messages SET done_at = NULL")
        db.execute("UPDATE event_runs SET outcome = 'UNDER_WAY'")
    async with executing(path, replica) as rig:
        await handled(rig)
        tasks = json.loads((await rig.get(execution_id)).document)["tasks"]

    standing = {task["referenceTaskName"]: task["status"] for task in tasks}
    assert standing == {"wait1": "COMPLETED", "wait2": "IN_PROGRESS"}


async def test_a_webhook_is_an_event(tmp_path: Path) -> None:
    starts = {"action": "start_workflow",
              "start_workflow": {"name": "ship", "input": {"id": "${order.id}"}}}  # fmt: skip
    handler = {"kind": "event", "name": "h", "event": "webhook:shop", "actions": [starts],
               "active": True}  # fmt: skip
    ship = workflow("ship", step("done", "NOOP"))
    async with executing(tmp_path / "executor.db", [OPEN, handler, ship]) as rig:
        await send(rig, {"order": {"id": "a"}})
        await handled(rig)
        listed = await rig.stub.ListEventExecutions(
            event_runs_pb2.ListEventExecutionsRequest(event="webhook:shop"), metadata=ADMIN
        )
        started = await rig.get(listed.executions[0].target)

    assert json.loads(started.document)["input"]["id"] == "a"
    assert started.state.started_by == "event:h"


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        (b"", {}, {}),
        (b"[1, 2]", {}, {"body": [1, 2]}),
        (b'"text"', {"content-type": "text/plain"}, {"body": "text"}),
        (b"a=1&b=x+y&c=", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
         {"a": "1", "b": "x y", "c": ""}),
        (b"a=%FF%ED%A0%80", {"content-type": "application/x-www-form-urlencoded"},
         {"a": "\ufffd\ufffd\ufffd\ufffd"}),
    ],
)  # fmt: skip
async def test_bodies_of_any_shape_are_told(
    body: bytes, headers: Mapping[str, str], told: Any, tmp_path: Path
) -> None:
    async with executing(tmp_path / "executor.db", [OPEN, waiting()]) as rig:
        execution_id = await rig.begin("waits")
        await send(rig, body, headers=headers)
        result = await rig.ended(execution_id)

    assert json.loads(result.output) == told


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", ""),
        (b"\xff", ""),
        (b'{"a": NaN}', ""),
        (b'{"a": "\\u0000"}', ""),
        (b"a=%00", "application/x-www-form-urlencoded"),
        (b"%00=a", "application/x-www-form-urlencoded"),
        (b"a=\0", "application/x-www-form-urlencoded"),
        (b"&a" * 1001, "application/x-www-form-urlencoded"),
    ],
    ids=range(8),
)
async def test_a_body_that_cannot_be_read_is_refused(
    body: bytes, content_type: str, tmp_path: Path
) -> None:
    async with executing(tmp_path / "executor.db", [OPEN]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await send(rig, body, headers={"content-type": content_type})


async def test_who_does_not_know_the_secret_is_refused(tmp_path: Path) -> None:
    off = {**SHARED, "name": "off", "enabled": False}
    lost = {**SHARED, "name": "lost",
            "verifier": {"type": "HEADER", "secretName": "GONE", "header": "X-Token"}}  # fmt: skip
    documents: list[dict[str, Any]] = [SHARED, off, lost, secret("TOKEN", "right")]
    async with executing(tmp_path / "executor.db", documents) as rig:
        await send(rig, {}, "shared", {"x-token": "right"})
        for headers in ({}, {"x-token": "wrong"}, {"x-token": ""}):
            with pytest.raises(Unauthenticated), raising_ours():
                await send(rig, b"{", "shared", headers)
        with pytest.raises(Unauthenticated), raising_ours():
            await send(rig, {}, "lost", {"x-token": "right"})
        for name in ("off", "nowhere"):
            with pytest.raises(NotFound), raising_ours():
                await send(rig, {}, name, {"x-token": "right"})


async def test_only_the_gateway_passes_requests_on(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db", [OPEN]) as rig:
        with pytest.raises(PermissionDenied), raising_ours():
            await rig.stub.ReceiveWebhook(
                pb.ReceiveWebhookRequest(name="shop"), metadata=on_behalf_of("admin")
            )


async def test_those_that_wait_are_found_by_the_index(tmp_path: Path) -> None:
    documents = [OPEN, waiting("a", x=1), waiting("b", y=1), waiting("c", x=2)]
    async with executing(tmp_path / "executor.db", documents) as rig:
        for name in "abc":
            await rig.begin(name)
        sets = await rig.store.readers.read(path_sets, "shop")
        plans = await rig.store.readers.read(
            lambda db: [
                row[3]
                for text, values in ((_PATH_SETS, ("shop",)), (_MATCHING, ("shop", "[]", "d", 9)))
                for row in db.execute(f"EXPLAIN QUERY PLAN {text}", values)
            ]
        )

    assert sets == ['["$.x"]', '["$.y"]']
    assert not [plan for plan in plans if plan.startswith("SCAN tasks")]


async def test_a_task_without_what_it_needs_fails(tmp_path: Path) -> None:
    bad = workflow("bad", step("wait", "WAIT_FOR_WEBHOOK", webhook="shop", matches={"$.[": 1}))
    async with executing(tmp_path / "executor.db", [OPEN, bad]) as rig:
        result = await rig.run("bad")

    assert result.status == executor_pb2.EXECUTION_STATUS_FAILED
    assert "has no path '$.['" in result.reason
