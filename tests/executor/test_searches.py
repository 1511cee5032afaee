"""Reads that look through many executions leave threads to others, and look by time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import DeadlineExceeded
from services.executor import bulk, finding, livelist
from services.executor.acting import APPLIES
from services.executor.searches import Searches
from services.executor.timers import now
from services.query import EVERYTHING, parse
from services.query.executions import EXECUTIONS
from tests.executor.rig import executing
from tests.executor.test_watching import QUICK

NAMED = parse("wf:qu*", EXECUTIONS)


def _held(db: sqlite3.Connection, _: Any, over: threading.Event) -> bool:
    return over.wait(20)


async def test_who_searches_leaves_threads_to_short_reads(tmp_path: Path) -> None:
    over = threading.Event()
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        searches = Searches(rig.store.readers)
        long = [asyncio.create_task(searches.search(_held, NAMED, over)) for _ in range(8)]
        try:
            found = await asyncio.wait_for(
                searches.search(finding.found, EVERYTHING, now(), None, 1), 10
            )
            judged = await asyncio.wait_for(
                searches.briefly(finding.matching, NAMED, now(), ["e"]), 10
            )
        finally:
            over.set()
            await asyncio.gather(*long)

    assert (found, judged) == ([], set())


async def test_who_follows_documents_leaves_threads_to_others(tmp_path: Path) -> None:
    over, inside = threading.Event(), parse("input.a=1", EXECUTIONS)
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        searches = Searches(rig.store.readers)
        following = [asyncio.create_task(searches.briefly(_held, inside, over)) for _ in range(8)]
        searching = [asyncio.create_task(searches.search(_held, inside, over)) for _ in range(8)]
        try:
            found = await asyncio.wait_for(
                searches.search(finding.found, EVERYTHING, now(), None, 1), 10
            )
            judged = await asyncio.wait_for(
                searches.briefly(finding.matching, NAMED, now(), ["e"]), 10
            )
        finally:
            over.set()
            await asyncio.gather(*following, *searching)

    assert (found, judged) == ([], set())


async def test_documents_are_looked_into_no_longer_than_there_is_time(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await asyncio.gather(*(rig.run("quick") for _ in range(60)))
        for search in (Searches(rig.store.readers).search, Searches(rig.store.readers).briefly):
            with pytest.raises(DeadlineExceeded, match="looks into documents"):
                await search(
                    livelist._page,
                    parse("input.a=1", EXECUTIONS),
                    10,
                    now(),
                    None,
                    within=timedelta(0),
                )


@pytest.mark.parametrize("written", ["input.n={}*", "input.n~{}*x"])
async def test_a_long_pattern_is_looked_for_in_a_long_text(tmp_path: Path, written: str) -> None:
    # Tried from each character on, it takes the better part of a minute, for which no reader stops.
    pattern = written.format("*" + "a" * 3900 + "b")
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await rig.run("quick", input={"n": "a" * 4_000_000})
        found = await Searches(rig.store.readers).search(
            finding.found, parse(pattern, EXECUTIONS), now(), None, 10
        )
    assert found == []


async def test_of_many_that_begin_alike_the_first_by_time_are_found_by_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CROWD", 2)
    said: list[str] = []

    def work(db: sqlite3.Connection) -> None:
        db.set_trace_callback(said.append)
        livelist._page(db, NAMED, 10, now(), None)
        bulk._matching(db, NAMED, now(), APPLIES[pb.OPERATION_RETRY], 10)
        db.set_trace_callback(None)

    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        for _ in range(4):
            await rig.run("quick")
        await rig.store.readers.read(work)

    ordered = [each for each in said if "ORDER BY created_at" in each]
    assert len(ordered) == 2
    assert all("+workflow >=" in each for each in ordered), ordered
