"""Receivers that harm: what they can do to their own deliveries, and to nobody else."""

from __future__ import annotations

import asyncio
import logging
import socket
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from aiohttp import web

from services.executor.deliveries import Terms
from services.executor.upkeep import Upkeep
from tests.executor.rig import Rig, Upstream, executing, http, secret, upstream, workflow
from tests.executor.test_deliveries import (
    DONE,
    KEY,
    LATER,
    Hook,
    delivery_of,
    stands,
    until,
    webhook,
)

SIGNING = secret("KEY", KEY)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest", "egress policy"),
        ("http://2852039166/latest", "egress policy"),
        ("http://[::ffff:10.0.0.1]/", "egress policy"),
        ("ftp://partner.example/", "not one that can be called"),
        ("http://a!b/", "not one that can be called"),
    ],
)
async def test_a_url_that_is_refused_itself_is_given_up_at_once(
    tmp_path: Path, url: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with executing(tmp_path / "x.db", [DONE, SIGNING], terms=LATER) as rig:
        result = await rig.run("done", **webhook(url))
        given_up = await stands(rig, result.execution_id, "GIVEN_UP", attempts=1)

    assert reason in given_up["lastError"]
    assert "given up after attempt 1" in caplog.text


async def test_a_name_that_leads_to_a_refused_address_may_lead_elsewhere_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = "10.0.0.1"
    hook, look_up = Hook(), socket.getaddrinfo

    def moving(host: Any, *more: Any, **named: Any) -> Any:
        return look_up(there if host == "moving.example" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", moving)
    async with (
        upstream(hook=hook) as remote,
        executing(tmp_path / "x.db", [DONE, SIGNING], terms=LATER) as rig,
    ):
        url = f"http://moving.example:{remote.url.rpartition(':')[2]}/hook"
        result = await rig.run("done", **webhook(url))
        refused = await stands(rig, result.execution_id, "PENDING", attempts=1)

    assert "is at 10.0.0.1, which is private" in refused["lastError"]
    assert "nextAttemptAt" in refused


async def test_names_that_nobody_answers_for_hold_up_no_call_of_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, release, look_up = list[str](), Event(), socket.getaddrinfo

    def silent(host: Any, *more: Any, **named: Any) -> Any:
        if str(host).endswith("silent.example"):
            asked.append(host)
            release.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up(host, *more, **named)

    async def fine(_: web.Request) -> web.Response:
        return web.json_response({"n": 1})

    hook = Hook()
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    async with upstream(fine=fine, hook=hook) as remote:
        there = remote.url.replace("127.0.0.1", "localhost")
        calling = workflow("calling", http("a", f"{there}/fine"))
        async with executing(tmp_path / "x.db", [DONE, calling, SIGNING]) as rig:
            try:
                # More than asyncio has threads for all that is done aside.
                for number in range(40):
                    await rig.run("done", **webhook(f"http://{number}.silent.example/"))
                await until(lambda: len(asked) == 40)
                result = await asyncio.wait_for(rig.run("calling", **webhook(f"{there}/hook")), 10)
                await stands(rig, result.execution_id, "DELIVERED")
            finally:
                release.set()


@pytest.mark.parametrize(
    ("terms", "receivers"),
    [
        (Terms(per_receiver=1, in_all=2, held_per_receiver=4, held=100), 1),
        (Terms(per_receiver=1, in_all=1, held_per_receiver=4, held=4), 30),
    ],
    ids=["of one receiver", "of many"],
)
async def test_what_was_due_first_is_not_overtaken_by_all_that_ends_later(
    tmp_path: Path, terms: Terms, receivers: int
) -> None:
    """One at a time, and for each that is told another execution ends."""
    order, turn, begun = list[str](), asyncio.Semaphore(0), list[str]()

    async def slow(request: web.Request) -> web.Response:
        order.append((await request.json())["data"]["executionId"])
        await turn.acquire()
        return web.Response()

    async def another(rig: Rig, remote: Upstream) -> None:
        # One address in many spellings.
        host = "0" * (1 + len(begun) % receivers) + "177.0.0.1"
        url = f"{remote.url.replace('127.0.0.1', host)}/hook"
        begun.append((await rig.run("done", **webhook(url))).execution_id)

    async with (
        upstream(hook=slow) as remote,
        executing(tmp_path / "x.db", [DONE, SIGNING], terms=terms) as rig,
    ):
        for _ in range(10):
            await another(rig, remote)
        for number in range(1, 21):
            await until(lambda number=number: len(order) == number)  # type: ignore[misc]
            turn.release()
            await until(lambda number=number: len(order) == number + 1)  # type: ignore[misc]
            await another(rig, remote)
        for _ in range(20):
            turn.release()
        await until(lambda: len(order) == 30)

    assert set(begun[:10]) <= set(order[:14])


async def test_what_goes_untold_with_its_execution_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with executing(tmp_path / "x.db", [DONE, SIGNING], terms=LATER) as rig:
        pending = await rig.run("done", **webhook("http://127.0.0.1:1/"))
        await stands(rig, pending.execution_id, "PENDING", attempts=1)
        given_up = await rig.run("done", **webhook("http://10.0.0.1/"))
        await until(lambda: "given up" in caplog.text)
        assert (await delivery_of(rig, given_up.execution_id))["status"] == "GIVEN_UP"
        await Upkeep(retention=timedelta(seconds=-1)).clean(rig.store, rig.runtime.tally)

    assert "1 execution was dropped before the end was told" in caplog.text
