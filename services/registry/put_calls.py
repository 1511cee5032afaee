"""What changes definitions: documents put and definitions deleted together, and rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict, InvalidRequest, Overloaded, PermissionDenied
from services.registry import audit, documents, puts, removal, store, writeonly
from services.registry.commits import Commits
from services.registry.definition_calls import (
    check_kind,
    check_kinds,
    entry_of,
    write_down_removal,
)
from services.registry.definitions import KINDS
from services.registry.messages import to_message
from services.registry.permissions import Caller
from services.registry.puts import Planned, Put, Terms
from services.registry.removal import Removal
from services.registry.scripts import ScriptChecks
from services.registry.store import Stored
from services.registry.trust import require_an_administrator
from services.storage import Storage

MOST_PUTS = 10_000
# They are for people and for grants, and say nothing of what a definition does.
_MAY_STAY = frozenset(("tags", "description"))
# An answer must fit a message, with the texts of gRPC besides.
_MOST_DOCUMENT_BYTES = 24 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one request did.

    Attributes:
        done: Each document's plan and the state that is stored now, in their order.
        gone: What was deleted.
    """

    done: Sequence[tuple[Planned, Stored]]
    gone: Sequence[Stored] = ()


class _OnlyTried(Exception):
    """Undoes a dry run; carries what it would have done."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("a dry run")
        self.outcome = outcome


class PutCalls:
    """Changes one store."""

    def __init__(
        self,
        storage: Storage,
        commits: Commits,
        scripts: ScriptChecks,
        seals: writeonly.Seals,
        most: int,
    ) -> None:
        self._storage = storage
        self._commits = commits
        self._scripts = scripts
        self._seals = seals
        self._most = most

    async def put(
        self, caller: Caller, request: pb.PutDefinitionsRequest
    ) -> pb.PutDefinitionsResponse:
        """Store all documents and delete all that is to go, or nothing of it."""
        named = _removals(request)
        read = await asyncio.to_thread(_read, request.puts)
        read = [await puts.with_scripts(put, self._scripts.check) for put in read]
        _check_apart(read, named)
        staying = _staying(request)

        def work(db: Database, now: datetime) -> Outcome:
            with_all = [_with_what_stays(db, each, staying) for each in read]
            removals = [*named, *_pruned(db, request, read)]
            _check_many(read, removals)
            for each in removals:
                for found in removal.states(db, each) or (None,):
                    _check_may_delete(caller, each, found, named=bool(named))
            leaving = frozenset(each.name for each in removals if each.kind == "service")
            terms = Terms(
                caller.check_put,
                caller.check_together,
                caller.may_read_document,
                caller.may_name,
                self._seals,
                leaving,
                values_may_lack=request.secrets_may_lack_values,
            )
            planned = puts.plan(db, with_all, terms, now)
            done = [(each, _write(db, each, caller, now)) for each in planned]
            # Afterwards: what is put may have used what goes.
            gone = removal.remove(db, removals, caller.name, now, caller.may_read)
            write_down_removal(db, gone, caller, now)
            return Outcome(done, gone)

        outcome = await self._committed(work, dry_run=request.dry_run)
        show = Shown(caller, with_documents=request.with_documents, dry_run=request.dry_run)
        return pb.PutDefinitionsResponse(
            results=[show.result(each, state) for each, state in outcome.done],
            revision=await self._storage.transact(store.revision),
            deleted=[to_message(state) for state in outcome.gone],
        )

    async def rollback(
        self, caller: Caller, request: pb.RollbackDefinitionRequest
    ) -> pb.RollbackDefinitionResponse:
        """Store an earlier state again."""
        check_kind(request.kind)
        put = await self._earlier(caller, request)
        terms = Terms(
            caller.check_put,
            caller.check_together,
            caller.may_read_document,
            caller.may_name,
            self._seals,
        )

        def work(db: Database, now: datetime) -> Outcome:
            (planned,) = puts.plan(db, [_with_no_new_key(db, put)], terms, now)
            state = _write(db, planned, caller, now, rolled_back_to=request.revision)
            return Outcome([(planned, state)])

        outcome = await self._committed(work, dry_run=request.dry_run)
        ((planned, state),) = outcome.done
        show = Shown(caller, with_documents=True, dry_run=request.dry_run)
        return pb.RollbackDefinitionResponse(
            result=show.result(planned, state),
            revision=await self._storage.transact(store.revision),
        )

    async def _earlier(self, caller: Caller, request: pb.RollbackDefinitionRequest) -> Put:
        """The state that was, as a put of today."""
        kind, name, revision = request.kind, request.name, request.revision

        def work(db: Database) -> Stored:
            # Whoever may not read what was could read it here.
            caller.check("READ", kind, name, store.find(db, kind, name))
            state = store.at(db, kind, name, revision)
            caller.check_state(state)
            return state

        if kind == "secret":
            raise Conflict(
                "The value of a secret is not brought back: put it again.", kind=kind, name=name
            )
        state = await self._storage.transact(work)
        if state.deleted:
            raise Conflict(
                f"At revision {revision} {state} was deleted: choose one before it.",
                kind=kind,
                name=name,
            )
        document = writeonly.readable(kind, documents.stored(state.document))
        # Keys stay as they are now: one that was revoked opens nothing again.
        document.pop("apiKeys", None)
        at = f"revision {revision}"
        put = await asyncio.to_thread(
            puts.read, documents.written(document), at=at, etag=request.etag
        )
        return await puts.with_scripts(put, self._scripts.check)

    def _check_number(self, db: Database, outcome: Outcome) -> None:
        """Whether there is room for what is new. Raises :class:`Overloaded`: there is not."""
        new = sum(each.before is None for each, _ in outcome.done)
        # What others have put beyond a limit that was lowered stays, and may be changed.
        if new and new > len(outcome.gone) and store.number(db) > self._most:
            raise Overloaded(
                f"More than {self._most:,} definitions would be stored, versions of workflows "
                "counted: delete or prune some, or raise PODIUM_REGISTRY_DEFINITIONS.",
                limit="PODIUM_REGISTRY_DEFINITIONS",
            )

    async def _committed(
        self, work: Callable[[Database, datetime], Outcome], *, dry_run: bool
    ) -> Outcome:
        """What ``work`` does; undone again if it is only tried."""

        def transaction(db: Database, now: datetime) -> Outcome:
            outcome = work(db, now)
            self._check_number(db, outcome)
            if any(p.definition.kind == "application" and p.write for p, _ in outcome.done):
                require_an_administrator(db, now)
            if dry_run:
                raise _OnlyTried(outcome)
            return outcome

        try:
            return await self._commits.commit(transaction)
        except _OnlyTried as tried:
            return tried.outcome


def _with_no_new_key(db: Database, put: Put) -> Put:
    """``put``, of an auth definition that has no keys now too, with none: one would be made."""
    draft = put.draft
    if draft is None or draft.kind != "auth":
        return put
    now = store.find(db, draft.kind, draft.name)
    if now is None or documents.stored(now.document).get("apiKeys") != []:
        return put
    return replace(put, draft=replace(draft, document={**draft.document, "apiKeys": []}))


def _staying(request: pb.PutDefinitionsRequest) -> frozenset[str]:
    staying = frozenset(request.staying)
    if not staying <= _MAY_STAY:
        raise InvalidRequest("Of a definition only tags and description can stay as they are.")
    return staying


def _with_what_stays(db: Database, put: Put, staying: Collection[str]) -> Put:
    """``put`` with those fields of what is stored that it leaves out."""
    draft, key = put.draft, put.key
    absent = [name for name in sorted(staying) if draft is not None and name not in draft.document]
    if draft is None or key is None or not absent:
        return put
    before = store.find(db, *key) or store.find(db, draft.kind, draft.name)
    stored = documents.stored(before.document) if before else {}
    stays = {name: stored[name] for name in absent if name in stored}
    return replace(put, draft=replace(draft, document={**draft.document, **stays}))


def _removals(request: pb.PutDefinitionsRequest) -> list[Removal]:
    _check_many(request.puts, request.deletes)
    if request.deletes and request.HasField("prune"):
        raise InvalidRequest("What is to be deleted is named or pruned, not both.")
    check_kinds([kind for kind in request.prune.kinds if kind != "*"])
    for each in request.deletes:
        if each.kind != "*":
            check_kind(each.kind)
    return [Removal(each.kind, each.name, each.version, each.etag) for each in request.deletes]


def _check_may_delete(
    caller: Caller, removal: Removal, found: Stored | None, *, named: bool
) -> None:
    """Raise :class:`PermissionDenied`, by no name that the caller neither gave nor may read."""
    try:
        caller.check("DELETE", removal.kind, removal.name, found)
    except PermissionDenied:
        if named or (found is not None and caller.may_read(found)):
            raise
        raise PermissionDenied(
            f"You may not delete every {removal.kind} that would be pruned.", kind=removal.kind
        ) from None


def _check_many(put: Sized, deleted: Sized) -> None:
    if len(put) + len(deleted) > MOST_PUTS:
        raise InvalidRequest(f"At most {MOST_PUTS} definitions are put and deleted at once.")


def _pruned(db: Database, request: pb.PutDefinitionsRequest, read: Sequence[Put]) -> list[Removal]:
    put = {each.key for each in read if each.key}
    if not request.HasField("prune") or len(put) < len(read):
        # Where a fault hides what a document is of, nothing will be done anyway.
        return []
    kinds = frozenset(request.prune.kinds) or {kind for kind, _, _ in put}
    if "*" in kinds:
        kinds = frozenset(KINDS)
    return removal.beside(db, kinds, put, access=request.prune.access)


def _check_apart(read: Sequence[Put], removals: Sequence[Removal]) -> None:
    """Raise :class:`InvalidRequest` if something is both put and deleted."""
    going = {(each.kind, each.name): each for each in removals if not each.version}
    versions = {(each.kind, each.name, each.version): each for each in removals}
    for put in read:
        both = going.get(put.subject or ("", "")) or versions.get(put.key or ("", "", 0))
        if both is not None:
            raise InvalidRequest(f"{both} is put and deleted at once.", kind=both.kind)


def _read(asked: Sequence[pb.DocumentPut]) -> list[Put]:
    several = len(asked) > 1
    return [
        puts.read(
            put.document, at=put.origin or (f"puts[{number}]" if several else ""), etag=put.etag
        )
        for number, put in enumerate(asked)
    ]


def _write(
    db: Database, planned: Planned, caller: Caller, now: datetime, *, rolled_back_to: int = 0
) -> Stored:
    if planned.write is None and planned.before is not None:
        return planned.before
    assert planned.write is not None
    state = store.put(db, planned.write, caller.name, now)
    action = "change" if planned.before else "create"
    detail = f"{action.capitalize()}d {state} at revision {state.revision}."
    if rolled_back_to:
        action = "rollback"
        detail = f"Rolled {state} back to revision {rolled_back_to}, as {state.revision}."
    audit.write(db, now, entry_of(caller.name, action, detail, planned.before, state))
    return state


class Shown:
    """What a caller is shown of what was done, as far as there is room for documents."""

    def __init__(self, caller: Caller, *, with_documents: bool, dry_run: bool) -> None:
        self._caller = caller
        self._dry_run = dry_run
        self._room = _MOST_DOCUMENT_BYTES if with_documents else 0

    def result(self, planned: Planned, state: Stored) -> pb.PutResult:
        """What became of one document."""
        outcome = pb.OUTCOME_CHANGED if planned.before else pb.OUTCOME_CREATED
        if planned.write is None:
            outcome = pb.OUTCOME_UNCHANGED
        definition = to_message(state)
        warnings, generated = list(planned.warnings), planned.generated
        if self._dry_run and planned.write is not None:
            definition = pb.Definition(kind=state.kind, name=state.name, version=state.version)
        if self._dry_run and generated:
            warnings.append("apiKeys: none is given, so a key will be generated")
            generated = ()
        before = ""
        if planned.write is not None:
            before, definition.document = self._documents(planned.before, state)
        return pb.PutResult(
            definition=definition,
            outcome=outcome,
            warnings=warnings,
            generated_keys=[pb.GeneratedKey(name=name, key=key) for name, key in generated],
            before=before,
        )

    def _documents(self, before: Stored | None, after: Stored) -> tuple[str, str]:
        """As they may be read, before and after; both empty without the right or the room."""
        if self._room <= 0 or (before is not None and not self._caller.may_read(before)):
            return "", ""
        texts = _side_by_side(before, after)
        self._room -= sum(len(text.encode()) for text in texts)
        return texts if self._room > 0 else ("", "")


def _side_by_side(before: Stored | None, after: Stored) -> tuple[str, str]:
    if before is None or after.kind != "auth":
        return writeonly.readable_text(before) if before else "", writeonly.readable_text(after)
    states = documents.stored(before.document), documents.stored(after.document)
    old, new = writeonly.compared(*states)
    return documents.written(old), documents.written(new)
