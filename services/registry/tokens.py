"""Tokens: signed proof of who calls, which everybody can verify without asking here again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

from sqlite_utils import Database

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from services.sealing import Sealer

LIFETIME = timedelta(minutes=15)
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


def make(db: Database, sealer: Sealer, now: datetime) -> None:
    """Make the signing key of a new store."""
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
    db.table("signing_keys").insert(
        {
            "key_id": token_hex(8),
            "sealed_private_key": sealer.seal(text),
            "public_key": public.decode(),
            "created_at": now.isoformat(),
        }
    )


def signer(db: Database, sealer: Sealer) -> Signer:
    """The newest key of the store.

    Raises:
        ValueError: It was sealed with another key than ``sealer``'s.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    row = next(iter(db.query("SELECT * FROM signing_keys ORDER BY created_at DESC LIMIT 1")))
    text = sealer.open(row["sealed_private_key"])
    private = serialization.load_pem_private_key(text.encode(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("The signing key is no Ed25519 key.")
    return Signer(row["key_id"], row["public_key"], private)


def public_keys(db: Database) -> dict[str, str]:
    """Every key whose tokens may still be valid: its PEM by its id."""
    rows = db.query("SELECT key_id, public_key FROM signing_keys")
    return {row["key_id"]: row["public_key"] for row in rows}
