"""The tables of ``registry.db``, in the order in which they came to be."""

from __future__ import annotations

from secrets import token_hex

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.auditing.chain import hash_of

migrations = Migrations("registry")


@migrations()
def m001_definitions(db: Database) -> None:
    """Definitions as they are, and every state that they had.

    ``uses`` is what a definition refers to, so that its users are found without reading every
    document again. A revision is a row of ``history``: AUTOINCREMENT never hands one out twice.
    """
    db.execute(
        """
        CREATE TABLE definitions (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            etag TEXT NOT NULL,
            document TEXT NOT NULL,
            uses TEXT NOT NULL,
            created_at TEXT NOT NULL,
            created_by TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            updated_by TEXT NOT NULL,
            PRIMARY KEY (kind, name, version)
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE history (
            revision INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            etag TEXT NOT NULL,
            document TEXT NOT NULL,
            deleted INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            updated_by TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX history_of_one ON history (kind, name, version, revision)")


@migrations()
def m002_access(db: Database) -> None:
    """Who may call: access keys by the hash of their secret, signing keys sealed."""
    db.execute(
        """
        CREATE TABLE access_keys (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            key_id TEXT NOT NULL UNIQUE,
            application_id TEXT NOT NULL,
            secret_hash TEXT NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT,
            revoked_at TEXT
        ) STRICT
        """
    )
    db.execute("CREATE INDEX access_keys_of_one ON access_keys (application_id)")
    db.execute(
        """
        CREATE TABLE signing_keys (
            key_id TEXT PRIMARY KEY,
            sealed_private_key TEXT NOT NULL,
            public_key TEXT NOT NULL,
            created_at TEXT NOT NULL
        ) STRICT
        """
    )


@migrations()
def m003_audit(db: Database) -> None:
    """Who did what."""
    db.execute(
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            principal TEXT NOT NULL,
            action TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT
        """
    )


@migrations()
def m004_meta(db: Database) -> None:
    """What the store says about itself: its epoch, and the last revision no watch can resume at."""
    db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    db.table("meta").insert_all(
        [{"name": "epoch", "value": token_hex(8)}, {"name": "compacted", "value": "0"}]
    )


@migrations()
def m005_last_use_of_access_keys(db: Database) -> None:
    """When a token was last issued for an access key."""
    db.execute("ALTER TABLE access_keys ADD COLUMN last_used_at TEXT")


@migrations()
def m006_requested_keys(db: Database) -> None:
    """The hashes of gateway keys that requests made, also of those that are no more."""
    db.execute("CREATE TABLE requested_keys (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")


@migrations()
def m007_makers_of_access_keys(db: Database) -> None:
    """Who made an access key, and in which one's place."""
    for column in ("created_by", "replaces"):
        db.execute(f"ALTER TABLE access_keys ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")


@migrations()
def m008_rotation_of_signing_keys(db: Database) -> None:
    """From when a key signs, which is after all have been told of it; and those that were revoked.

    A revoked key is no more: only its id is kept, to end what was opened by it.
    """
    db.execute("ALTER TABLE signing_keys ADD COLUMN signs_from TEXT NOT NULL DEFAULT ''")
    db.execute("UPDATE signing_keys SET signs_from = created_at")
    db.execute(
        """
        CREATE TABLE revoked_signing_keys (
            key_id TEXT PRIMARY KEY,
            revoked_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """
    )


@migrations()
def m009_audit_whole(db: Database) -> None:
    """From where, by what and with what outcome; each entry with the hash of all before it.

    What is there keeps what it says, and is hashed as it stands. From now on the table is only
    added to: a chain's old end goes once ``audit_chains`` says that it does.
    """
    for name in _TEXTS_ADDED:
        default = "allowed" if name == "outcome" else ""
        db.execute(f"ALTER TABLE audit ADD COLUMN {name} TEXT NOT NULL DEFAULT '{default}'")
    for name, number in (
        ("chain", 0),
        ("version", 0),
        ("revision_before", 0),
        ("revision", 0),
        ("count", 1),
    ):
        db.execute(f"ALTER TABLE audit ADD COLUMN {name} INTEGER NOT NULL DEFAULT {number}")
    db.execute("ALTER TABLE audit ADD COLUMN uid TEXT")
    db.execute("ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x''")
    db.execute("UPDATE audit SET outcome = 'denied', chain = 1 WHERE action = 'denied'")
    _hash_entries(db)
    db.execute("CREATE INDEX audit_by_chain ON audit (chain, id)")
    db.execute("CREATE INDEX audit_of_one ON audit (kind, name, id)")
    db.execute("CREATE UNIQUE INDEX audit_by_uid ON audit (uid) WHERE uid IS NOT NULL")
    db.execute(
        "CREATE TABLE audit_chains (chain INTEGER PRIMARY KEY, dropped INTEGER NOT NULL, "
        "hash BLOB NOT NULL) STRICT"
    )
    db.execute("INSERT INTO audit_chains VALUES (0, 0, x''), (1, 0, x'')")
    for trigger in _GUARDING:
        db.execute(trigger)


_TEXTS_ADDED = (
    "outcome", "key_id", "via", "method", "source", "agent", "trace", "state_before", "state_after",
)  # fmt: skip
# As they were hashed then: later columns are others' concern.
_HASHED = (
    "id, chain, at, principal, action, kind, name, detail, outcome, key_id, via, method, source, "
    "agent, trace, version, revision_before, revision, state_before, state_after, count, uid"
)


def _hash_entries(db: Database) -> None:
    for which in (0, 1):
        before = b""
        hashes = []
        for row in db.execute(f"SELECT {_HASHED} FROM audit WHERE chain = {which} ORDER BY id"):
            before = hash_of(tuple(row), before)
            hashes.append((before, row[0]))
        db.conn.executemany("UPDATE audit SET hash = ? WHERE id = ?", hashes)


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
_GUARDING = (
    f"CREATE TRIGGER audit_stays BEFORE UPDATE ON audit {_REFUSE}",
    # Also against REPLACE, which fires no trigger of deletion.
    "CREATE TRIGGER audit_rises BEFORE INSERT ON audit "
    f"WHEN new.id <= (SELECT max(id) FROM audit) {_REFUSE}",
    "CREATE TRIGGER audit_goes_by_its_end BEFORE DELETE ON audit "
    f"WHEN old.id > (SELECT dropped FROM audit_chains WHERE chain = old.chain) {_REFUSE}",
    "CREATE TRIGGER audit_ends_rise BEFORE UPDATE ON audit_chains "
    "WHEN new.chain != old.chain OR new.dropped < old.dropped OR NOT EXISTS ("
    "SELECT 1 FROM audit WHERE id = new.dropped AND chain = new.chain AND hash = new.hash) "
    f"{_REFUSE}",
    f"CREATE TRIGGER audit_ends_stay BEFORE DELETE ON audit_chains {_REFUSE}",
    "CREATE TRIGGER audit_ends_are_two BEFORE INSERT ON audit_chains "
    f"WHEN new.chain IN (SELECT chain FROM audit_chains) {_REFUSE}",
)
