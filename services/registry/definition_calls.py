"""What callers ask about definitions: put, get, list, history, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import InvalidRequest, NotFound
from services.registry import audit, keys, pages, puts, removal, store, writeonly
from services.registry.audit import Entry
from services.registry.commits import Commits
from services.registry.definitions import KINDS
from services.registry.messages import to_message
from services.registry.permissions import Caller
from services.registry.puts import Planned, Put
from services.registry.scripts import ScriptChecks
from services.registry.store import Stored
from services.registry.trust import require_an_administrator
from services.storage import Storage

MOST_PUTS = 1_000

Outcomes = list[tuple[Planned, Stored]]


class _OnlyTried(Exception):
    """Undoes a dry run; carries what it would have done."""

    def __init__(self, done: Outcomes) -> None:
        super().__init__("a dry run")
        self.done = done


class DefinitionCalls:
    """Answers from one store."""

    def __init__(
        self, storage: Storage, commits: Commits, scripts: ScriptChecks, seals: writeonly.Seals
    ) -> None:
        self._storage = storage
        self._commits = commits
        self._scripts = scripts
        self._seals = seals

    async def put(
        self, caller: Caller, request: pb.PutDefinitionsRequest
    ) -> pb.PutDefinitionsResponse:
        """Store all documents or none."""
        if len(request.puts) > MOST_PUTS:
            raise InvalidRequest(f"At most {MOST_PUTS} documents are put at once.")
        read = await asyncio.to_thread(_read, request.puts)
        read = [await puts.with_scripts(put, self._scripts.check) for put in read]

        def work(db: Database, now: datetime) -> Outcomes:
            planned = puts.plan(db, read, caller.check_put, self._seals, now)
            done = [(each, _write(db, each, caller, now)) for each in planned]
            if any(each.definition.kind == "application" and each.write for each in planned):
                require_an_administrator(db, now)
            if request.dry_run:
                raise _OnlyTried(done)
            return done

        try:
            done = await self._commits.commit(work)
        except _OnlyTried as tried:
            done = tried.done
        return pb.PutDefinitionsResponse(
            results=[_result(each, state, dry_run=request.dry_run) for each, state in done],
            revision=await self._storage.transact(store.revision),
        )

    async def get(
        self, caller: Caller, request: pb.GetDefinitionRequest
    ) -> pb.GetDefinitionResponse:
        """One definition, as it may be read back."""
        _check_kind(request.kind)
        kind, name, version = request.kind, request.name, request.version

        def work(db: Database) -> Stored:
            caller.check("READ", kind, name, store.find(db, kind, name, version))
            return store.get(db, kind, name, version)

        state = await self._storage.transact(work)
        return pb.GetDefinitionResponse(
            definition=to_message(state, writeonly.readable_text(state))
        )

    async def list(
        self, caller: Caller, request: pb.ListDefinitionsRequest
    ) -> pb.ListDefinitionsResponse:
        """A page of what the caller may read."""
        if request.kind:
            _check_kind(request.kind)
        after = pages.key_place(request.page.page_token)
        wanted = request.name_contains.casefold()

        def shown(state: Stored) -> bool:
            return wanted in state.name.casefold() and caller.may_read(state)

        def work(db: Database) -> tuple[list[Stored], bool]:
            listed = store.listed(db, request.kind, after, latest_only=request.latest_only)
            return pages.first(request.page, filter(shown, listed))

        states, more = await self._storage.transact(work)
        return pb.ListDefinitionsResponse(
            definitions=[
                to_message(
                    state, "" if request.without_documents else writeonly.readable_text(state)
                )
                for state in states
            ],
            next_page_token=pages.token(*states[-1].key) if more else "",
        )

    async def history(
        self, caller: Caller, request: pb.ListDefinitionHistoryRequest
    ) -> pb.ListDefinitionHistoryResponse:
        """A page of what a definition was."""
        _check_kind(request.kind)
        before = pages.number_place(request.page.page_token)

        def work(db: Database) -> tuple[list[Stored], bool]:
            key = request.kind, request.name, request.version
            caller.check("READ", *key[:2], store.find(db, *key))
            states, more = pages.first(request.page, store.history(db, *key, before=before))
            if not states and not before:
                raise NotFound(f"There never was a {store.title(*key)}.")
            return states, more

        states, more = await self._storage.transact(work)
        return pb.ListDefinitionHistoryResponse(
            states=[
                pb.DefinitionState(
                    definition=to_message(state, writeonly.readable_text(state)),
                    deleted=state.deleted,
                )
                for state in states
            ],
            next_page_token=pages.token(states[-1].revision) if more else "",
        )

    async def delete(
        self, caller: Caller, request: pb.DeleteDefinitionRequest
    ) -> pb.DeleteDefinitionResponse:
        """Remove a definition that nothing uses."""
        _check_kind(request.kind)
        kind, name, version = request.kind, request.name, request.version

        def work(db: Database, now: datetime) -> int:
            caller.check("DELETE", kind, name, store.find(db, kind, name, version))
            gone = removal.remove(db, kind, name, version, request.etag, caller.name, now)
            entries = [
                Entry(caller.name, "delete", kind, name, f"Deleted {state}.") for state in gone
            ]
            audit.write(db, now, *entries)
            if kind == "application":
                keys.revoke_all(db, name, now)
                require_an_administrator(db, now)
            return store.revision(db)

        return pb.DeleteDefinitionResponse(revision=await self._commits.commit(work))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InvalidRequest(
            f"There is no kind {kind!r}: it is one of {', '.join(KINDS)}.", kind=kind
        )


def _read(asked: Sequence[pb.DocumentPut]) -> list[Put]:
    several = len(asked) > 1
    return [
        puts.read(
            put.document, at=put.origin or (f"puts[{number}]" if several else ""), etag=put.etag
        )
        for number, put in enumerate(asked)
    ]


def _write(db: Database, planned: Planned, caller: Caller, now: datetime) -> Stored:
    if planned.write is None and planned.before is not None:
        return planned.before
    assert planned.write is not None
    state = store.put(db, planned.write, caller.name, now)
    action = "change" if planned.before else "create"
    detail = f"{action.capitalize()}d {state} at revision {state.revision}."
    audit.write(db, now, Entry(caller.name, action, state.kind, state.name, detail))
    return state


def _result(planned: Planned, state: Stored, *, dry_run: bool) -> pb.PutResult:
    outcome = pb.OUTCOME_CHANGED if planned.before else pb.OUTCOME_CREATED
    if planned.write is None:
        outcome = pb.OUTCOME_UNCHANGED
    definition = to_message(state)
    warnings = list(planned.warnings)
    generated = planned.generated
    if dry_run and planned.write is not None:
        definition = pb.Definition(kind=state.kind, name=state.name, version=state.version)
    if dry_run and generated:
        warnings.append("apiKeys: none is given, so a key will be generated")
        generated = ()
    return pb.PutResult(
        definition=definition,
        outcome=outcome,
        warnings=warnings,
        generated_keys=[pb.GeneratedKey(name=name, key=key) for name, key in generated],
    )
