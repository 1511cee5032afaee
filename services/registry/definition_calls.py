"""What callers ask about definitions: get, list, history, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.auditing import Entry
from services.errors import InvalidRequest, NotFound
from services.registry import audit, keys, pages, removal, store, writeonly
from services.registry.commits import Commits
from services.registry.definitions import KINDS
from services.registry.messages import to_message
from services.registry.permissions import Caller
from services.registry.store import Stored
from services.registry.trust import require_an_administrator
from services.storage import Storage


class DefinitionCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage, commits: Commits) -> None:
        self._storage = storage
        self._commits = commits

    async def get(
        self, caller: Caller, request: pb.GetDefinitionRequest
    ) -> pb.GetDefinitionResponse:
        """One definition, as it may be read back."""
        check_kind(request.kind)
        kind, name, version = request.kind, request.name, request.version

        def work(db: Database) -> Stored:
            caller.check("READ", kind, name, store.find(db, kind, name, version))
            if request.revision:
                state = store.at(db, kind, name, request.revision)
                caller.check_state(state)
                return state
            return store.get(db, kind, name, version)

        state = await self._storage.transact(work)
        if state.deleted:
            raise NotFound(f"At revision {state.revision} {state} was deleted.")
        return pb.GetDefinitionResponse(
            definition=to_message(state, writeonly.readable_text(state))
        )

    async def list(
        self, caller: Caller, request: pb.ListDefinitionsRequest
    ) -> pb.ListDefinitionsResponse:
        """A page of what the caller may read."""
        caller.check_reads()
        if request.kind:
            check_kind(request.kind)
        after = pages.key_place(request.page.page_token)
        wanted = request.name_contains.casefold()

        def shown(state: Stored) -> bool:
            return wanted in state.name.casefold() and caller.may_read(state)

        def work(db: Database) -> tuple[list[Stored], bool]:
            listed = store.listed(
                db, request.kind, after, name=request.name, latest_only=request.latest_only
            )
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
        check_kind(request.kind)
        before = pages.number_place(request.page.page_token)

        def work(db: Database) -> tuple[list[Stored], bool]:
            key = request.kind, request.name, request.version
            caller.check("READ", *key[:2], store.find(db, *key))
            # Of before it had the tag by which it is read, a reader is told nothing.
            told = filter(caller.may_read, store.history(db, *key, before=before))
            states, more = pages.first(request.page, told)
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
        check_kind(request.kind)
        kind, name, version = request.kind, request.name, request.version

        def work(db: Database, now: datetime) -> int:
            asked = removal.Removal(kind, name, version, request.etag)
            for state in removal.states(db, asked) or (None,):
                caller.check("DELETE", kind, name, state)
            gone = removal.remove(db, [asked], caller.name, now, caller.may_read)
            write_down_removal(db, gone, caller, now)
            return store.revision(db)

        return pb.DeleteDefinitionResponse(revision=await self._commits.commit(work))


def write_down_removal(db: Database, gone: Sequence[Stored], caller: Caller, now: datetime) -> None:
    """Who deleted ``gone``; the access keys of applications go with them.

    Raises:
        Conflict: Nobody could administer any more.
    """
    for each in gone:
        # The newest of its history says that it is gone.
        revision = next(store.history(db, *each.key)).revision
        after = replace(each, revision=revision, etag="")
        audit.write(db, now, entry_of(caller.name, "delete", f"Deleted {each}.", each, after))
    applications = [state.name for state in gone if state.kind == "application"]
    for name in applications:
        keys.revoke_all(db, name, now)
    if applications:
        require_an_administrator(db, now)


def entry_of(who: str, action: str, detail: str, before: Stored | None, after: Stored) -> Entry:
    """The entry of a definition that was one thing and is another."""
    return Entry(
        who,
        action,
        after.kind,
        after.name,
        detail,
        version=after.version,
        revision_before=before.revision if before else 0,
        revision=after.revision,
        before=before.etag if before else "",
        after=after.etag,
    )


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise :class:`InvalidRequest` if there is no such kind, or they are more than there are."""
    # Each costs a look, for which others wait.
    if len(kinds) > len(KINDS):
        raise InvalidRequest(f"There are {len(KINDS)} kinds, and not {len(kinds)}.")
    for kind in kinds:
        check_kind(kind)


def check_kind(kind: str) -> None:
    """Raise :class:`InvalidRequest` if there is no such kind."""
    if kind not in KINDS:
        raise InvalidRequest(
            f"There is no kind {kind!r}: it is one of {', '.join(KINDS)}.", kind=kind
        )
