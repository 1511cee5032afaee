"""Receivers that harm: what they can do to their own deliveries, and to nobody else."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from aiohttp import web

from tests.executor.rig import executing, http, secret, upstream, workflow
from tests.executor.test_deliveries import (
    DONE,
    KEY,
    Hook,
    stands,
    until,
    webhook,
)

SIGNING = secret("KEY", KEY)


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
