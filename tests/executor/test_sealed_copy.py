"""The executor's copy of secrets is sealed anew with the key file, on disk and in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

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
