"""The keys that tokens are signed with: who asks for them, and what becomes of them by itself."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict, ServiceError
from services.registry import audit, signing, tokens
from services.registry.audit import Entry
from services.registry.commits import Commits
from services.registry.messages import timestamp
from services.registry.permissions import Caller
from services.registry.signing import SigningKey
from services.registry.tokens import Signer
from services.sealing import Sealer

_ITSELF = "service:registry"
# A clock may be set forward meanwhile, or the machine may sleep.
_LONGEST_REST = timedelta(minutes=1)

logger = logging.getLogger(__name__)

Held = tuple[tuple[SigningKey, ...], Mapping[str, Signer]]


class Signing:
    """Keeps the signing keys of one store.

    Args:
        held: As :func:`read` has read them.
        every: How long one signs; nought: until somebody says otherwise.
        notice: How long all have known a key before it signs.
    """

    def __init__(
        self, held: Held, sealer: Sealer, commits: Commits, every: timedelta, notice: timedelta
    ) -> None:
        self._hold(held)
        self._sealer = sealer
        self._commits = commits
        self._every = every
        self._notice = notice

    def signer(self, now: datetime) -> Signer:
        """What signs a token now."""
        return self._signers[signing.signing(self._keys, now).key_id]

    def listed(self) -> pb.ListSigningKeysResponse:
        """Every key whose tokens may still be valid."""
        rotation = signing.rotates_at(self._keys, self._every)
        return pb.ListSigningKeysResponse(
            signing_keys=self._messages(datetime.now(UTC)),
            rotates_at=timestamp(rotation) if rotation else None,
        )

    async def rotate(
        self, caller: Caller, request: pb.RotateSigningKeysRequest
    ) -> pb.RotateSigningKeysResponse:
        """Another key, after a notice, or at once in place of all that there are.

        Raises:
            Conflict: There is one already that does not sign yet.
        """

        def work(db: Database, now: datetime) -> Held:
            if request.revoke:
                self._revoke(db, now, caller.name)
            else:
                self._announce(db, now, caller.name)
            return read(db, self._sealer)

        await self._commits.commit(work, self._hold)
        return pb.RotateSigningKeysResponse(signing_keys=self._messages(datetime.now(UTC)))

    def _hold(self, held: Held) -> None:
        self._keys, self._signers = held

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Within, keys are made and removed as they are due."""
        keeping = asyncio.create_task(self._keep(), name="keep signing keys")
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
            except (ServiceError, sqlite3.Error) as error:
                logger.warning("Signing keys cannot be kept; it is tried again: %s", error)
            await asyncio.sleep(self._rest(datetime.now(UTC)).total_seconds())

    def _rest(self, now: datetime) -> timedelta:
        due = signing.looks_at(self._keys, self._every)
        # What failed is not tried in one go.
        shortest = timedelta(seconds=1)
        return min(max(due - now, shortest), _LONGEST_REST) if due else _LONGEST_REST

    async def _look(self) -> None:
        due = signing.looks_at(self._keys, self._every)
        if due is None or due > datetime.now(UTC):
            return

        def work(db: Database, now: datetime) -> Held:
            keys = tokens.listed(db)
            for key in signing.over(keys, now):
                tokens.remove(db, key.key_id)
            rotation = signing.rotates_at(keys, self._every)
            if rotation and rotation <= now:
                self._announce(db, now, _ITSELF)
            return read(db, self._sealer)

        await self._commits.commit(work, self._hold)

    def _announce(self, db: Database, now: datetime, principal: str) -> None:
        if (coming := signing.announced(tokens.listed(db), now)) is not None:
            raise Conflict(
                f"There is a new signing key already, {coming.key_id}, which signs from "
                f"{coming.signs_from.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}. To end every other at "
                "once, revoke them.",
                signing_key=coming.key_id,
            )
        key_id = tokens.make(db, self._sealer, now, now + self._notice)
        seconds = self._notice.total_seconds()
        detail = f"Signing key {key_id}, which signs in {seconds:g} s."
        audit.write(db, now, Entry(principal, "rotate-signing-key", detail=detail))

    def _revoke(self, db: Database, now: datetime, principal: str) -> None:
        ended = ", ".join(key.key_id for key in tokens.listed(db))
        tokens.revoke_all(db, now)
        key_id = tokens.make(db, self._sealer, now)
        detail = f"Signing key {key_id}, at once; revoked: {ended}."
        audit.write(db, now, Entry(principal, "rotate-signing-key", detail=detail))

    def _messages(self, now: datetime) -> list[pb.SigningKey]:
        current = signing.signing(self._keys, now)
        return [
            pb.SigningKey(
                key_id=key.key_id,
                state=_state(key, current, now),
                created_at=timestamp(key.created_at),
                signs_from=timestamp(key.signs_from),
                signs_until=timestamp(end) if end else None,
                verifies_until=timestamp(signing.verifies_until(end)) if end else None,
            )
            for key, end in signing.signs_until(self._keys)
        ]


def read(db: Database, sealer: Sealer) -> Held:
    """The keys of the store, and what signs with each.

    Raises:
        Unsealable: They were sealed with another key.
    """
    return tokens.listed(db), tokens.signers(db, sealer)


def _state(key: SigningKey, current: SigningKey, now: datetime) -> pb.SigningKeyState.ValueType:
    if key.key_id == current.key_id:
        return pb.SIGNING_KEY_STATE_SIGNS
    if key.signs_from > now:
        return pb.SIGNING_KEY_STATE_ANNOUNCED
    return pb.SIGNING_KEY_STATE_VERIFIES
