"""What callers ask about access: tokens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from podium.registry.v1 import registry_pb2 as pb
from services.errors import PermissionDenied, RateLimited, Unauthenticated, Unavailable
from services.registry import audit, keys
from services.registry.attempts import Attempts
from services.registry.audit import Entry
from services.registry.denials import Denials
from services.registry.keys import AccessKey
from services.registry.messages import timestamp
from services.registry.signing import LIFETIME
from services.registry.signing_calls import Signing
from services.registry.trust import RegistryAuthority
from services.storage import Storage

_LONGEST = 1_024
_UNKNOWN_KEY = "IssueToken: an access key that does not exist."


class AccessCalls:
    """Answers from one store."""

    def __init__(
        self,
        storage: Storage,
        signing: Signing,
        denials: Denials,
        authority: RegistryAuthority,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._signing = signing
        self._denials = denials
        self._authority = authority
        self._attempts = Attempts()
        self._monotonic = monotonic

    async def issue(self, request: pb.IssueTokenRequest, source: str) -> pb.IssueTokenResponse:
        """A token for who proves an access key.

        Args:
            source: Where it comes from.

        Raises:
            Unauthenticated: The key or its secret is wrong.
            RateLimited: So many before it were that this one was not looked at;
                ``retry_after_seconds`` says for how long.
            PermissionDenied: Its application is paused.
        """
        key_id, now = request.key_id[:_LONGEST], datetime.now(UTC)
        self._check_guessing(key_id, source)
        key = await self._storage.transact(
            lambda db: keys.proven(db, key_id, request.key_secret[:_LONGEST], now)
        )
        if key is None:
            self._attempts.failed(key_id, source, self._monotonic())
            await self._write_failure_down(key_id, source)
            raise Unauthenticated("There is no such access key, or the secret is not its.")
        self._attempts.proved(key_id, source)
        await self._check_paused(key, source)
        await self._note_use(key, now)
        until = min(filter(None, (now + LIFETIME, key.expires_at)))
        token = self._signing.signer(now).token(key.application_id, key.key_id, now, until)
        return pb.IssueTokenResponse(token=token, expires_at=timestamp(until))

    async def _check_paused(self, key: AccessKey, source: str) -> None:
        name = key.application_id
        application = self._authority.application(name)
        if application is None or application.enabled:
            return
        detail = f"The application {name!r} is paused."
        entry = Entry(
            f"application:{name}", "issue-token", "application", name, f"IssueToken: {detail}",
            audit.DENIED, key_id=key.key_id, source=source,
        )  # fmt: skip
        await self._denials.write_down("IssueToken", entry)
        raise PermissionDenied(detail, application=name)

    async def _note_use(self, key: AccessKey, now: datetime) -> None:
        if keys.noted(key, now):
            return
        # Where nothing can be written, people must still get in.
        with suppress(Unavailable):
            await self._storage.transact(lambda db: keys.note_use(db, key, now))

    def _check_guessing(self, key_id: str, source: str) -> None:
        wait = self._attempts.wait(key_id, source, self._monotonic())
        if not wait:
            return
        seconds = max(1, math.ceil(wait))
        raise RateLimited(
            f"Too many wrong secrets came from where you are; try again in {seconds} s.",
            retry_after_seconds=str(seconds),
        )

    async def _write_failure_down(self, key_id: str, source: str) -> None:
        # Only a key that exists is named: whoever makes ids up must not fill the log.
        key = await self._storage.transact(lambda db: keys.find(db, key_id))
        principal = f"application:{key.application_id}" if key else ""
        detail = f"IssueToken: a wrong secret for access key {key_id}." if key else _UNKNOWN_KEY
        name = key.application_id if key else ""
        entry = Entry(
            principal, "issue-token", "application", name, detail, audit.DENIED, source=source
        )
        await self._denials.write_down("IssueToken", entry)
