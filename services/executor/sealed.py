"""What is sealed in the executor's copy of the definitions: on disk, and in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from services.replica import Replica, Stored, disk
from services.replica.copy import Change
from services.resealing import Place, Resealing, Thing, resealing
from services.sealing import Sealer, Unsealable
from services.secret_documents import seals_in, with_seals
from services.storage import opened_beside

SECRET = "secret"


class SealedInCopy:
    """A :class:`services.resealing.Store`."""

    kinds: tuple[str, ...] = (SECRET,)

    def page(self, db: Database, kind: str, after: Place | None, most: int) -> list[Thing]:
        rows = db.execute(
            "SELECT name, document FROM definitions WHERE kind = ? AND name > ? "
            "ORDER BY name LIMIT ?",
            [kind, *(after or ("",)), most],
        )
        return [Thing(kind, name, (name,), seals_in(json.loads(text))) for name, text in rows]

    def write(self, db: Database, thing: Thing, seals: tuple[str, ...]) -> None:
        key = thing.kind, thing.name
        (text,) = db.execute(
            "SELECT document FROM definitions WHERE (kind, name) = (?, ?)", key
        ).fetchone()
        db.execute(
            "UPDATE definitions SET document = ? WHERE (kind, name) = (?, ?)",
            [_written(with_seals(json.loads(text), seals)), *key],
        )


@asynccontextmanager
async def resealing_copy(path: Path, replica: Replica, sealer: Sealer) -> AsyncGenerator[Resealing]:
    """The copy at ``path``, which ``replica`` holds, is sealed by the first key while inside."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(opened_beside(path, disk.migrations))
        in_memory = partial(replica.reword, SECRET, partial(_resealed, sealer))
        sealed = resealing(storage, SealedInCopy(), sealer, in_memory)
        keeping = await stack.enter_async_context(sealed)

        def told(change: Change | None) -> None:
            # The registry may have sealed it before it had read of the new key.
            if change is None or change.kind == SECRET:
                keeping.wake()

        stack.callback(replica.subscribe(told))
        yield keeping


def _resealed(sealer: Sealer, stored: Stored) -> Stored:
    seals = seals_in(stored.document)
    try:
        again = tuple(map(sealer.resealed, seals))
    except Unsealable:
        return stored
    if again == seals:
        return stored
    return replace(stored, text=_written(with_seals(stored.document, again)))


def _written(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
