"""Tokens: signed proof of who calls, which everybody can verify without asking here again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING

from sqlite_utils import Database

from services.registry.signing import SigningKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from services.sealing import Sealer

ISSUER = AUDIENCE = "podium"
ALGORITHM = "EdDSA"


@dataclass(frozen=True)
class Signer:
    """Signs with one Ed25519 key.

    Attributes:
        key_id: What the header of a token says under ``kid``.
        public_key: In PEM.
    """

    key_id: str
    public_key: str
    _private_key: Ed25519PrivateKey

    def token(self, application_id: str, access_key_id: str, now: datetime, until: datetime) -> str:
        """A JWT (RFC 7519) for the application, by EdDSA (RFC 8037)."""
        # Signing is for those who ask; what starts does not wait for the library.
        import jwt

        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": f"application:{application_id}",
            "key": access_key_id,
            "iat": int(now.timestamp()),
            "exp": int(until.timestamp()),
        }
        headers = {"kid": self.key_id}
        return jwt.encode(claims, self._private_key, algorithm=ALGORITHM, headers=headers)


def make(db: Database, sealer: Sealer, now: datetime, signs_from: datetime | None = None) -> str:
    """Make a signing key, which signs at once or from then on; its id."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = token_hex(8)
    db.table("signing_keys").insert(
        {
            "key_id": key_id,
            "sealed_private_key": sealer.seal(text),
            "public_key": public.decode(),
            "created_at": now.isoformat(),
            "signs_from": (signs_from or now).isoformat(),
        }
    )
    return key_id


def listed(db: Database) -> tuple[SigningKey, ...]:
    """Every key whose tokens may still be valid, in the order in which they sign."""
    rows = db.query("SELECT key_id, public_key, created_at, signs_from FROM signing_keys")
    keys = (
        SigningKey(
            row["key_id"],
            row["public_key"],
            datetime.fromisoformat(row["created_at"]),
            datetime.fromisoformat(row["signs_from"]),
        )
        for row in rows
    )
    # As values: the texts of moments differ in length.
    return tuple(sorted(keys, key=lambda key: (key.signs_from, key.created_at)))


def signers(db: Database, sealer: Sealer) -> dict[str, Signer]:
    """What signs with each key of the store, by its id.

    Raises:
        Unsealable: It was sealed with another key than ``sealer``'s.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    found = {}
    for row in db.query("SELECT key_id, public_key, sealed_private_key FROM signing_keys"):
        text = sealer.open(row["sealed_private_key"])
        private = serialization.load_pem_private_key(text.encode(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("The signing key is no Ed25519 key.")
        found[row["key_id"]] = Signer(row["key_id"], row["public_key"], private)
    return found


def public_keys(db: Database) -> dict[str, str]:
    """Every key whose tokens may still be valid: its PEM by its id."""
    rows = db.query("SELECT key_id, public_key FROM signing_keys")
    return {row["key_id"]: row["public_key"] for row in rows}


def remove(db: Database, key_id: str) -> None:
    """Remove a key whose every token has ended."""
    db.execute("DELETE FROM signing_keys WHERE key_id = ?", [key_id])


def revoke_all(db: Database, now: datetime) -> None:
    """Remove every key, and note that what their tokens opened must end."""
    db.execute(
        "INSERT OR REPLACE INTO revoked_signing_keys SELECT key_id, ? FROM signing_keys",
        [now.isoformat()],
    )
    db.execute("DELETE FROM signing_keys")


def revoked_since(db: Database, moment: datetime) -> frozenset[str]:
    """The ids of keys that were revoked after ``moment``."""
    rows = db.query("SELECT key_id, revoked_at FROM revoked_signing_keys")
    return frozenset(
        row["key_id"] for row in rows if datetime.fromisoformat(row["revoked_at"]) > moment
    )
