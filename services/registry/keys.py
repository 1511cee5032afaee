"""Access keys: what an application proves itself by.

A secret is 256 random bits and is kept as its SHA-256 only; a slow hash is for secrets that
people think up.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any

from sqlite_utils import Database

_NOTED_EVERY = timedelta(minutes=1)
# Compared with when there is no such key, so that the answer takes as long.
_NOBODY = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key of an application's, without its secret.

    Attributes:
        expires_at: When it ends; None: never.
        revoked_at: When it was revoked; None: it was not.
        last_used_at: When it last proved an application, to the minute; None: never.
        created_by: Who made it, e.g. ``application:admin``; empty: nobody knows.
        replaces: The key in whose place it was made; empty: none.
    """

    key_id: str
    application_id: str
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    created_by: str = ""
    replaces: str = ""

    @property
    def ends_at(self) -> datetime | None:
        """When it opens nothing any more; None: it goes on."""
        return min(filter(None, (self.expires_at, self.revoked_at)), default=None)

    def live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def hashed(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal digits: what is kept of it."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new(
    application_id: str,
    secret: str,
    now: datetime,
    expires_at: datetime | None,
    created_by: str = "",
    replaces: str = "",
) -> AccessKey:
    """A key that nobody has yet."""
    return AccessKey(
        token_hex(8),
        application_id,
        hashed(secret),
        now,
        expires_at,
        created_by=created_by,
        replaces=replaces,
    )


def add(db: Database, key: AccessKey) -> None:
    """Keep ``key``."""
    db.table("access_keys").insert(
        {
            "key_id": key.key_id,
            "application_id": key.application_id,
            "secret_hash": key.secret_hash,
            "created_at": key.created_at.isoformat(),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "created_by": key.created_by,
            "replaces": key.replaces,
        }
    )


def find(db: Database, key_id: str) -> AccessKey | None:
    """The key of that id, revoked ones too."""
    return next(_selected(db, "key_id = ?", key_id), None)


def listed(db: Database, application_id: str = "") -> list[AccessKey]:
    """The keys of an application, or of all, in order of creation."""
    if application_id:
        return list(_selected(db, "application_id = ?", application_id))
    return list(_selected(db, "TRUE"))


def proven(db: Database, key_id: str, secret: str, now: datetime) -> AccessKey | None:
    """The key, if ``secret`` is its secret and it is live. Takes the same time either way."""
    key = find(db, key_id)
    same = hmac.compare_digest(hashed(secret), key.secret_hash if key else _NOBODY)
    return key if key and same and key.live(now) else None


def noted(key: AccessKey, now: datetime) -> bool:
    """Whether it is written down already that ``key`` is in use."""
    last = key.last_used_at
    return last is not None and timedelta() <= now - last < _NOTED_EVERY


def note_use(db: Database, key: AccessKey, now: datetime) -> None:
    """Write down that ``key`` was used."""
    db.execute(
        "UPDATE access_keys SET last_used_at = ? WHERE key_id = ?",
        [now.isoformat(), key.key_id],
    )


def end(db: Database, key: AccessKey, at: datetime) -> None:
    """Have ``key`` expire at ``at``, unless it does before."""
    if key.expires_at is None or at < key.expires_at:
        db.execute(
            "UPDATE access_keys SET expires_at = ? WHERE key_id = ?", [at.isoformat(), key.key_id]
        )


def revoke(db: Database, key_id: str, now: datetime) -> None:
    """Revoke the key; one that is revoked stays as it was."""
    _revoke(db, "key_id", key_id, now)


def revoke_all(db: Database, application_id: str, now: datetime) -> None:
    """Revoke what keys an application has."""
    _revoke(db, "application_id", application_id, now)


def _revoke(db: Database, column: str, value: str, now: datetime) -> None:
    db.execute(
        f"UPDATE access_keys SET revoked_at = ? WHERE {column} = ? AND revoked_at IS NULL",
        [now.isoformat(), value],
    )


def ending(db: Database, since: datetime) -> list[AccessKey]:
    """The keys that end, or have ended after ``since``."""
    # Times are compared as values: their texts differ in length when microseconds are nought. By
    # those nearly all that ended long ago are left out, which are asked for at every commit.
    early = (since.astimezone(UTC) - timedelta(seconds=1)).isoformat()
    found = _selected(db, "revoked_at > ? OR (revoked_at IS NULL AND expires_at > ?)", early, early)
    return [key for key in found if key.ends_at is not None and key.ends_at > since]


def _selected(db: Database, where: str, *values: str) -> Iterator[AccessKey]:
    rows = db.query(f"SELECT * FROM access_keys WHERE {where} ORDER BY number", list(values))
    return map(_key, rows)


def _key(row: dict[str, Any]) -> AccessKey:
    return AccessKey(
        row["key_id"],
        row["application_id"],
        row["secret_hash"],
        datetime.fromisoformat(row["created_at"]),
        _moment(row["expires_at"]),
        _moment(row["revoked_at"]),
        _moment(row["last_used_at"]),
        row["created_by"],
        row["replaces"],
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
