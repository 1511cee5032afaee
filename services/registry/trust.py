"""Whom the registry trusts: applications, the keys that tokens are verified by, what is revoked.

It is read from the store after each change of it and kept in memory: every call asks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.access import Application
from services.errors import Conflict
from services.registry import documents, keys, store, tokens
from services.registry.messages import timestamp

# Far longer than a token holds: a service that was cut off for long has streams open still.
KEPT_AFTER_END = timedelta(days=7)


@dataclass(frozen=True)
class Trusted:
    """What holds at one moment.

    Attributes:
        revoked: Ids of access keys.
        ends: When access keys end by themselves, of those that do.
        revoked_signers: Ids of signing keys.
    """

    applications: Mapping[str, Application] = field(default_factory=dict)
    public_keys: Mapping[str, str] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    ends: Mapping[str, datetime] = field(default_factory=dict)
    revoked_signers: frozenset[str] = frozenset()

    def message(self) -> pb.Trust:
        """As watchers are told it."""
        found = sorted(self.public_keys.items())
        return pb.Trust(
            public_keys=[pb.PublicKey(key_id=key_id, pem=pem) for key_id, pem in found],
            revoked_access_key_ids=sorted(self.revoked),
            access_key_ends=[
                pb.AccessKeyEnd(key_id=key_id, ends_at=timestamp(end))
                for key_id, end in sorted(self.ends.items())
            ],
            revoked_signing_key_ids=sorted(self.revoked_signers),
        )


def trusted(db: Database, now: datetime) -> Trusted:
    """What the store says."""
    ending = keys.ending(db, now - KEPT_AFTER_END)
    return Trusted(
        applications={
            state.name: Application.from_document(documents.stored(state.document))
            for state in store.listed(db, "application")
        },
        public_keys=tokens.public_keys(db),
        revoked=frozenset(key.key_id for key in ending if key.revoked_at),
        ends={key.key_id: key.expires_at for key in ending if key.expires_at},
        revoked_signers=tokens.revoked_since(db, now - KEPT_AFTER_END),
    )


class RegistryAuthority:
    """The registry's own answer to who may do what."""

    def __init__(self, trusted: Trusted, now: Callable[[], float] = time.time) -> None:
        self.trusted = trusted
        self._now = now

    def application(self, application_id: str) -> Application | None:
        return self.trusted.applications.get(application_id)

    def public_key(self, key_id: str) -> str | None:
        return self.trusted.public_keys.get(key_id)

    def revoked(self, access_key_id: str) -> bool:
        end = self.trusted.ends.get(access_key_id)
        return access_key_id in self.trusted.revoked or (
            end is not None and self._now() >= end.timestamp()
        )

    def revoked_signer(self, key_id: str) -> bool:
        return key_id in self.trusted.revoked_signers


def require_an_administrator(db: Database, now: datetime) -> None:
    """Refuse what would lock everybody out.

    Raises:
        Conflict: No application with the role ADMIN has an access key that is live, or all that
            have are paused.
    """
    for state in store.listed(db, "application"):
        application = Application.from_document(documents.stored(state.document))
        if (
            application.enabled
            and "ADMIN" in application.roles
            and any(key.live(now) for key in keys.listed(db, application.id))
        ):
            return
    raise Conflict(
        "That would leave no application with the role ADMIN and a live access key, "
        "and lock everybody out."
    )
