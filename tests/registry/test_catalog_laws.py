"""Laws of watching what may be read: whoever comes and goes holds that, and was told no more."""

from __future__ import annotations

import json
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
from services.registry.catalog import Catalog
from services.registry.changes import Changes
from services.registry.commits import Commits
from services.registry.migrations import migrations
from services.registry.permissions import Caller
from services.registry.store import Write
from services.registry.trust import RegistryAuthority, Trusted
from services.storage import opened

KEPT_REVISIONS = 3

NAMES = st.sampled_from("abc")
PUT = st.tuples(st.just("put"), NAMES, st.integers(0, 9), st.booleans())
DELETE = st.tuples(st.just("delete"), NAMES, st.just(0), st.just(False))
# The reader may read what is open, or the workflow 'a'.
GRANT = st.tuples(st.just("grant"), st.just(""), st.just(0), st.booleans())
# A watcher reads at most so many events, and leaves.
VISIT = st.tuples(st.just("visit"), st.just(""), st.integers(1, 12), st.just(False))


@dataclass
class Watcher:
    """Holds what it was told, gathered until it is caught up."""

    held: dict[str, str] = field(default_factory=dict)
    token: pb.ResumeToken = field(default_factory=pb.ResumeToken)
    told: set[str] = field(default_factory=set)

    async def visit(self, catalog: Catalog, caller: Caller, most: int) -> None:
        gathered, read = dict(self.held), 0
        request = pb.WatchCatalogRequest(resume=self.token, kinds=["workflow"])
        async with aclosing(catalog.watch(caller.as_of_now(), request)) as events:
            async for event in events:
                read += 1
                if event.HasField("snapshot_started"):
                    gathered = {}
                for state in event.changes.states:
                    gathered.pop(state.definition.name, None)
                    if not state.deleted:
                        gathered[state.definition.name] = state.definition.document
                        self.told.add(state.definition.document)
                if event.HasField("caught_up"):
                    self.held, self.token = gathered, event.resume
                    return
                if read == most:
                    return


def _put(db: Database, now: datetime, *, name: str, value: int, is_open: bool) -> None:
    document = {"name": name, "value": value, "tags": ["open" if is_open else "closed"]}
    store.put(db, Write("workflow", name, 1, json.dumps(document)), "somebody", now)


def _delete(db: Database, now: datetime, *, name: str) -> None:
    state = store.find(db, "workflow", name)
    if state is not None:
        store.delete(db, state, "somebody", now)


def _grant(db: Database, now: datetime, *, by_tag: bool) -> None:
    target = {"type": "tag", "id": "open"} if by_tag else {"type": "workflow", "id": "a"}
    document = {"id": "reader", "permissions": [{"target": target, "access": ["READ"]}]}
    store.put(db, Write("application", "reader", 0, json.dumps(document)), "somebody", now)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.one_of(PUT, PUT, DELETE, GRANT, VISIT), max_size=25))
async def test_a_watcher_that_comes_and_goes_holds_what_it_may_read(
    steps: list[tuple[str, str, int, bool]],
) -> None:
    """Makes a database for every example: takes seconds."""
    watcher, readable = Watcher(), set[str]()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder) / "registry.db", migrations) as storage:
            changes = Changes(storage, "an epoch", timedelta(seconds=60))
            authority = RegistryAuthority(Trusted())
            commits = Commits(storage, changes, authority, KEPT_REVISIONS)
            catalog = Catalog(changes)

            async def may_read() -> dict[str, str]:
                application = authority.application("reader")
                now = Caller("application:reader", "", application, authority)
                states = await storage.transact(lambda db: list(store.listed(db, "workflow")))
                return {state.name: state.document for state in states if now.may_read(state)}

            await commits.commit(partial(_grant, by_tag=True))
            caller = Caller("application:reader", "", authority.application("reader"), authority)
            for what, name, number, said in steps:
                match what:
                    case "put":
                        await commits.commit(partial(_put, name=name, value=number, is_open=said))
                    case "delete":
                        await commits.commit(partial(_delete, name=name))
                    case "grant":
                        await commits.commit(partial(_grant, by_tag=said))
                    case _:
                        await watcher.visit(catalog, caller, number)
                readable.update((await may_read()).values())
            await watcher.visit(catalog, caller, 1 << 30)
            held = await may_read()

    assert watcher.held == held
    assert watcher.told <= readable
