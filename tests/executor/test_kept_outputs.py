"""Outputs of tasks that are kept for others of the same name and key."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from services.executor import upkeep
from services.executor.core import caching
from services.executor.core.workflow import Workflow
from services.executor.upkeep import Upkeep
from tests.executor.core.simulator import Simulator, task, workflow as flow
from tests.executor.rig import Rig, Upstream, executing, http, step, upstream, workflow


def priced(up: Upstream, **config: Any) -> dict[str, Any]:
    call = http("price", f"{up.url}/item", body={"id": "${workflow.input.id}"}, method="POST")
    call["cacheConfig"] = {"key": "${http_request.body.id}", "ttlInSecond": 60, **config}
    return workflow("w", call)


async def prices(rig: Rig, *ids: object) -> list[dict[str, Any]]:
    results = [await rig.run("w", input={"id": id}) for id in ids]
    return [json.loads(each.output) for each in results]


async def test_a_task_of_the_same_key_ends_with_the_output_that_was_kept(tmp_path: Path) -> None:
    async with upstream(item=lambda request: {"n": len(up.asked)}) as up:
        async with executing(tmp_path / "x.db", [priced(up)]) as rig:
            first, again, other = await prices(rig, 1, 1, 2)
        async with executing(tmp_path / "x.db", [priced(up)]) as rig:
            (later,) = await prices(rig, 1)

    assert (first["body"], other["body"]) == ({"n": 1}, {"n": 2})
    assert "_cachedResponse" not in first
    assert again == later == {**first, "_cachedResponse": True}
    assert len(up.asked) == 2


def expire(db: sqlite3.Connection) -> None:
    db.execute("UPDATE kept_outputs SET until = 1")


async def test_what_failed_is_not_kept(tmp_path: Path) -> None:
    async with (
        upstream(item=lambda request: web.Response(status=500)) as up,
        executing(tmp_path / "x.db", [priced(up)]) as rig,
    ):
        results = [await rig.run("w", input={"id": 1}) for _ in range(2)]

    assert [each.status for each in results] == [pb.EXECUTION_STATUS_FAILED] * 2
    assert len(up.asked) == 2


async def test_what_is_kept_goes_when_its_time_is_up_or_there_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MOST_OUTPUTS", 2)
    async with (
        upstream(item=lambda request: {}) as up,
        executing(tmp_path / "x.db", [priced(up)]) as rig,
    ):
        await prices(rig, 1, 2, 3, 4)
        await Upkeep(every=timedelta(days=1)).forget_outputs(rig.store)
        kept = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM kept_outputs").fetchone()[0]
        )
        newest = await prices(rig, 4)
        await rig.store.writer.chore(expire)
        expired = await prices(rig, 4)
        await Upkeep(every=timedelta(days=1)).forget_outputs(rig.store)

    assert kept <= 3
    assert newest[0]["_cachedResponse"]
    assert "_cachedResponse" not in expired[0]


async def test_what_comes_of_input_leaves_nothing_for_others(tmp_path: Path) -> None:
    fork = {
        **step("f", "FORK_JOIN_DYNAMIC", tasks="${workflow.input.tasks}", inputs={}),
        "dynamicForkTasksParam": "tasks",
        "dynamicForkTasksInputParamName": "inputs",
    }
    forged = {
        **step("a", "INLINE", expression="x", evaluatorType="value-param", x="forged"),
        "name": "price",
        "cacheConfig": {"key": "k", "ttlInSecond": 60},
    }
    flow = workflow("forks", fork, {**step("j", "JOIN"), "joinOn": []})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("forks", input={"tasks": [forged]})
        kept = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM kept_outputs").fetchone()[0]
        )

    assert result.status == pb.EXECUTION_STATUS_COMPLETED, result.reason
    assert kept == 0


def test_a_cache_without_a_time_or_of_what_gives_nothing_keeps_nothing() -> None:
    def cached(kind: str, config: Any) -> bool:
        task = {**step("t", kind), "cacheConfig": config}
        return Workflow.of({"workflow": workflow("w", task)}).steps["t"].cache is not None

    assert cached("HTTP", {"key": "k", "ttlInSecond": 1})
    useless: list[Any] = [
        {"key": "k"},
        {"key": "k", "ttlInSecond": 0},
        {"ttlInSecond": 1},
        [],
        None,
    ]
    for config in useless:
        assert not cached("HTTP", config)
    assert not cached("FORK_JOIN", {"key": "k", "ttlInSecond": 1})


def test_what_stands_in_a_field_reads_neither_as_the_text_of_a_key_nor_as_another_type() -> None:
    def key(inputs: dict[str, Any], text: str = "${a}-${b}", kind: str = "INLINE") -> bytes:
        run = Simulator(flow(task("t", kind, inputs))).begin()
        return caching.key_of(run.task("t"), caching.Cache(text, timedelta(1)))

    different: list[dict[str, Any]] = [
        {"a": "x-y", "b": "z"},
        {"a": "x", "b": "y-z"},
        {"a": "1", "b": 1},
        {"a": 1, "b": "1"},
        {"a": "null", "b": None},
        {"b": "null"},
        {"a": True},
        {"a": "true"},
        {"a": {"k": 1}},
        {"a": '{"k":1}'},
    ]
    assert len({key(each) for each in different}) == len(different)
    assert key({"a": {"k": 1, "l": 2}}) == key({"a": {"l": 2, "k": 1}})
    assert key({"a": "x", "b": "y"}) == key({"c": "x", "b": "y"}, "${c}-${b}")
