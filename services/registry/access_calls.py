"""What callers ask about access: tokens, access keys, the audit log."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from services.registry import audit, keys, pages, requested, store, tokens
from services.registry.attempts import Attempts
from services.registry.audit import Entry
from services.registry.audit_watch import wanted_entries
from services.registry.commits import Commits
from services.registry.denials import Denials
from services.registry.key_calls import moment
from services.registry.keys import AccessKey
from services.registry.messages import entry_message, key_message, timestamp
from services.registry.permissions import Caller
from services.registry.requested import Naming
from services.registry.tokens import Signer
from services.registry.trust import require_an_administrator
from services.storage import Storage

MOST_KEYS = 100
_LONGEST = 1_024
_UNKNOWN_KEY = "IssueToken: an access key that does not exist."


class AccessCalls:
    """Answers from one store."""

    def __init__(
        self,
        storage: Storage,
        commits: Commits,
        signer: Signer,
        denials: Denials,
        naming: Naming,
    ) -> None:
        self._storage = storage
        self._commits = commits
        self._signer = signer
        self._denials = denials
        self._naming = naming
        self._attempts = Attempts()

    async def issue(self, request: pb.IssueTokenRequest) -> pb.IssueTokenResponse:
        """A token for who proves an access key.

        Raises:
            Unauthenticated: The key or its secret is wrong.
            RateLimited: It is, and so were many before it; ``retry_after_seconds`` says how long.
        """
        key_id, now = request.key_id[:_LONGEST], datetime.now(UTC)
        key = await self._storage.transact(
            lambda db: keys.proven(db, key_id, request.key_secret[:_LONGEST], now)
        )
        if key is None:
            self._check_guessing(key_id, now)
            await self._write_failure_down(key_id)
            raise Unauthenticated("There is no such access key, or the secret is not its.")
        await self._note_use(key, now)
        until = min(filter(None, (now + tokens.LIFETIME, key.expires_at)))
        token = self._signer.token(key.application_id, key.key_id, now, until)
        return pb.IssueTokenResponse(token=token, expires_at=timestamp(until))

    async def _note_use(self, key: AccessKey, now: datetime) -> None:
        if keys.noted(key, now):
            return
        # Where nothing can be written, people must still get in.
        with suppress(Unavailable):
            await self._storage.transact(lambda db: keys.note_use(db, key, now))

    def _check_guessing(self, key_id: str, now: datetime) -> None:
        # Only after the proof: guessing by strangers must not keep the key's owner out.
        wait = self._attempts.wait(key_id, now)
        if wait <= timedelta():
            self._attempts.failed(key_id, now)
            return
        seconds = max(1, round(wait.total_seconds()))
        raise RateLimited(
            f"Too many wrong secrets for this key; try again in {seconds} s.",
            retry_after_seconds=str(seconds),
        )

    async def _write_failure_down(self, key_id: str) -> None:
        # Only a key that exists is named: whoever makes ids up must not fill the log.
        key = await self._storage.transact(lambda db: keys.find(db, key_id))
        principal = f"application:{key.application_id}" if key else ""
        detail = f"IssueToken: a wrong secret for access key {key_id}." if key else _UNKNOWN_KEY
        entry = Entry(principal, "denied", "application", key.application_id if key else "", detail)
        await self._denials.write_down("IssueToken", entry)

    async def create(
        self, caller: Caller, request: pb.CreateAccessKeyRequest
    ) -> pb.CreateAccessKeyResponse:
        """A new key of an application."""
        application, expires_at = request.application_id, None
        secret = requested.secret(self._naming, request.request_id, caller.name, request)
        if request.HasField("expires_at"):
            expires_at = moment(request.expires_at)

        def work(db: Database, now: datetime) -> AccessKey:
            store.get(db, "application", application)
            known = keys.listed(db, application)
            if (found := _of(known, secret)) is not None:
                return found
            if expires_at is not None and expires_at <= now:
                raise InvalidRequest("expires_at is not in the future.")
            if sum(key.live(now) for key in known) >= MOST_KEYS:
                raise InvalidRequest(f"An application has at most {MOST_KEYS} access keys.")
            key = keys.new(application, secret, now, expires_at)
            keys.add(db, key)
            self._write_down(db, now, caller, "create-key", key)
            return key

        key = await self._commits.commit(work)
        return pb.CreateAccessKeyResponse(access_key=key_message(key), key_secret=secret)

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
            key = keys.find(db, request.key_id)
            if key is None:
                raise NotFound(
                    f"There is no access key {request.key_id!r}.", access_key=request.key_id
                )
            if key.revoked_at is not None:
                return
            keys.revoke(db, key.key_id, now)
            require_an_administrator(db, now)
            self._write_down(db, now, caller, "revoke-key", key)

        await self._commits.commit(work)
        return pb.RevokeAccessKeyResponse()

    async def audit(
        self, caller: Caller, request: pb.ListAuditEntriesRequest
    ) -> pb.ListAuditEntriesResponse:
        """A page of who did what."""
        before = pages.number_place(request.page.page_token)
        most = pages.size(request.page)
        wanted = wanted_entries(request.filter)
        entries = await self._storage.transact(
            lambda db: audit.listed(db, before, most + 1, wanted)
        )
        more = len(entries) > most
        entries = entries[:most]
        return pb.ListAuditEntriesResponse(
            entries=map(entry_message, entries),
            next_page_token=pages.token(entries[-1].id) if more else "",
        )

    def _write_down(
        self, db: Database, now: datetime, caller: Caller, action: str, key: AccessKey
    ) -> None:
        detail = f"Access key {key.key_id}."
        audit.write(db, now, Entry(caller.name, action, "application", key.application_id, detail))


def _of(known: list[AccessKey], secret: str) -> AccessKey | None:
    """The key of a secret: the request has been answered before.

    Raises:
        Conflict: It was revoked since.
    """
    found = next((key for key in known if key.secret_hash == keys.hashed(secret)), None)
    if found is not None and found.revoked_at is not None:
        raise Conflict(f"That request made access key {found.key_id}, which is revoked.")
    return found
