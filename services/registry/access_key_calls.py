"""What callers ask about access keys: create, list, roll, revoke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict, InvalidRequest, NotFound
from services.registry import audit, keys, requested, store
from services.registry.audit import Entry
from services.registry.commits import Commits
from services.registry.key_calls import length, moment
from services.registry.keys import AccessKey
from services.registry.messages import key_message
from services.registry.permissions import Caller
from services.registry.requested import Naming
from services.registry.trust import require_an_administrator
from services.storage import Storage

MOST_KEYS = 100
LONGEST_OVERLAP = timedelta(days=3650)


class _Act(NamedTuple):
    """Who does what, as the audit log has it."""

    principal: str
    action: str


class AccessKeyCalls:
    """Answers from one store."""

    def __init__(self, storage: Storage, commits: Commits, naming: Naming) -> None:
        self._storage = storage
        self._commits = commits
        self._naming = naming

    async def create(
        self, caller: Caller, request: pb.CreateAccessKeyRequest
    ) -> pb.CreateAccessKeyResponse:
        """A new key of an application."""
        application, end = request.application_id, _end(request)
        by = _Act(caller.name, "create-key")
        secret = requested.secret(self._naming, request.request_id, caller.name, request)

        def work(db: Database, now: datetime) -> AccessKey:
            store.get(db, "application", application)
            known = keys.listed(db, application)
            if (found := _repeated(db, now, by, known, secret)) is not None:
                return found
            _check_room(known, now)
            return _made(db, now, by, keys.new(application, secret, now, end, caller.name))

        key = await self._commits.commit(work)
        return pb.CreateAccessKeyResponse(access_key=key_message(key), key_secret=secret)

    async def roll(
        self, caller: Caller, request: pb.RollAccessKeyRequest
    ) -> pb.RollAccessKeyResponse:
        """A key in the place of another."""
        end, overlap = _end(request), length(request.overlap)
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidRequest(f"The overlap must be 0 to {LONGEST_OVERLAP.days} days.")
        secret = requested.secret(self._naming, request.request_id, caller.name, request)
        by = _Act(caller.name, "roll-key")

        def work(db: Database, now: datetime) -> tuple[AccessKey, AccessKey]:
            old = _found(db, request.key_id)
            known = keys.listed(db, old.application_id)
            if (found := _repeated(db, now, by, known, secret)) is not None:
                return found, old
            if not old.live(now):
                raise Conflict(f"Access key {old.key_id} opens nothing any more: create another.")
            if overlap:
                _check_room(known, now)
            key = keys.new(old.application_id, secret, now, end, caller.name, old.key_id)
            _made(db, now, by, key)
            keys.end(db, old, now + overlap) if overlap else keys.revoke(db, old.key_id, now)
            require_an_administrator(db, now)
            return key, _found(db, old.key_id)

        key, old = await self._commits.commit(work)
        return pb.RollAccessKeyResponse(
            access_key=key_message(key), key_secret=secret, replaced=key_message(old)
        )

    async def list(
        self, caller: Caller, request: pb.ListAccessKeysRequest
    ) -> pb.ListAccessKeysResponse:
        """The keys of an application, or of all."""

        def work(db: Database) -> list[AccessKey]:
            if request.application_id:
                store.get(db, "application", request.application_id)
            return keys.listed(db, request.application_id)

        found = await self._storage.transact(work)
        return pb.ListAccessKeysResponse(access_keys=map(key_message, found))

    async def revoke(
        self, caller: Caller, request: pb.RevokeAccessKeyRequest
    ) -> pb.RevokeAccessKeyResponse:
        """End a key and its tokens."""

        def work(db: Database, now: datetime) -> None:
            key = _found(db, request.key_id)
            if key.revoked_at is not None:
                return
            keys.revoke(db, key.key_id, now)
            require_an_administrator(db, now)
            by = _Act(caller.name, "revoke-key")
            _note(db, now, by, key, f"Access key {key.key_id}.")

        await self._commits.commit(work)
        return pb.RevokeAccessKeyResponse()


def _repeated(
    db: Database, now: datetime, by: _Act, known: list[AccessKey], secret: str
) -> AccessKey | None:
    """The key of ``secret``, where its request has been answered before; which is noted.

    Raises:
        Conflict: It opens nothing any more, or was made too long ago to be told again.
    """
    found = next((key for key in known if key.secret_hash == keys.hashed(secret)), None)
    if found is None:
        return None
    if found.revoked_at is not None:
        raise Conflict(f"That request made access key {found.key_id}, which is revoked.")
    title = f"access key {found.key_id}"
    requested.check_repeat(title, found.created_at, now)
    _note(db, now, by, found, f"Told the secret of {title} again, to the request that made it.")
    return found


def _made(db: Database, now: datetime, by: _Act, key: AccessKey) -> AccessKey:
    if key.expires_at is not None and key.expires_at <= now:
        raise InvalidRequest("expires_at is not in the future.")
    keys.add(db, key)
    place = f", in the place of {key.replaces}" if key.replaces else ""
    _note(db, now, by, key, f"Access key {key.key_id}{place}.")
    return key


def _note(db: Database, now: datetime, by: _Act, key: AccessKey, detail: str) -> None:
    entry = Entry(by.principal, by.action, "application", key.application_id, detail)
    audit.write(db, now, entry)


def _found(db: Database, key_id: str) -> AccessKey:
    key = keys.find(db, key_id)
    if key is None:
        raise NotFound(f"There is no access key {key_id!r}.", access_key=key_id)
    return key


def _check_room(known: list[AccessKey], now: datetime) -> None:
    if sum(key.live(now) for key in known) >= MOST_KEYS:
        raise InvalidRequest(f"An application has at most {MOST_KEYS} access keys.")


def _end(request: pb.CreateAccessKeyRequest | pb.RollAccessKeyRequest) -> datetime | None:
    return moment(request.expires_at) if request.HasField("expires_at") else None
