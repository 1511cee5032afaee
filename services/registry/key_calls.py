"""What callers ask about gateway keys: list, create, roll, revoke."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.auditing import Entry
from services.errors import Conflict, InvalidRequest, Stale
from services.registry import api_keys, audit, documents, requested, store, writeonly
from services.registry.api_keys import Change
from services.registry.commits import Commits
from services.registry.definition_calls import entry_of
from services.registry.definitions import Definition, Document, examine
from services.registry.messages import api_key_message
from services.registry.permissions import Caller
from services.registry.requested import Naming
from services.registry.store import Stored, Write
from services.storage import Storage

Changing = Callable[[Document, datetime], Change]


class KeyCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage, commits: Commits, naming: Naming) -> None:
        self._storage = storage
        self._commits = commits
        self._naming = naming

    async def list(self, caller: Caller, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
        """The keys of an auth definition."""

        def work(db: Database) -> Stored:
            caller.check("READ", "auth", request.auth_id, store.find(db, "auth", request.auth_id))
            return store.get(db, "auth", request.auth_id)

        state = await self._storage.transact(work)
        found = api_keys.listed(documents.stored(state.document))
        return pb.ListApiKeysResponse(
            api_keys=[api_key_message(state.name, key) for key in found], etag=state.etag
        )

    async def create(
        self, caller: Caller, request: pb.CreateApiKeyRequest
    ) -> pb.CreateApiKeyResponse:
        """One more key."""
        key, end = self._key(caller, request), _end(request)

        def change(auth: Document, now: datetime) -> Change:
            return api_keys.created(auth, request.name, key, end, now)

        done, revision = await self._change(
            caller, request.auth_id, request.etag, "create-key", change, key=key
        )
        assert done.made is not None
        made = api_key_message(request.auth_id, done.made)
        return pb.CreateApiKeyResponse(api_key=made, key=key, revision=revision)

    async def roll(self, caller: Caller, request: pb.RollApiKeyRequest) -> pb.RollApiKeyResponse:
        """A key in the place of another."""
        key, end, overlap = self._key(caller, request), _end(request), length(request.overlap)

        def change(auth: Document, now: datetime) -> Change:
            return api_keys.rolled(auth, request.name, key, overlap, end, now)

        done, revision = await self._change(
            caller, request.auth_id, request.etag, "roll-key", change, key=key
        )
        assert done.made is not None
        return pb.RollApiKeyResponse(
            api_key=api_key_message(request.auth_id, done.made),
            key=key,
            replaced=[api_key_message(request.auth_id, each) for each in done.ended],
            revision=revision,
        )

    async def revoke(
        self, caller: Caller, request: pb.RevokeApiKeyRequest
    ) -> pb.RevokeApiKeyResponse:
        """End a key."""

        def change(auth: Document, now: datetime) -> Change:
            return api_keys.revoked(auth, request.name, now, even_last=request.even_last)

        _, revision = await self._change(
            caller, request.auth_id, request.etag, "revoke-key", change
        )
        return pb.RevokeApiKeyResponse(revision=revision)

    def _key(self, caller: Caller, request: pb.CreateApiKeyRequest | pb.RollApiKeyRequest) -> str:
        secret = requested.secret(self._naming, request.request_id, caller.name, request)
        return writeonly.gateway_key(secret)

    async def _change(
        self,
        caller: Caller,
        auth_id: str,
        etag: str,
        action: str,
        change: Changing,
        *,
        key: str = "",
    ) -> tuple[Change, int]:
        """What ``change`` did, stored, and the revision; ``key`` is what somebody gets by it."""

        def work(db: Database, now: datetime) -> tuple[Change, int]:
            caller.check("UPDATE", "auth", auth_id, store.find(db, "auth", auth_id))
            state = store.get(db, "auth", auth_id)
            auth = documents.stored(state.document)
            if key:
                definition = Definition("auth", auth_id, 1, auth)
                caller.check_together(definition, state, partial(_found, db))
            if key and (known := api_keys.known(auth, key)) is not None:
                # The request has been answered before.
                assert known.made is not None
                title = f"gateway key {known.made.name!r}"
                requested.check_repeat(title, known.made.created_at, now)
                detail = f"Told {title} again, to the request that made it."
                audit.write(db, now, Entry(caller.name, action, "auth", auth_id, detail))
                return known, state.revision
            if key and not requested.note(db, key):
                raise Conflict("That request made a key that has ended since: ask for another.")
            if etag and etag != state.etag:
                raise Stale(
                    f"Somebody else has changed {state} since you read it: read it again.",
                    kind="auth",
                    name=auth_id,
                )
            done = change(auth, now)
            new = store.put(db, _write(state, done.document), caller.name, now)
            audit.write(db, now, entry_of(caller.name, action, _told(done), state, new))
            return done, new.revision

        return await self._commits.commit(work)


def _found(db: Database, kind: str, name: str, version: int | None) -> Document | None:
    state = store.find(db, kind, name, version or 0)
    return documents.stored(state.document) if state else None


def _write(state: Stored, auth: Document) -> Write:
    draft = examine(writeonly.readable("auth", auth)).draft
    uses = draft.references if draft else ()
    return Write(state.kind, state.name, state.version, documents.written(auth), uses)


def _told(done: Change) -> str:
    ended = ", ".join(repr(key.name) for key in done.ended)
    if done.made is None:
        return f"Revoked gateway key {ended}."
    made = f"Made gateway key {done.made.name!r}"
    return f"{made} in the place of {ended}." if ended else f"{made}."


def _end(request: pb.CreateApiKeyRequest | pb.RollApiKeyRequest) -> datetime | None:
    return moment(request.expires_at) if request.HasField("expires_at") else None


def moment(stamp: Timestamp, name: str = "expires_at") -> datetime:
    """As it says. Raises :class:`InvalidRequest`, by the field's ``name``, if it is none."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{name} is no moment.") from error


def length(duration: Duration) -> timedelta:
    """As it says. Raises :class:`InvalidRequest`, of the field ``overlap``, if it is none."""
    try:
        return duration.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("overlap is no length of time.") from error
