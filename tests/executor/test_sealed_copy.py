"""The executor's copy of secrets is sealed anew with the key file, on disk and in memory."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database

from podium.common.v1 import sealing_pb2 as pb
from services.executor.sealed import resealing_copy
from services.replica import Replica, Stored, disk
from services.replica.copy import Place, Trust
from services.resealing import Resealing
from services.sealing import Sealer, sealed_by, sealer_of
from services.storage import opened

OLD, NEW = "o" * 32, "n" * 32


async def test_a_copy_is_sealed_anew_and_keeps_nothing_that_the_old_key_opens(
    tmp_path: Path,
) -> None:
    keys, path = tmp_path / "k", tmp_path / "copy.db"
    keys.write_text(OLD)
    sealer = sealer_of(keys)
    old_id, trust = sealer.key_id, Trust({}, frozenset())
    stored = [secret(f"S{n}", sealer.seal(f"value {n}")) for n in range(300)]
    kept = disk.Kept(("secret",), Place("e", 300), trust)
    async with opened(path, disk.migrations) as storage:
        await storage.transact(partial(disk.save, changes=stored, kept=kept, whole=True))
        replica = Replica(stored, kept.place, trust)
        async with resealing_copy(path, replica, sealer) as sealed, asyncio.timeout(30):
            keys.with_name("new").write_text(f"{NEW}\n{OLD}\n")
            keys.with_name("new").replace(keys)
            await until(sealed, lambda told: told.keys[0].seals == 300 and not told.unclean)
            # As a registry tells it that has not read of the new key yet.
            late = secret("S0", sealer_of_old(tmp_path).seal("another"))
            await storage.transact(partial(disk.save, changes=[late], kept=kept, whole=False))
            replica.apply([late], kept.place)
            await until(sealed, lambda told: sealed_by(value(replica, "S0")) != old_id)
            await until(sealed, lambda told: not told.unclean)

    values = {sealed_by(value(replica, each.name)) for each in stored}
    assert values == {sealer.key_id}
    assert sealer.open(value(replica, "S0")) == "another"
    assert sealer.open(value(replica, "S7")) == "value 7"
    assert old_id.encode() not in bytes_of(path)


RESEALS = """
import asyncio, os, signal, sys
from pathlib import Path
from services.executor.sealed import SealedInCopy, resealing_copy
from services.replica import Replica, disk
from services.replica.copy import Place, Trust
from services.sealing import sealer_of
from services.storage import Storage, opened

write, left = SealedInCopy.write, int(sys.argv[3])

def dying(*written):
    global left
    write(*written)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

async def at_rewriting(storage):
    os.kill(os.getpid(), signal.SIGKILL)

SealedInCopy.write, Storage.rewrite = dying, at_rewriting

async def main(path, keys):
    replica = Replica((), Place("e", 1), Trust({}, frozenset()))
    async with opened(path, disk.migrations):
        async with resealing_copy(path, replica, sealer_of(keys)):
            await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


# Each has a process of its own, which takes most of a second to begin.
@pytest.mark.parametrize(("writes", "committed"), [(450, 400), (601, 600)])
async def test_a_kill_in_the_middle_loses_nothing_and_leaves_nothing_by_the_old_key(
    tmp_path: Path, writes: int, committed: int
) -> None:
    keys, path = tmp_path / "k", tmp_path / "copy.db"
    keys.write_text(OLD)
    old, trust = sealer_of(keys), Trust({}, frozenset())
    stored = [secret(f"S{n:03}", old.seal(f"value {n}")) for n in range(600)]
    kept = disk.Kept(("secret",), Place("e", 1), trust)
    async with opened(path, disk.migrations) as storage:
        await storage.transact(partial(disk.save, changes=stored, kept=kept, whole=True))
    keys.write_text(f"{NEW}\n{OLD}\n")

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RESEALS, str(path), str(keys), str(writes)
    )
    assert await child.wait() == -signal.SIGKILL

    async with opened(path, disk.migrations) as storage, asyncio.timeout(30):
        half = await storage.transact(documents)
        replica = Replica((), kept.place, trust)
        async with resealing_copy(path, replica, sealer_of(keys)) as sealed:
            await until(sealed, lambda told: told.keys[0].seals == 600 and not told.unclean)
        whole = await storage.transact(documents)
    both = sealer_of(keys)
    assert [sealed_by(each) for each in half].count(both.key_id) == committed
    values = [f"value {n}" for n in range(600)]
    assert [both.open(each) for each in half] == values
    assert [both.open(each) for each in whole] == values
    assert old.key_id.encode() not in bytes_of(path)


def documents(db: Database) -> list[str]:
    """The sealed values, by the names of the secrets."""
    rows = db.execute("SELECT document FROM definitions ORDER BY name").fetchall()
    return [json.loads(text)["value"] for (text,) in rows]


async def until(sealed: Resealing, holds: Callable[[pb.Sealing], bool]) -> None:
    while True:
        if holds(await sealed.standing()):
            return
        await asyncio.sleep(0.02)


def bytes_of(path: Path) -> bytes:
    """All that the files of a database hold."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def secret(name: str, sealed: str) -> Stored:
    document = json.dumps({"kind": "secret", "name": name, "value": sealed})
    return Stored("secret", name, 0, 1, "etag", document)


def value(replica: Replica, name: str) -> str:
    found = replica.get("secret", name)
    assert found is not None
    text: str = found.document["value"]
    return text


def sealer_of_old(folder: Path) -> Sealer:
    (folder / "old").write_text(OLD)
    return sealer_of(folder / "old")
