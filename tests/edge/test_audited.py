"""What is done at the edge, and who was refused there, is in the audit log: in few rows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from podium.registry.v1 import registry_pb2
from services import rpc
from services.auditing import Entry
from services.auditing.methods import CHANGES, short
from services.auditing.outbox import Sender
from services.edge import audited
from services.edge.audited import Auditing
from services.edge.denied import MOST, Denied, Refusal
from services.errors import PermissionDenied
from tests.edge.documents import STRANGERS_KEY
from tests.edge.registry import token
from tests.edge.suites import suite_in

NOW = datetime(2027, 1, 31, tzinfo=UTC)
ADMIN = {"kind": "application", "id": "boss", "roles": ["ADMIN"]}
VIEWER = {"kind": "application", "id": "viewer", "roles": ["VIEWER"]}
CALLS = {
    "PurgeCache": pb.PurgeCacheRequest(all=True),
    "ResetLimits": pb.ResetLimitsRequest(service_id="public"),
}


async def until(
    recorded: dict[str, registry_pb2.AuditEntry], count: int
) -> list[registry_pb2.AuditEntry]:
    for _ in range(2_000):
        if len(recorded) >= count:
            return list(recorded.values())
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(recorded)} of {count} entries came")


@pytest.mark.parametrize("method", sorted(each for each in CHANGES if ".edge." in each))
async def test_each_change_is_one_entry_when_allowed_and_one_when_denied(
    tmp_path: Path, method: str
) -> None:
    name = short(method)
    async with suite_in(tmp_path, ADMIN, VIEWER) as suite:
        for who in ("viewer", "viewer", "boss"):
            async with rpc.channel(suite.addresses["edge"], partial(token, who)) as channel:
                call = getattr(EdgeServiceStub(channel), name)
                if who == "boss":
                    await call(CALLS[name])
                    continue
                with pytest.raises(PermissionDenied), rpc.raising_ours():
                    await call(CALLS[name])
        entries = await until(suite.registry.recorded, 2)

    assert [(each.outcome, each.principal, each.method, each.source) for each in entries] == [
        (registry_pb2.AUDIT_OUTCOME_DENIED, "application:viewer", name, "127.0.0.1"),
        (registry_pb2.AUDIT_OUTCOME_ALLOWED, "application:boss", name, "127.0.0.1"),
    ]
    assert entries[1].key_id == "key-1"


async def test_refused_requests_are_a_row_for_each_source_route_and_reason(tmp_path: Path) -> None:
    async with suite_in(tmp_path) as suite:
        for _ in range(7):
            await suite.gateway.post("/api/orders/reports", json={})
        stranger = {"x-api-key": STRANGERS_KEY}
        for _ in range(2):
            await suite.gateway.post("/strange/", json={}, headers=stranger)
        for _ in range(3):
            await suite.management.get(f"/api/gateway/config/auth/{STRANGERS_KEY}")
        headers = {"x-authorization": token("nobodys")}
        refused = await suite.management.get("/metrics", headers=headers)
        assert refused.status_code == 403
        assert suite.registry.recorded == {}
    # What was counted is written as the edge ends, and sent by the next one.
    async with suite_in(tmp_path) as suite:
        entries = await until(suite.registry.recorded, 4)

    assert {each.outcome for each in entries} == {registry_pb2.AUDIT_OUTCOME_DENIED}
    assert {each.source for each in entries} == {"127.0.0.1"}
    told = {(each.name, each.principal, each.count) for each in entries}
    assert ("POST /api/orders/reports", "", 7) in told
    assert ("POST /strange", "key:strangers/only", 2) in told
    # By the page, not by the path, which says what a stranger likes.
    assert ("GET /api/gateway/config/auth/{id} (management)", "", 3) in told
    assert ("GET /metrics (management)", "application:nobodys", 1) in told
    assert STRANGERS_KEY.encode() not in b"".join(each.SerializeToString() for each in entries)


async def test_a_database_that_fails_ends_no_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    puts: list[int] = []
    done = asyncio.Event()

    class Broken:
        async def first(self) -> list[tuple[int, bytes]]:
            return []

        async def drop(self, seqs: Sequence[int]) -> None:
            raise AssertionError

        async def put(self, *entries: Entry) -> None:
            puts.append(len(entries))
            kept.count(Refusal("10.0.0.1", "", "forbidden"))
            if len(puts) == 3:
                done.set()
            raise sqlite3.DatabaseError("database disk image is malformed")

    async def record(*_: object, **__: object) -> registry_pb2.RecordAuditEntriesResponse:
        raise AssertionError

    monkeypatch.setattr(audited, "_MINUTE_SECONDS", 0.01)
    rows = Broken()
    kept = Auditing(rows, Sender(rows, record))
    kept.count(Refusal("10.0.0.1", "", "forbidden"))
    async with kept.counting(), asyncio.timeout(20):
        await done.wait()

    assert "1 refusals are not in the audit log: database disk image" in caplog.text


def test_an_attack_of_a_hundred_thousand_is_a_bounded_number_of_rows() -> None:
    denied = Denied()
    for number in range(100_000):
        source = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        denied.count(Refusal(source, "POST /api/orders", "unauthenticated"))

    entries = denied.take(NOW, "minute")

    assert len(entries) == MOST + 1
    assert sum(entry.count for entry in entries) == 100_000
    assert (entries[-1].source, entries[-1].count) == ("", 100_000 - MOST)
    assert "too many to name" in entries[-1].detail
    assert len({entry.uid for entry in entries}) == len(entries)
    assert denied.take(NOW, "next") == []


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["forbidden", "unauthenticated"]))))
def test_none_is_lost_and_none_is_counted_twice(calls: list[tuple[int, str]]) -> None:
    denied = Denied()
    for source, reason in calls:
        denied.count(Refusal(f"10.0.{source >> 8}.{source & 255}", "", reason))

    entries = denied.take(NOW, "minute")

    assert sum(entry.count for entry in entries) == len(calls)
    assert len(entries) <= MOST + 2
