"""What a store needs before anybody can ask it for anything: an administrator and a signing key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from services.process import StartupError
from services.registry import audit, documents, keys, signing_calls, store, tokens
from services.registry.definitions import Document
from services.registry.keys import AccessKey
from services.registry.store import Write
from services.sealing import Sealer, Unsealable

ADMINISTRATOR = "admin"
ITSELF = "service:registry"
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Credentials:
    """The first administrator's access key, as whoever starts the registry gives it."""

    key_id: str
    key_secret: str


def credentials(key_id: str, secret_file: Path | None) -> Credentials | None:
    """The key that the settings name; None where they name none.

    Raises:
        StartupError: Half of it is missing, or the file holds no secret.
    """
    if not key_id and secret_file is None:
        return None
    if not key_id or secret_file is None:
        raise StartupError("PODIUM_ADMIN_KEY_ID and PODIUM_ADMIN_KEY_SECRET_FILE go together.")
    try:
        secret = secret_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StartupError(f"The secret in {secret_file} cannot be read: {reason}.") from error
    if len(secret) < _SHORTEST_SECRET:
        raise StartupError(
            f"The secret in {secret_file} is shorter than {_SHORTEST_SECRET} characters."
        )
    return Credentials(key_id, secret)


def prepare(
    db: Database, given: Credentials | None, sealer: Sealer, now: datetime
) -> signing_calls.Held:
    """Make what is missing; the keys that sign tokens.

    A key that the store does not know is given to the administrator, so that whoever holds the
    machine can come back in; one that was revoked stays so.

    Raises:
        StartupError: The store is new and no key is given, or was sealed with another key.
    """
    new = not tokens.public_keys(db)
    if new:
        if given is None:
            raise StartupError(
                "The database is new: PODIUM_ADMIN_KEY_ID and PODIUM_ADMIN_KEY_SECRET_FILE must "
                "give the access key of its first administrator."
            )
        tokens.make(db, sealer, now)
    if given is not None and keys.find(db, given.key_id) is None:
        _make_administrator(db, given, now)
    try:
        return signing_calls.read(db, sealer)
    except Unsealable as error:
        raise StartupError(
            "The key in PODIUM_SECRET_KEY_FILE is not the one that the database was sealed with."
        ) from error


def _make_administrator(db: Database, given: Credentials, now: datetime) -> None:
    if store.find(db, "application", ADMINISTRATOR) is None:
        document: Document = {
            "kind": "application",
            "id": ADMINISTRATOR,
            "name": "Administrator",
            "roles": ["ADMIN"],
        }
        text = documents.written(document)
        store.put(db, Write("application", ADMINISTRATOR, 0, text), ITSELF, now)
    hashed = keys.hashed(given.key_secret)
    keys.add(db, AccessKey(given.key_id, ADMINISTRATOR, hashed, now, created_by=ITSELF))
    detail = f"Access key {given.key_id} came from the settings."
    audit.write(db, now, audit.Entry(ITSELF, "create-key", "application", ADMINISTRATOR, detail))
