"""The audit log: what an entry tells, that it is only added to, and how its old end goes."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import origins, rpc
from services.auditing import DENIED, Entry
from services.auditing.chain import CHAINS, CHANGED, REFUSED, Broken, Head
from services.errors import (
    InvalidDefinition,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from services.registry import audit, audit_queries
from services.registry.audit_queries import ALL, Wanted
from services.registry.audit_retention import Retention
from services.registry.migrations import migrations
from services.registry.restored import renew
from services.storage import opened
from tests.registry.registries import WORKFLOW, Running, get, put, running, settings
from tests.registry.test_access import grant

NOW = datetime(2027, 1, 31, tzinfo=UTC)
YEARS_AGO = datetime(2020, 1, 31, tzinfo=UTC)


def log(*entries: Entry) -> Database:
    database = Database(memory=True)
    migrations.apply(database)
    audit.write(database, NOW, *entries)
    return database


def did(name: str, **more: object) -> Entry:
    return Entry("application:ada", "change", "workflow", name, **more)  # type: ignore[arg-type]


def whole(database: Database) -> dict[int, Head | Broken]:
    return {which: audit.checked(database, which, None, 1_000)[0] for which in CHAINS}


def named(database: Database) -> list[str]:
    return [entry.name for entry in audit.listed(database, 0, 100)[0]]


async def told(registry: Running, query: str = "", size: int = 0) -> list[pb.AuditEntry]:
    request = pb.ListAuditEntriesRequest(
        page=PageRequest(page_size=size), filter=pb.AuditFilter(query=query)
    )
    with rpc.raising_ours():
        answer = await registry.admin.ListAuditEntries(request)
    return list(answer.entries)


async def test_an_entry_says_who_what_from_where_before_and_after(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    first = await get(registry.admin, "workflow", "checkout")
    await put(registry.admin, {**WORKFLOW, "description": "new"})
    second = await get(registry.admin, "workflow", "checkout")

    (changed, created) = await told(registry, "kind:workflow")

    assert (changed.principal, changed.key_id) == ("application:admin", "admin-key")
    assert (changed.method, changed.action) == ("PutDefinitions", "change")
    assert (changed.source, changed.via) == ("127.0.0.1", "")
    assert changed.agent.startswith("grpc")
    assert (changed.revision_before, changed.revision) == (first.revision, second.revision)
    assert (changed.before, changed.after) == (first.etag, second.etag)
    assert (created.revision_before, created.before, changed.version) == (0, "", 1)


async def test_a_deletion_has_the_revision_that_says_so(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    stored = await get(registry.admin, "workflow", "checkout")
    await registry.admin.DeleteDefinition(
        pb.DeleteDefinitionRequest(kind="workflow", name="checkout")
    )

    (entry,) = await told(registry, "action:delete")

    assert (entry.revision_before, entry.before) == (stored.revision, stored.etag)
    assert (entry.revision, entry.after) == (stored.revision + 1, "")
    with rpc.raising_ours():
        one = await registry.admin.GetAuditEntry(pb.GetAuditEntryRequest(id=entry.id))
    assert one.entry == entry
    with pytest.raises(NotFound), rpc.raising_ours():
        await registry.admin.GetAuditEntry(pb.GetAuditEntryRequest(id=999))


async def test_the_edge_tells_from_where_and_nobody_else_does(registry: Running) -> None:
    before = origins.current.set(origins.Origin("203.0.113.9", "curl/8", "ada-key", "", "req-1"))
    try:
        metadata = rpc.on_behalf_of("admin")
    finally:
        origins.current.reset(before)
    request = pb.PutDefinitionsRequest(puts=[pb.DocumentPut(document=json.dumps(WORKFLOW))])
    await registry.service("edge").PutDefinitions(request, metadata=metadata)
    request.puts[0].document = json.dumps({**WORKFLOW, "description": "new"})
    await registry.admin.PutDefinitions(request, metadata=metadata[1:])

    own, edge = await told(registry, "kind:workflow")

    assert (edge.principal, edge.via, edge.key_id) == (
        "application:admin",
        "service:edge",
        "ada-key",
    )
    assert (edge.source, edge.agent, edge.trace) == ("203.0.113.9", "curl/8", "req-1")
    assert (own.source, own.via, own.key_id) == ("127.0.0.1", "", "admin-key")


async def test_a_failed_change_and_a_stranger_are_entries_too(registry: Running) -> None:
    for _ in range(3):
        with pytest.raises(NotFound), rpc.raising_ours():
            await registry.admin.DeleteDefinition(
                pb.DeleteDefinitionRequest(kind="workflow", name="never")
            )
        with pytest.raises(Unauthenticated), rpc.raising_ours():
            await registry.anybody.ListDefinitions(pb.ListDefinitionsRequest())

    (failed,) = await told(registry, "outcome:failed")
    (stranger,) = await told(registry, "outcome:denied")

    assert (failed.action, failed.kind, failed.name) == ("delete", "workflow", "never")
    assert (stranger.principal, stranger.source, stranger.method) == (
        "", "127.0.0.1", "ListDefinitions",
    )  # fmt: skip


async def test_what_is_only_tried_hides_nothing_that_fails(registry: Running) -> None:
    wrong = {**WORKFLOW, "timeoutSeconds": "hunter2", "ownerEmail": 5}
    for dry_run in (True, False):
        with pytest.raises(InvalidDefinition, match="hunter2"):
            await put(registry.admin, wrong, dry_run=dry_run)
        failed = await told(registry, "outcome:failed")
        assert len(failed) == int(not dry_run)

    # Nor does an entry quote what a fault does.
    assert "hunter2" not in failed[0].detail
    assert "timeoutSeconds" in failed[0].detail
    assert "1 more" in failed[0].detail


async def test_a_query_is_the_grammar_of_all_lists(registry: Running) -> None:
    await put(registry.admin, *({**WORKFLOW, "name": f"w{n}"} for n in range(5)), WORKFLOW)

    async def names(query: str) -> list[str]:
        return [entry.name for entry in await told(registry, query)]

    for who in ("*admin", "admin", "application:admin", "ada,adm*"):
        assert await names(f"name:w1,w2 who:{who}") == ["w2", "w1"]
    assert await names("name:w1,w2 who!=admin") == []
    assert await names("name:w1,w2 who:adm") == []
    assert await names("checkout action:create newer:1h method:PutDefinitions") == ["checkout"]
    assert await names("kind:workflow older:1h") == []
    assert await names("NOT kind:workflow") == ["admin"]
    with pytest.raises(InvalidRequest, match="no field 'colour'"):
        await told(registry, "colour:red")
    with pytest.raises(InvalidRequest, match="characters"):
        await told(registry, "a " * 600)


FILTERS = [
    Wanted(principal="application:nobody"),
    Wanted(actions=("create",)),
    Wanted(kind="workflow", principal="application:nobody"),
    Wanted(kind="workflow", name="none"),
    Wanted(until=NOW - timedelta(days=1)),
    Wanted(keeps=lambda entry: entry.name == "none"),
]


@pytest.mark.parametrize("wanted", FILTERS)
def test_what_matches_nothing_costs_no_more_in_a_long_log(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_queries, "_MOST_COMPARED", 50)
    monkeypatch.setattr(audit_queries, "_MOST_TRIED", 50)
    entries = [did(f"w{n}") for n in range(1_000)]

    def steps(database: Database) -> int:
        taken = 0

        def step() -> None:
            nonlocal taken
            taken += 1

        database.conn.set_progress_handler(step, 1)
        audit.listed(database, 0, 10, wanted)
        audit.since(database, 1, len(entries), 10, wanted)
        return taken

    assert steps(log(*entries)) < 1.5 * steps(log(*entries[:200]))


@given(
    st.lists(st.sampled_from(("ada", "eve")), max_size=30),
    st.sampled_from((ALL, Wanted(principal="application:eve"), Wanted(keeps=bool))),
    st.integers(1, 7),
    st.integers(1, 7),
)
def test_pages_leave_nothing_out_and_tell_nothing_twice(
    who: list[str], wanted: Wanted, size: int, looked_at: int
) -> None:
    database = log(*(Entry(f"application:{name}", "change") for name in who))
    meant = "eve" if wanted.principal else ""
    expected = [n for n, name in enumerate(who, 1) if meant in name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_queries, "_MOST_COMPARED", looked_at)
        patch.setattr(audit_queries, "_MOST_TRIED", looked_at)

        def down(place: int) -> tuple[list[Entry], int]:
            return audit.listed(database, place, size, wanted)

        def up(place: int) -> tuple[list[Entry], int]:
            return audit.since(database, place, len(who), size, wanted)

        assert list(walked(down)) == expected[::-1]
        assert list(walked(up)) == expected


def walked(page: Callable[[int], tuple[list[Entry], int]]) -> Iterator[int]:
    place, more = 0, True
    while more:
        entries, place = page(place)
        yield from (entry.id for entry in entries)
        more = bool(place)


async def test_a_grant_alone_shows_nothing_of_the_log(registry: Running) -> None:
    stub = await registry.application("team", permissions=[grant("workflow", "*", "READ")])

    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.ListAuditEntries(pb.ListAuditEntriesRequest())
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await stub.GetAuditEntry(pb.GetAuditEntryRequest(id=1))


async def test_what_a_service_tells_twice_is_there_once(registry: Running) -> None:
    edge = registry.service("edge")
    entry = pb.AuditEntry(
        uid="one", principal="key:shop/a", action="purge-cache", count=3, source="203.0.113.9"
    )
    entry.at.FromDatetime(YEARS_AGO)
    request = pb.RecordAuditEntriesRequest(entries=[entry, entry])

    added = [(await edge.RecordAuditEntries(request)).added for _ in range(2)]

    assert added == [1, 0]
    (found,) = await told(registry, "action:purge-cache")
    assert (found.count, found.source, found.at.ToDatetime(UTC)) == (3, "203.0.113.9", YEARS_AGO)
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await registry.admin.RecordAuditEntries(request)
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await edge.RecordAuditEntries(pb.RecordAuditEntriesRequest(entries=[pb.AuditEntry()]))


async def test_the_log_is_checked_over_grpc_chain_by_chain(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await registry.anybody.ListDefinitions(pb.ListDefinitionsRequest())

    first = await registry.admin.CheckAuditLog(pb.CheckAuditLogRequest())
    second = await registry.admin.CheckAuditLog(pb.CheckAuditLogRequest(place=first.next))

    assert (first.checked, second.checked) == (2, 1)
    assert not first.broken
    assert not second.broken
    assert not second.HasField("next")
    assert [each.chain for each in (*first.heads, *second.heads)] == [0, 1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET principal = 'application:eve' WHERE id = 1",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 1",
        "UPDATE audit_chains SET dropped = 9",
        "UPDATE audit_chains SET dropped = 2, hash = x'00'",
        "DELETE FROM audit_chains",
        "INSERT OR REPLACE INTO audit_chains VALUES (0, 3, x'')",
    ],
)
def test_the_database_refuses_to_change_what_is_written(statement: str) -> None:
    database = log(did("a"), did("b"), did("c"))

    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        database.execute(statement)

    assert named(database) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET source = '10.0.0.1' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
        ("UPDATE audit SET id = 9 WHERE id = 3", 9),
        ("UPDATE audit SET hash = zeroblob(32) WHERE id = 1", 1),
    ],
)
def test_whoever_gets_round_that_is_noticed(statement: str, broken: int) -> None:
    database = log(did("a"), did("b"), did("c"), did("d", outcome=DENIED))
    assert all(isinstance(each, Head) for each in whole(database).values())
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f"DROP TRIGGER {name}")

    database.execute(statement)

    assert whole(database)[CHANGED] == Broken(CHANGED, broken)
    assert isinstance(whole(database)[REFUSED], Head)


async def test_what_was_taken_out_while_nobody_looked_is_told_over_grpc(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, WORKFLOW)
        (last,) = await told(registry, "kind:workflow")
    database = Database(tmp_path / "registry.db")
    database.execute("DROP TRIGGER audit_goes_by_its_end")
    with database.atomic():
        database.execute("DELETE FROM audit WHERE id = ?", [last.id])
    database.close()

    async with running(settings(tmp_path)) as registry:
        first = await registry.admin.CheckAuditLog(pb.CheckAuditLogRequest())
        answer = await registry.admin.CheckAuditLog(pb.CheckAuditLogRequest(place=first.next))

    assert answer.broken == last.id


@pytest.mark.parametrize("gone", [{10}, {8, 9, 10}, {4}, {1}, {2, 4, 6, 8, 10}, set(range(1, 11))])
def test_the_newest_that_are_taken_out_are_missed_too(gone: set[int]) -> None:
    database = log(*(did(f"e{n}", outcome=DENIED if n % 2 else "allowed") for n in range(10)))
    assert audit.missing(database) == 0
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f"DROP TRIGGER {name}")

    for number in gone:
        database.execute("DELETE FROM audit WHERE id = ?", [number])

    first = min(gone)
    # Of the oldest the hash of the next one tells.
    assert audit.missing(database) == (0 if gone == {1} else first)
    if gone == {1}:
        assert isinstance(whole(database)[CHANGED], Broken)
    audit.write(database, NOW, did("new"))
    assert bool(audit.missing(database)) == (gone != {1} and len(gone) < 10)


@given(st.lists(st.booleans(), max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_what_was_dropped_is_not_missed(refused: list[bool], changes: int, refusals: int) -> None:
    database = log(*(did("e", outcome=DENIED if each else "allowed") for each in refused))
    for which, most in ((CHANGED, changes), (REFUSED, refusals)):
        if going := audit.old(database, which, NOW - timedelta(days=1), most, 100):
            audit.drop(database, which, going[-1].id)

    assert audit.missing(database) == 0
    audit.write(database, NOW, did("new"))
    assert audit.missing(database) == 0


def of_before() -> Database:
    """As it was when entries had no outcome."""
    database = Database(memory=True)
    older = Migrations("registry")
    for each in migrations.pending(database):
        if each.name < "m009":
            older(name=each.name)(each.fn)
    older.apply(database)
    return database


def test_that_a_registry_was_restored_is_in_its_log_in_backups_of_before_too() -> None:
    for database in (log(did("kept")), of_before()):
        renew(database, 1_800_000_000_000_000, 1_800_000_060_000_000, held=True)
        migrations.apply(database)

        entry = audit.listed(database, 0, 1)[0][0]
        assert (entry.action, entry.principal) == ("restore", "service:registry")
        assert "a backup of 2027-01-15T08:00:00+00:00; what was under way waits" in entry.detail
        assert all(isinstance(each, Head) for each in whole(database).values())


def test_entries_of_before_keep_what_they_say_and_are_of_a_chain() -> None:
    database = of_before()
    for row in (
        ("change", "a", "Changed a."),
        ("denied", "b", "GetDefinition: no."),
        ("delete", "a", "x"),
    ):
        database.execute(
            "INSERT INTO audit (at, principal, action, kind, name, detail) "
            "VALUES ('2026-01-01T00:00:00+00:00', 'application:ada', ?, 'workflow', ?, ?)", row
        )  # fmt: skip

    migrations.apply(database)

    entries = audit.listed(database, 0, 10)[0]
    assert [(each.id, each.action, each.outcome, each.name, each.detail) for each in entries] == [
        (3, "delete", "allowed", "a", "x"),
        (2, "denied", "denied", "b", "GetDefinition: no."),
        (1, "change", "allowed", "a", "Changed a."),
    ]
    assert whole(database)[CHANGED] != Head()
    assert whole(database)[REFUSED] != Head()
    audit.write(database, NOW, did("new"))
    assert all(isinstance(each, Head) for each in whole(database).values())


async def test_the_old_end_goes_and_what_is_left_still_fits(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    old = NOW - timedelta(days=91)
    async with opened(tmp_path / "registry.db", migrations) as storage:
        entries = [did(f"old{n}", at=old) for n in range(3)]
        refusals = [did(f"denied{n}", outcome=DENIED) for n in range(1_500)]
        await storage.transact(lambda db: audit.write(db, NOW, *entries, *refusals, did("new")))

        gone = await Retention(90, 5_000, folder).apply(storage, NOW)

        assert gone == 3 + 500
        assert await storage.transact(lambda db: named(db)[:2]) == ["new", "denied1499"]
        assert all(isinstance(each, Head) for each in (await storage.transact(whole)).values())
        assert await Retention(90, 5_000, folder).apply(storage, NOW) == 0
    lines = [
        json.loads(line)
        for file in sorted(folder.iterdir())
        for line in gzip.decompress(file.read_bytes()).decode().splitlines()
    ]
    assert [each["name"] for each in lines][:4] == ["old0", "old1", "old2", "denied0"]
    assert len(lines) == 503
    assert lines[0]["at"] == old.isoformat()


async def test_the_old_end_goes_beside_what_cannot_be_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    (folder / "audit-20270101T000000.000000Z.ndjson.gz.part").mkdir(parents=True)
    async with opened(tmp_path / "registry.db", migrations) as storage:
        old = datetime.now(UTC) - timedelta(days=3)
        await storage.transact(lambda db: audit.write(db, NOW, did("old", at=old), did("new")))

        async with Retention(1, 5_000, folder).applied(storage):
            for _ in range(2_000):
                if await storage.transact(named) == ["new"]:
                    return
                await asyncio.sleep(0.01)
    raise AssertionError("it did not go")


async def test_what_a_clock_that_goes_ahead_tells_does_not_stay_for_years(tmp_path: Path) -> None:
    ahead = did("ahead", at=NOW + timedelta(days=9_999), uid="u1")
    async with opened(tmp_path / "registry.db", migrations) as storage:
        await storage.transact(lambda db: audit.add(db, NOW, ahead))
        await storage.transact(lambda db: audit.write(db, NOW, did("old")))

        assert await Retention(90, 5_000).apply(storage, NOW + timedelta(days=91)) == 2


async def test_what_cannot_be_exported_stays(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("in the way")
    async with opened(tmp_path / "registry.db", migrations) as storage:
        await storage.transact(lambda db: audit.write(db, NOW, did("old")))

        with pytest.raises(FileExistsError):
            await Retention(1, 5_000, folder).apply(storage, NOW + timedelta(days=2))

        assert await storage.transact(named) == ["old"]


def test_refusals_never_push_changes_out() -> None:
    database = log(did("kept"), *(did(f"d{n}", outcome=DENIED) for n in range(50)))

    going = [audit.old(database, which, NOW - timedelta(days=1), 10, 100) for which in CHAINS]

    assert [len(each) for each in going] == [0, 40]
