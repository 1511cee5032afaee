"""Whom the registry trusts: applications, the keys that tokens are verified by, what is revoked.

It is read from the store after each change of it and kept in memory: every call asks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.access import Application
from services.errors import Conflict
from services.registry import documents, keys, store, tokens

# Clocks of machines differ, and what verifies a token allows for it.
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True)
class Trusted:
    """What holds at one moment."""

    applications: Mapping[str, Application] = field(default_factory=dict)
    public_keys: Mapping[str, str] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    def message(self) -> pb.Trust:
        """As watchers are told it."""
        found = sorted(self.public_keys.items())
        return pb.Trust(
            public_keys=[pb.PublicKey(key_id=key_id, pem=pem) for key_id, pem in found],
            revoked_access_key_ids=sorted(self.revoked),
        )


def trusted(db: Database, now: datetime) -> Trusted:
    """What the store says."""
    return Trusted(
        applications={
            state.name: Application.from_document(documents.stored(state.document))
            for state in store.listed(db, "application")
        },
        public_keys=tokens.public_keys(db),
        revoked=keys.revoked_since(db, now - tokens.LIFETIME - _SLACK),
    )


class RegistryAuthority:
    """The registry's own answer to who may do what."""

    def __init__(self, trusted: Trusted) -> None:
        self.trusted = trusted

    def application(self, application_id: str) -> Application | None:
        return self.trusted.applications.get(application_id)

    def public_key(self, key_id: str) -> str | None:
        return self.trusted.public_keys.get(key_id)

    def revoked(self, access_key_id: str) -> bool:
        return access_key_id in self.trusted.revoked


def require_an_administrator(db: Database, now: datetime) -> None:
    """Refuse what would lock everybody out.

    Raises:
        Conflict: No application with the role ADMIN has an access key that is live.
    """
    for state in store.listed(db, "application"):
        application = Application.from_document(documents.stored(state.document))
        if "ADMIN" in application.roles and any(
            key.live(now) for key in keys.listed(db, application.id)
        ):
            return
    raise Conflict(
        "That would leave no application with the role ADMIN and a live access key, "
        "and lock everybody out."
    )
