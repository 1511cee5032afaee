"""What comes back by another way than its request is masked: callbacks and updates."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from tests.executor.rig import ADMIN, Rig, executing, http, put, secret, upstream, workflow

OLD, NEW = "the-old-one/+1", "the-new-one/+2"
HOOK = "/services/T0123/B4567/abcdefghijklmnop"

Way = Callable[[Rig, str, str, str], Awaitable[Any]]


async def by_callback(rig: Rig, execution_id: str, token: str, output: str) -> None:
    await rig.stub.CompleteCallback(pb.CompleteCallbackRequest(token=token, body=output))


async def by_update(rig: Rig, execution_id: str, token: str, output: str) -> None:
    update = pb.UpdateTaskRequest(
        execution_id=execution_id, ref="call", output=output,
        status=pb.TASK_STATUS_COMPLETED, reason=output,
    )  # fmt: skip
    await rig.stub.UpdateTask(update, metadata=ADMIN)


def bytes_below(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("x.db*"))


@pytest.mark.parametrize("way", [by_callback, by_update])
async def test_a_late_word_shows_neither_what_a_secret_is_nor_what_it_was(
    tmp_path: Path, way: Way
) -> None:
    tokens: list[str] = []

    async def job(request: web.Request) -> dict[str, object]:
        tokens.append((await request.json())["back"].rpartition("/")[2])
        return {"jobId": 1}

    async with upstream(job=job) as remote:
        back = {"back": "${task.callbackUrl}", "key": "${workflow.secrets.KEY}"}
        headers = {"X-Hook": "${workflow.secrets.HOOK}"}
        url = f"{remote.url}/job"
        call = http("call", url, method="POST", body=back, headers=headers) | {
            "asyncComplete": True
        }
        known = [workflow("w", call), secret("KEY", OLD), secret("HOOK", f"http://h.example{HOOK}")]
        async with executing(tmp_path / "x.db", known) as rig:
            execution_id = await rig.begin("w")
            with rig.runtime.feed.following() as follower:
                while not (await rig.get(execution_id)).document.count('"jobId"'):
                    await follower.take(1)
            until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            former = [{"value": secret("", OLD)["value"], "until": until}]
            put(rig.replica, secret("KEY", NEW) | {"formerValues": former})
            told = json.dumps({"old": OLD, "new": NEW, OLD: 1, "path": HOOK, "other": "seen"})
            await way(rig, execution_id, tokens[0], told)
            await rig.ended(execution_id)
            document = (await rig.get(execution_id)).document
        stored = bytes_below(tmp_path)

    assert "seen" in document
    for hidden in (OLD, NEW, HOOK):
        assert hidden not in document
        assert hidden.encode() not in stored
