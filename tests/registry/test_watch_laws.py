"""Laws of watching: whoever comes and goes at any moment holds what the store holds."""

from __future__ import annotations

import tempfile
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from hypothesis import given, settings, strategies as st
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.registry import store
from services.registry.changes import Changes
from services.registry.commits import Commits
from services.registry.migrations import migrations
from services.registry.store import Write
from services.registry.trust import RegistryAuthority, Trusted
from services.storage import opened

KEPT_REVISIONS = 3

NAMES = st.sampled_from("abc")
PUT = st.tuples(st.just("put"), NAMES, st.integers(0, 9))
DELETE = st.tuples(st.just("delete"), NAMES, st.just(0))
# A watcher reads at most so many events, and leaves.
VISIT = st.tuples(st.just("visit"), st.just(""), st.integers(1, 12))


@dataclass
class Watcher:
    """Holds what it was told, gathered until it is caught up, as a copy of definitions does."""

    held: dict[str, str] = field(default_factory=dict)
    token: pb.ResumeToken | None = None

    async def visit(self, changes: Changes, most: int) -> None:
        gathered, read = dict(self.held), 0
        async with aclosing(changes.watch(self.token, (), lambda s: s.document)) as events:
            async for event in events:
                read += 1
                change = event.change.definition
                match event.WhichOneof("event"):
                    case "snapshot_started":
                        gathered = {}
                    case "change" if event.change.deleted:
                        gathered.pop(change.name, None)
                    case "change":
                        gathered[change.name] = change.document
                    case "caught_up":
                        self.held, self.token = gathered, event.resume
                        return
                if read == most:
                    return


def _put(db: Database, now: datetime, *, name: str, value: int) -> None:
    store.put(db, Write("workflow", name, 1, f"{value}"), "somebody", now)


def _delete(db: Database, now: datetime, *, name: str) -> None:
    state = store.find(db, "workflow", name)
    if state is not None:
        store.delete(db, state, "somebody", now)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.one_of(PUT, PUT, DELETE, VISIT), max_size=25))
async def test_a_watcher_that_comes_and_goes_holds_what_the_store_holds(
    steps: list[tuple[str, str, int]],
) -> None:
    """Makes a database for every example: takes a second."""
    watcher = Watcher()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder) / "registry.db", migrations) as storage:
            changes = Changes(storage, "an epoch", timedelta(seconds=60))
            authority = RegistryAuthority(Trusted())
            commits = Commits(storage, changes, authority, KEPT_REVISIONS)
            for what, name, number in steps:
                if what == "put":
                    await commits.commit(partial(_put, name=name, value=number))
                elif what == "delete":
                    await commits.commit(partial(_delete, name=name))
                else:
                    await watcher.visit(changes, number)
            await watcher.visit(changes, 1 << 30)
            stored = await storage.transact(
                lambda db: {state.name: state.document for state in store.listed(db)}
            )

    assert watcher.held == stored
