"""The local copy: what it holds, through breaks, restarts, compaction and a broken file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from podium.registry.v1 import registry_pb2 as pb
from services.replica import Removed, Replica, Stored, first_copy, following
from services.rpc import channel
from services.storage import StorageInUse
from tests.floor.watched import Watched, watching

SOON = timedelta(seconds=5)


@pytest.fixture
def registry() -> Watched:
    return Watched()


@pytest.fixture
async def address(registry: Watched) -> AsyncGenerator[str]:
    async with watching(registry) as bound:
        yield bound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edge.db"


@asynccontextmanager
async def replica_of(
    address: str, path: Path, *kinds: str, silence: float = 15.0
) -> AsyncGenerator[Replica]:
    async with (
        channel(address) as to_registry,
        following(path, to_registry, kinds=kinds, silence=timedelta(seconds=silence)) as replica,
    ):
        yield replica


async def until(replica: Replica, holds: Callable[[], bool]) -> None:
    """Wait for a change after which ``holds()``."""
    async with asyncio.timeout(SOON.total_seconds()):
        while not holds():  # noqa: ASYNC110 - not all that is asked about tells of itself
            await asyncio.sleep(0.002)


def names(replica: Replica, kind: str) -> list[tuple[str, int]]:
    return [(each.name, each.version) for each in replica.all(kind)]


async def test_what_the_registry_has_is_held(registry: Watched, address: str, path: Path) -> None:
    registry.put("workflow", "greet", 1, tasks=[])
    registry.put("service", "orders")

    async with replica_of(address, path) as replica:
        assert await replica.reached(2, SOON)

        stored = replica.get("workflow", "greet")
        assert stored is not None
        assert stored.document == {"kind": "workflow", "name": "greet", "tasks": []}
        assert (stored.version, stored.revision, stored.etag) == (1, 1, "e1")
        assert replica.get("workflow", "nope") is None
        assert replica.get("nope", "greet") is None


async def test_version_0_is_the_highest(registry: Watched, address: str, path: Path) -> None:
    for version in (2, 10, 9):
        registry.put("workflow", "greet", version)

    async with replica_of(address, path) as replica:
        await replica.reached(3, SOON)
        latest = replica.get("workflow", "greet")
        assert latest is not None
        assert latest.version == 10
        assert replica.get("workflow", "greet", 9) is not None
        assert replica.get("workflow", "greet", 3) is None

        await replica.reached(registry.delete("workflow", "greet", 10), SOON)
        latest = replica.get("workflow", "greet")
        assert latest is not None
        assert latest.version == 9

        await replica.reached(registry.delete("workflow", "greet", 0), SOON)
        assert names(replica, "workflow") == []


async def test_a_change_arrives_and_is_told(registry: Watched, address: str, path: Path) -> None:
    registry.put("task", "old")
    async with replica_of(address, path) as replica:
        await replica.reached(1, SOON)
        told: list[Stored | Removed | None] = []
        forget = replica.subscribe(told.append)

        await replica.reached(registry.put("task", "new"), SOON)
        await replica.reached(registry.delete("task", "old"), SOON)

        assert [type(each) for each in told] == [Stored, Removed]
        assert told[1] == Removed("task", "old", 0)
        assert names(replica, "task") == [("new", 0)]
        forget()
        forget()
        await replica.reached(registry.put("task", "newer"), SOON)
        assert len(told) == 2


async def test_what_was_put_together_is_seen_together(
    registry: Watched, address: str, path: Path
) -> None:
    async with replica_of(address, path) as replica:
        await until(replica, lambda: not replica.stale)
        seen: list[list[tuple[str, int]]] = []
        replica.subscribe(lambda _: seen.append(names(replica, "task")))

        await replica.reached(registry.put_together(("task", "a"), ("task", "b")), SOON)

        assert seen == [[("a", 0), ("b", 0)]] * 2


async def test_a_subscriber_that_fails_does_not_stop_the_others(
    registry: Watched, address: str, path: Path
) -> None:
    def failing(_: object) -> None:
        raise ValueError("cannot read it")

    async with replica_of(address, path) as replica:
        await until(replica, lambda: not replica.stale)
        told: list[object] = []
        replica.subscribe(failing)
        replica.subscribe(told.append)

        assert await replica.reached(registry.put("task", "a"), SOON)
        assert len(told) == 1


async def test_after_a_break_only_what_is_new_is_asked_for(
    registry: Watched, address: str, path: Path
) -> None:
    registry.put("task", "a")
    async with replica_of(address, path) as replica:
        await replica.reached(1, SOON)
        told: list[object] = []
        replica.subscribe(told.append)

        registry.break_off()
        await until(replica, lambda: len(registry.requests) == 2)
        assert await replica.reached(registry.put("task", "b"), SOON)

        assert registry.requests[1].resume.revision == 1
        assert registry.requests[1].resume.epoch == "first"
        assert names(replica, "task") == [("a", 0), ("b", 0)]
        assert None not in told


async def test_a_break_makes_it_stale_until_caught_up(
    registry: Watched, path: Path, address: str
) -> None:
    async with replica_of(address, path) as replica:
        assert replica.stale
        await until(replica, lambda: not replica.stale)
        registry.break_off()
        await until(replica, lambda: replica.stale)
        await until(replica, lambda: not replica.stale)


async def test_a_compacted_history_gives_a_snapshot_that_drops_what_is_gone(
    registry: Watched, address: str, path: Path
) -> None:
    registry.put("task", "a")
    registry.put("task", "b")
    async with replica_of(address, path) as replica:
        await replica.reached(2, SOON)
    registry.delete("task", "a")
    registry.put("task", "c")
    registry.compacted = 3

    async with replica_of(address, path) as replica:
        told: list[object] = []
        replica.subscribe(told.append)
        assert names(replica, "task") == [("a", 0), ("b", 0)]
        assert await replica.reached(4, SOON)
        assert names(replica, "task") == [("b", 0), ("c", 0)]
        assert told == [None]


async def test_another_store_s_history_is_taken_from_its_start(path: Path) -> None:
    first, second = Watched("first"), Watched("second")
    for name in ("a", "b", "c"):
        first.put("task", name)
    second.put("task", "z")
    async with watching(first) as address, replica_of(address, path) as replica:
        await replica.reached(3, SOON)

    async with watching(second) as address, replica_of(address, path) as replica:
        await until(replica, lambda: names(replica, "task") == [("z", 0)])
        assert replica.revision == 1


async def test_a_snapshot_that_breaks_off_changes_nothing(
    registry: Watched, address: str, path: Path
) -> None:
    registry.put("task", "a")
    registry.put("task", "b")
    async with replica_of(address, path) as replica:
        await replica.reached(2, SOON)
    registry.delete("task", "a")
    registry.put("task", "c")
    registry.compacted, registry.cut_snapshots = 3, 2

    async with replica_of(address, path) as replica:
        seen: list[list[tuple[str, int]]] = []
        replica.subscribe(lambda _: seen.append(names(replica, "task")))
        assert await replica.reached(4, SOON)
        assert registry.cut_snapshots == 0
        assert seen == [[("b", 0), ("c", 0)]]


async def test_with_the_registry_down_a_restart_serves_what_was_known(path: Path) -> None:
    registry = Watched()
    registry.put("application", "shop", id="shop", roles=["WORKER"])
    registry.distrust("k9", keys={"k1": "PEM"})
    async with watching(registry) as address, replica_of(address, path) as replica:
        await replica.reached(1, SOON)
        await until(replica, lambda: replica.revoked("k9"))

    async with replica_of(address, path) as replica:
        assert replica.stale
        assert replica.revision == 1
        application = replica.application("shop")
        assert application is not None
        assert application.roles == {"WORKER"}
        assert replica.public_key("k1") == "PEM"
        assert replica.public_key("k2") is None
        assert replica.revoked("k9")
        assert not await replica.reached(2, timedelta(milliseconds=5))


async def test_a_registry_that_comes_late_is_found(path: Path) -> None:
    # Longer than 0.25 s: the port must be refused at least once before it is served.
    registry = Watched()
    registry.put("task", "a")
    async with watching(registry) as address:
        pass
    async with replica_of(address, path) as replica:
        assert names(replica, "task") == []
        async with watching(registry, address):
            assert await replica.reached(1, SOON)
            assert names(replica, "task") == [("a", 0)]


async def test_who_waits_for_the_first_copy_has_it_and_the_keys_that_verify_tokens(
    registry: Watched, address: str, path: Path
) -> None:
    registry.distrust(keys={"first": "PEM 1"})
    registry.put("workflow", "greet", 1)
    async with replica_of(address, path) as replica:
        assert replica.revision == 0

        await first_copy(replica, asyncio.Event())

        assert names(replica, "workflow") == [("greet", 1)]
        assert replica.public_key("first")


async def test_nobody_waits_for_a_first_copy_who_is_told_to_stop(path: Path) -> None:
    stopping = asyncio.Event()
    stopping.set()
    async with replica_of("127.0.0.1:1", path) as replica:
        await first_copy(replica, stopping)

        assert replica.revision == 0


async def test_a_silent_registry_is_asked_again(
    registry: Watched, address: str, path: Path
) -> None:
    # Longer than 0.25 s: it waits for the delay before the second try, too.
    registry.silent = True
    async with replica_of(address, path, silence=0.03) as replica:
        await until(replica, lambda: len(registry.requests) >= 2)
        assert await replica.reached(registry.put("task", "a"), SOON)


async def test_trust_holds_at_once_and_is_replaced(
    registry: Watched, address: str, path: Path
) -> None:
    async with replica_of(address, path) as replica:
        await until(replica, lambda: not replica.stale)
        registry.distrust("k1", keys={"one": "PEM 1"})
        await until(replica, lambda: replica.revoked("k1"))
        assert replica.public_key("one") == "PEM 1"
        registry.distrust("k2", keys={"two": "PEM 2"})
        await until(replica, lambda: replica.revoked("k2"))
        assert not replica.revoked("k1")
        assert replica.public_key("one") is None


async def test_keys_end_by_themselves_with_the_registry_away_and_over_a_restart(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_800_000_000.0]
    monkeypatch.setattr("services.replica.copy.time.time", lambda: clock[0])
    registry = Watched()
    registry.put("application", "shop", id="shop", enabled=False)
    ends = [pb.AccessKeyEnd(key_id="k1", ends_at=Timestamp(seconds=1_800_000_005))]
    registry.trust = pb.Trust(access_key_ends=ends, revoked_signing_key_ids=["s1"])
    async with watching(registry) as address, replica_of(address, path) as replica:
        await until(replica, lambda: not replica.stale and replica.revoked_signer("s1"))
        assert not replica.revoked("k1")

    async with replica_of(address, path) as replica:
        assert replica.stale
        assert not replica.revoked("k1")
        clock[0] += 5.0
        assert replica.revoked("k1")
        assert replica.revoked_signer("s1")
        assert not replica.revoked_signer("s2")
        application = replica.application("shop")
        assert application is not None
        assert not application.enabled


async def test_an_application_that_changes_has_its_new_rights(
    registry: Watched, address: str, path: Path
) -> None:
    async with replica_of(address, path) as replica:
        assert replica.application("shop") is None
        for roles in (["VIEWER"], ["ADMIN"]):
            revision = registry.put("application", "shop", id="shop", roles=roles)
            await replica.reached(revision, SOON)
            application = replica.application("shop")
            assert application is not None
            assert application.roles == set(roles)
        await replica.reached(registry.delete("application", "shop"), SOON)
        assert replica.application("shop") is None


def scribble(path: Path) -> None:
    path.write_bytes(b"not a database, whatever its name says" * 100)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def replace(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE definitions (a)")


def break_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5 * 4096 :] = b"\xff" * (len(content) - 5 * 4096)
    path.write_bytes(content)


DAMAGES = {each.__name__: each for each in (scribble, truncate, replace, break_pages)}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_broken_file_is_made_anew(
    registry: Watched, address: str, path: Path, damage: str
) -> None:
    for number in range(50):
        registry.put("task", f"t{number}", description="x" * 500)
    async with replica_of(address, path) as replica:
        await replica.reached(50, SOON)
    DAMAGES[damage](path)

    async with replica_of(address, path) as replica:
        assert await replica.reached(50, SOON)
        assert len(names(replica, "task")) == 50


async def test_other_kinds_than_before_are_asked_for_from_the_start(
    registry: Watched, address: str, path: Path
) -> None:
    registry.put("task", "a")
    async with replica_of(address, path, "task") as replica:
        await replica.reached(1, SOON)
    async with replica_of(address, path, "task", "workflow") as replica:
        assert names(replica, "task") == []
        assert await replica.reached(1, SOON)
    assert [list(each.kinds) for each in registry.requests] == [["task"], ["task", "workflow"]]
    assert not registry.requests[1].HasField("resume")


async def test_two_do_not_share_a_file(registry: Watched, address: str, path: Path) -> None:
    # As long as a dying owner is given to let go.
    async with replica_of(address, path):
        with pytest.raises(StorageInUse, match="in use by process"):
            async with replica_of(address, path):
                pass


async def test_a_file_that_can_no_longer_be_written_stops_nobody(
    registry: Watched, address: str, path: Path
) -> None:
    async with replica_of(address, path) as replica:
        await replica.reached(registry.put("task", "a"), SOON)
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE place")
        assert await replica.reached(registry.put("task", "b"), SOON)
        assert names(replica, "task") == [("a", 0), ("b", 0)]

    async with replica_of(address, path) as replica:
        assert await replica.reached(2, SOON)
        assert names(replica, "task") == [("a", 0), ("b", 0)]


async def test_it_ends_while_the_registry_hangs(path: Path) -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with replica_of(f"{host}:{port}", path) as replica:
        assert replica.stale
    server.close()


async def test_a_refused_watch_is_tried_again(path: Path) -> None:
    class Refusing(Watched):
        async def WatchDefinitions(  # noqa: N802 - the proto's
            self, request: pb.WatchDefinitionsRequest, context: Any
        ) -> AsyncIterator[pb.WatchDefinitionsResponse]:
            self.requests.append(request)
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
            yield pb.WatchDefinitionsResponse()

    registry = Refusing()
    async with watching(registry) as address, replica_of(address, path) as replica:
        await until(replica, lambda: len(registry.requests) >= 2)
        assert replica.stale
